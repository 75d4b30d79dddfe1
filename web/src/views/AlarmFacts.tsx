// Beside the alarm: the site card and what its panel does right now.
import { type ReactNode, useEffect, useSyncExternalStore } from 'react'
import type { Alarm, Site } from '../api/types'
import { useWords, wordFor } from '../i18n'
import { full } from '../i18n/format'
import { href } from '../route'
import { useHere, useLive } from '../ui/hooks'
import { PanelSummary } from './PanelSummary'

export function AlarmFacts({ alarm, site }: { alarm: Alarm; site: Site | undefined }) {
  const words = useWords()
  return (
    <aside className="detail-side">
      <section className="section">
        <h3>{words.alarm.siteTitle}</h3>
        <dl className="facts">
          <Fact name={words.alarm.address}>{[alarm.site.address, alarm.site.city].filter(Boolean).join(', ')}</Fact>
          {site && (
            <>
              <Fact name={words.alarm.mode} strong={site.mode !== 'normal'}>{wordFor(words.modes, site.mode)}</Fact>
              <Fact name={words.alarm.risk} strong={site.risk === 'high'}>{wordFor(words.risks, site.risk)}</Fact>
              <Fact name={words.alarm.district}>{site.district}</Fact>
              <Fact name={words.alarm.provider}>{site.provider}</Fact>
              <Fact name={words.alarm.siteNotes} strong>{site.notes}</Fact>
            </>
          )}
        </dl>
      </section>
      {alarm.panel_id && <AlarmPanel id={alarm.panel_id} />}
      <section className="section">
        <dl className="facts">
          <Fact name={words.alarm.opened}>{full(alarm.opened_at)}</Fact>
          <Fact name={words.alarm.first}>{full(alarm.first_at)}</Fact>
          <Fact name={words.alarm.last}>{full(alarm.last_at)}</Fact>
          <Fact name={words.alarm.outcome}>{alarm.outcome && `${wordFor(words.outcomes, alarm.outcome)}: ${alarm.outcome_text ?? ''}`}</Fact>
        </dl>
      </section>
    </aside>
  )
}

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
