// Beside the alarm: what one must know of the place before acting.
import { type ReactNode, useEffect, useSyncExternalStore } from 'react'
import type { Alarm } from '../api/types'
import { useWords, wordFor } from '../i18n'
import { date, full } from '../i18n/format'
import type { Detail } from '../live/details'
import { href } from '../route'
import { useHere, useLive } from '../ui/hooks'
import { kindText } from './alarm/text'
import { PanelSummary } from './PanelSummary'

export function AlarmFacts({ alarm, detail }: { alarm: Alarm; detail: Detail | undefined }) {
  const words = useWords()
  const text = words.areas.desk.facts
  const site = detail?.site
  return (
    <>
      <section className="section">
        <h3>{text.title}</h3>
        <dl className="facts">
          {site && (
            <>
              <Fact name={text.mode} strong={site.mode !== 'normal'}>{wordFor(words.modes, site.mode)}</Fact>
              <Fact name={text.note} strong={site.notes !== ''}>{site.notes || text.noNote}</Fact>
              <Fact name={words.alarm.risk} strong={site.risk === 'high'}>{site.risk !== 'normal' && wordFor(words.risks, site.risk)}</Fact>
            </>
          )}
          {detail && (
            <Fact name={text.earlier}>
              {detail.earlier.length === 0 ? text.noEarlier : (
                <ul className="earlier" aria-label={text.earlierTitle}>
                  {detail.earlier.slice(0, earlierShown).map((past) => (
                    <li key={past.id}>
                      <a href={href({ page: 'alarms', id: past.id })}>{date(Date.parse(past.opened_at))} {kindText(words, past.kind)}</a>{' '}
                      <span className="faint">{past.outcome ? wordFor(words.outcomes, past.outcome) : text.open}</span>
                    </li>
                  ))}
                </ul>
              )}
            </Fact>
          )}
          <Fact name={words.alarm.outcome}>{alarm.outcome && `${wordFor(words.outcomes, alarm.outcome)}: ${alarm.outcome_text ?? ''}`}</Fact>
        </dl>
      </section>
      {alarm.panel_id && <AlarmPanel id={alarm.panel_id} />}
      <details className="section">
        <summary>{text.more}</summary>
        <dl className="facts">
          <Fact name={words.alarm.address}>{[alarm.site.address, alarm.site.city].filter(Boolean).join(', ')}</Fact>
          <Fact name={words.alarm.district}>{site?.district}</Fact>
          <Fact name={words.alarm.provider}>{site?.provider}</Fact>
          <Fact name={words.alarm.opened}>{full(alarm.opened_at)}</Fact>
          <Fact name={words.alarm.first}>{full(alarm.first_at)}</Fact>
          <Fact name={words.alarm.last}>{full(alarm.last_at)}</Fact>
        </dl>
      </details>
    </>
  )
}

const earlierShown = 5

/** A fact that is there; an empty one is left out. */
function Fact({ name, strong = false, children }: { name: string; strong?: boolean; children: ReactNode }) {
  if (!children) return null
  return (
    <>
      <dt>{name}</dt>
      <dd className={strong ? 'strong' : undefined}>{children}</dd>
    </>
  )
}

function AlarmPanel({ id }: { id: number }) {
  const { station } = useHere()
  const words = useWords()
  const live = useLive()
  const panel = useSyncExternalStore(station.panels.subscribe, () => station.panels.get(id))
  const parts = useSyncExternalStore(station.panels.subscribe, () => station.panels.parts(id))
  useEffect(() => station.watchPanels([id]), [station, id])
  useEffect(() => {
    if (!live) return
    const abort = new AbortController()
    // Without it the alarm is still whole; the panel's own page tells what failed.
    station.loadPanel(id, abort.signal).catch(() => {})
    return () => abort.abort()
  }, [station, id, live])
  if (!panel) return null
  return (
    <section className="section">
      <h3>{words.alarm.panel} <a href={href({ page: 'panels', id })}>{panel.name}</a></h3>
      <PanelSummary panel={panel} objects={parts?.objects} />
    </section>
  )
}
