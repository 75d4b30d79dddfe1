// What the person at this desk can do that is no alarm: settings, look, help, sign out.
import { useState } from 'react'
import { useWords } from '../i18n'
import { go, inMenu, pagesFor } from '../route'
import { useHere, useLive, useMe, useValue } from '../ui/hooks'
import { Menu } from '../ui/Menu'
import { density } from './prefs'

export function DeskMenu() {
  const { station, desk } = useHere()
  const me = useMe()
  const words = useWords()
  const live = useLive()
  const rows = useValue(density)
  const [problem, setProblem] = useState(false)
  const { commands } = words.areas.shell
  const signOut = () => {
    setProblem(false)
    station.signOut().catch(() => setProblem(true))
  }
  return (
    <>
      <Menu
        label={words.areas.shell.top.menu}
        button={<i className="icon more" aria-hidden="true" />}
        head={<><b>{me.name}</b><span className="faint">{me.login}, {words.roles[me.role]}</span></>}
        entries={[
          ...pagesFor(me).filter((page) => inMenu.has(page)).map((page) => ({ key: page, text: words.nav[page], onChoose: () => go({ page }) })),
          { key: 'density', text: rows === 'dense' ? commands.comfortable : commands.dense, onChoose: () => density.set(rows === 'dense' ? 'comfortable' : 'dense') },
          { key: 'help', text: commands.help, onChoose: () => desk.help.set(true) },
          { key: 'out', text: commands.signOut, onChoose: signOut, disabled: !live },
        ]}
      />
      {problem && <span className="problem" role="alert">{words.results.failed}</span>}
    </>
  )
}
