// What is wrong with the station itself, on every screen until it is over. Whoever has
// seen it can make it quieter on this desk, never invisible.
import { useWords, wordFor } from '../i18n'
import { age, clockTime } from '../i18n/format'
import { faultKey } from '../live/faults'
import { useHere, useLive, useNow, useValue } from '../ui/hooks'
import { Badge } from '../ui/parts'

export function StationBand() {
  const { station } = useHere()
  const words = useWords()
  const live = useLive()
  const { station: say } = words.areas.attention
  const faults = useValue(station.faults.list)
  const seen = useValue(station.faults.seen)
  const now = useNow()
  if (faults.length === 0) return null
  const loud = faults.some((fault) => !seen.has(faultKey(fault)))
  const worst = faults[0]!.code === 'nobody_watches' ? 1 : 2
  return (
    <section className={`station-band p${worst}${loud ? ' loud' : ''}${live ? '' : ' stale'}`} aria-label={say.label} data-testid="station-band" data-loud={loud}>
      <Badge priority={worst} waiting={loud} />
      <div className="station-faults" role={loud ? 'alert' : undefined}><ul>
        {faults.map((fault) => (
          <li key={faultKey(fault)} data-fault={fault.code}>
            <b>{wordFor(say.faults, fault.code)}</b>
            {fault.detail && <span className="cut">{fault.detail}</span>}
          </li>
        ))}
      </ul></div>
      <span className="station-since num">{say.since(clockTime(Date.parse(faults[0]!.since)), age(words, now - Date.parse(faults[0]!.since)))}</span>
      {!live && <span className="tag dashed">{say.stale}</span>}
      {loud ? (
        <button type="button" className="button" onClick={() => station.faults.acknowledge()}>{say.acknowledge}</button>
      ) : (
        <span className="station-seen">{say.acknowledged}</span>
      )}
    </section>
  )
}
