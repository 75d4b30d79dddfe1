import { useWords } from '../i18n'
import { pageKeys } from '../keys/keymap'
import { href, pagesFor } from '../route'
import { singleKeys } from '../shell/prefs'
import { Dialog, DialogFoot } from '../ui/Dialog'
import { useHere, useMe, useValue } from '../ui/hooks'
import { Key } from '../ui/parts'

type Line = [keys: string[], text: string]

export function KeysHelp() {
  const { desk } = useHere()
  const me = useMe()
  const words = useWords()
  const single = useValue(singleKeys) === 'on'
  const { rows } = words.keys
  const { keys } = words.areas.shell
  const mine = pagesFor(me)
  const groups: [title: string, lines: Line[]][] = [
    [keys.groups.alarm, [
      [[words.keys.space], rows.claimNext],
      [['C'], rows.claim],
      [['A'], rows.ack],
      [['D'], keys.dial],
      [['N'], rows.note],
      [['W'], keys.pause],
      [['R'], rows.resolve],
      [['Z'], rows.close],
      [['X'], rows.release],
      [['T'], rows.takeover],
      [['Ctrl', 'Enter'], rows.send],
    ]],
    [keys.groups.queue, [
      [['J', 'K', '↓', '↑'], rows.move],
      [['Enter'], rows.open],
      [['Home'], rows.home],
      [['Esc'], rows.back],
    ]],
    [keys.groups.pages, Object.entries(pageKeys).filter(([, page]) => mine.includes(page)).map(([key, page]): Line => [['G', key.toUpperCase()], words.nav[page]])],
    [keys.groups.desk, [
      [['M'], keys.mute],
      [['/'], keys.search],
      [['Ctrl', 'K'], keys.palette],
      [['?'], rows.help],
    ]],
  ]
  const close = () => desk.help.set(false)
  return (
    <Dialog title={words.keys.title} size="wide" onClose={close}>
      {!single && <p className="notice">{keys.off} <a href={href({ page: 'settings' })} onClick={close}>{keys.change}</a></p>}
      <div className="key-groups">
        {groups.map(([title, lines]) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl className="keys">
              {lines.map(([names, text]) => (
                <div key={text}>
                  <dt>{names.map((key) => <kbd key={key}>{key}</kbd>)}</dt>
                  <dd>{text}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <DialogFoot>
        <button type="button" className="button" onClick={close}>{words.keys.close} <Key>Esc</Key></button>
      </DialogFoot>
    </Dialog>
  )
}
