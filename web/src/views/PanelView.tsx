// One panel: how it is now, part by part, what it said and what it was told to do.
import { useEffect, useState, useRef, useSyncExternalStore } from 'react'
import { ApiError } from '../api/client'
import type { PanelInfo } from '../api/panels'
import type { CommandKind } from '../api/types'
import { useWords } from '../i18n'
import { href } from '../route'
import type { PanelParts } from '../live/panels'
import { clockLook } from '../live/panelview'
import { useHere, useLive, useMe, useNow, useQueue } from '../ui/hooks'
import { Mutating } from '../ui/Mutating'
import { Age, Badge, Failure } from '../ui/parts'
import { Tabs } from '../ui/Tabs'
import { OrderSheet } from './OrderSheet'
import { PanelChanges } from './panels/PanelChanges'
import { PanelCommands, PanelHistory } from './panels/PanelHistory'
import { PanelNow } from './panels/PanelNow'
import { answeredText, linkSentence, triesText, usePanelLook } from './PanelSummary'

export function PanelView({ id }: { id: number }) {
  const { station } = useHere()
  const words = useWords()
  const live = useLive()
  const panel = useSyncExternalStore(station.panels.subscribe, () => station.panels.get(id))
  const parts = useSyncExternalStore(station.panels.subscribe, () => station.panels.parts(id))
  const [state, setState] = useState<'loading' | 'ready' | 'failed' | 'missing'>('loading')
  const [tries, setTries] = useState(0)
  useEffect(() => station.watchPanels([id]), [station, id])
  useEffect(() => {
    if (!live && station.panels.parts(id)) return
    const abort = new AbortController()
    station.loadPanel(id, abort.signal).then(
      () => setState('ready'),
      (error: unknown) => {
        if (!abort.signal.aborted) setState(error instanceof ApiError && error.status === 404 ? 'missing' : 'failed')
      },
    )
    return () => abort.abort()
  }, [station, id, live, tries])

  if (!panel || !parts) {
    return (
      <section className="pane nothing panel-view">
        {state === 'missing' ? <b>{words.panels.notFound}</b>
          : state === 'failed' ? <Failure text={words.panels.failed} retry={() => setTries((n) => n + 1)} />
          : <b>{words.panels.loading}</b>}
        <a className="back-link" href={href({ page: 'panels' })}>← {words.panels.back}</a>
      </section>
    )
  }
  return <OpenPanel panel={panel} parts={parts} />
}

export interface OrderWish {
  kind: CommandKind
  /** Numbers of what the kind is for. */
  chosen: readonly number[]
  mode?: number
}

const orderKinds = ['arm', 'disarm', 'clear_alarm'] as const

function OpenPanel({ panel, parts }: { panel: PanelInfo; parts: PanelParts }) {
  const words = useWords()
  const area = words.areas.panels
  const live = useLive()
  const now = useNow()
  const me = useMe()
  const look = usePanelLook(panel, parts.objects)
  const [wish, setWish] = useState<OrderWish | undefined>()
  const [tab, setTab] = useState<'now' | 'history' | 'orders' | 'changes'>('now')
  const title = useRef<HTMLHeadingElement>(null)
  const state = panel.state
  const linked = panel.enabled && state?.link === 'up'

  // Where the panel covers the grid, the focus goes along with it.
  useEffect(() => {
    const grid = document.querySelector<HTMLElement>('.panel-grid')
    if (!grid?.checkVisibility?.()) title.current?.focus({ preventScroll: true })
  }, [])

  const off = clockLook(state)
  const clock = off && area.clock(off.ahead ? '+' : '−', off.text)
  const tries = triesText(words, panel, live)
  return (
    <section className="pane panel-view" aria-label={panel.site.name} data-testid="panel" data-fresh={look.fresh}>
      <header className="panel-head">
        <div className="panel-title">
          <h1 ref={title} tabIndex={-1}><i className={`state ${look.glyph}`} aria-hidden="true" /> {panel.site.name}</h1>
          <a className="button quiet" href={href({ page: 'panels' })} aria-label={words.panels.back}>✕</a>
        </div>
        <p>{[panel.site.address, panel.site.city].filter(Boolean).join(', ')} · {panel.name}</p>
        <p className={look.fresh ? 'panel-link' : 'panel-link old'} data-testid="panel-link">
          <b>{linkSentence(words, panel, live)}</b> <span className="num">{answeredText(words, look, now)}</span>
        </p>
        {tries && <p className={state?.trying?.quarantine ? 'panel-tries strong' : 'panel-tries faint'} data-testid="panel-tries">{tries}</p>}
        {off?.grave && <p className="trouble strong" role="status" data-testid="clock-wrong">{off.hour ? area.clockHour(clock ?? '') : area.clockWrong(clock ?? '')}</p>}
        <p className="faint" data-testid="panel-facts">{parts.encrypted && <span className="tag">{area.encrypted}</span>} {[state?.model && `${state.model} ${state.version ?? ''}`.trim(), !off?.grave && clock, state?.link === 'up' && state.news && area.news[state.news], state?.service_mode && words.panels.service].filter(Boolean).join(' · ')}</p>
        <div className="panel-orders">
          <Mutating>
            {orderKinds.map((kind) => (
              <button key={kind} type="button" className="button" disabled={!linked} onClick={() => setWish({ kind, chosen: [] })} data-order={kind}>{words.order[kind]}</button>
            ))}
            {clock && me.orders.includes('set_clock') && <button type="button" className="button" disabled={!linked} onClick={() => setWish({ kind: 'set_clock', chosen: [] })} data-order="set_clock">{words.order.set_clock}</button>}
          </Mutating>
          {(!live || !linked) && <span className="reason">{live ? area.noOrdersNow : words.link.dead}</span>}
        </div>
      </header>
      <OpenAlarms site={panel.site.id} />
      <Tabs
        label={area.parts} value={tab} onChoose={setTab}
        tabs={[{ value: 'now', label: area.now }, { value: 'history', label: area.history }, { value: 'orders', label: words.panels.orders }, { value: 'changes', label: area.changes.title }]}
      >
        {tab === 'now' && <PanelNow panel={panel} objects={parts.objects} look={look} onOrder={setWish} orderable={linked} />}
        {tab === 'history' && <PanelHistory id={panel.id} />}
        {tab === 'changes' && <PanelChanges id={panel.id} />}
        {tab === 'orders' && <PanelCommands id={panel.id} known={parts.commands} />}
      </Tabs>
      {wish && <OrderSheet panel={panel} objects={parts.objects} kind={wish.kind} chosen={wish.chosen} mode={wish.mode} key={`${wish.kind} ${wish.chosen.join()}`} onClose={() => setWish(undefined)} onOrder={setWish} />}
    </section>
  )
}

/** The open alarms of the panel's site, the most urgent first. */
function OpenAlarms({ site }: { site: number }) {
  const words = useWords()
  const alarms = useQueue().filter((alarm) => alarm.site.id === site)
  if (alarms.length === 0) return null
  return (
    <ul className="panel-alarms" aria-label={words.areas.panels.openAlarms}>
      {alarms.map((alarm) => (
        <li key={alarm.id}>
          <Badge priority={alarm.priority} waiting={alarm.state === 'new'} />
          <Age since={alarm.opened_at} />
          <a href={href({ page: 'alarms', id: alarm.id })}>{words.areas.panels.alarm(alarm.id)}</a>
          <span className="cut">{words.code === 'pl' ? alarm.text_pl : alarm.text_en}</span>
          <span className="faint">{alarm.owner?.name ?? words.states[alarm.state]}</span>
        </li>
      ))}
    </ul>
  )
}
