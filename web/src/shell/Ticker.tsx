// The band at the bottom: the newest acts, newest first. It never grows and never moves.
import { useState } from 'react'
import { useWords } from '../i18n'
import { clockTime } from '../i18n/format'
import type { Act } from '../live/acts'
import { serverClock } from '../live/clock'
import type { Station } from '../live/station'
import type { Catalogue } from '../i18n/pl'
import { useHere, useValue } from '../ui/hooks'
import { Key } from '../ui/parts'
import { UpdateButton } from './Update'

export function Ticker() {
  const { station, desk } = useHere()
  const words = useWords()
  const acts = useValue(station.acts.list)
  const [began] = useState(() => serverClock.now())
  return (
    <footer className="ticker">
      <ul aria-label={words.areas.shell.ticker.label}>
        {acts.length === 0 && <li className="num">{words.areas.shell.ticker.quiet(clockTime(began))}</li>}
        {acts.map((act) => (
          <li key={act.key}>
            <time dateTime={act.at}>{clockTime(Date.parse(act.at))}</time> {act.by && <b>{act.by.name}: </b>}{textOf(words, act, station)}
          </li>
        ))}
      </ul>
      <UpdateButton />
      <button type="button" className="ticker-help" onClick={() => desk.help.set(true)}><Key>?</Key> {words.keys.open}</button>
    </footer>
  )
}

function textOf(words: Catalogue, { what }: Act, station: Station) {
  const { ticker } = words.areas.shell
  const panelSite = (id: number) => station.panels.get(id)?.site.name ?? ''
  switch (what.kind) {
    case 'armed':
    case 'disarmed':
    case 'linkUp':
    case 'linkDown':
      return <>{ticker[what.kind]}: <b>{panelSite(what.panel)}</b></>
    case 'order':
      return <>{ticker.order[what.order]}, <b>{panelSite(what.panel)}</b></>
    case 'new':
      return <>{ticker.new} P{what.alarm.priority}: <b>{what.alarm.site.name}</b></>
    default:
      return <>{ticker[what.kind](what.alarm.id)}, <b>{what.alarm.site.name}</b></>
  }
}
