// One panel: its partitions and zones by name, orders to it, and what it said lately.
import { useEffect, useState, useSyncExternalStore } from 'react'
import { ApiError } from '../api/client'
import type { Command, CommandKind, Panel, PanelObject } from '../api/types'
import { useWords } from '../i18n'
import { short } from '../i18n/format'
import { partitionLook, zoneLook } from '../live/panelview'
import { isFinished } from '../live/panels'
import { href } from '../route'
import { useHere, useLive, useNow } from '../ui/hooks'
import { Mutating } from '../ui/Mutating'
import { Failure } from '../ui/parts'
import { OrderSheet } from './OrderSheet'
import { orderText } from './orderText'
import { PanelSummary, usePanelLook } from './PanelSummary'
import { EventEntry } from './Timeline'

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
      <section className="pane nothing">
        {state === 'missing' ? <b>{words.panels.notFound}</b>
          : state === 'failed' ? <Failure text={words.panels.failed} retry={() => setTries((n) => n + 1)} />
          : <b>{words.panels.loading}</b>}
      </section>
    )
  }
  return <OpenPanel panel={panel} objects={parts.objects} commands={parts.commands} />
}

function OpenPanel({ panel, objects, commands }: { panel: Panel; objects: readonly PanelObject[]; commands: readonly Command[] }) {
  const { station } = useHere()
  const words = useWords()
  const now = useNow()
  const live = useLive()
  const look = usePanelLook(panel, objects)
  const events = useSyncExternalStore(station.panels.subscribe, () => station.panels.events(panel.id))
  const [order, setOrder] = useState<CommandKind | undefined>()
  const partitions = objects.filter((object) => object.kind === 'partition')
  const zones = objects.filter((object) => object.kind === 'zone')
  const state = panel.state
  const old = look.fresh ? '' : ' old'

  return (
    <section className="pane panel-view" aria-label={panel.site.name} data-testid="panel" data-fresh={look.fresh}>
      <header className="panel-head">
        <div>
          <a className="back-link shown" href={href({ page: 'panels' })}>← {words.panels.back}</a>
          <h1>{panel.site.name}</h1>
          <p>{[panel.site.address, panel.site.city].filter(Boolean).join(', ')} · {panel.name}{state?.model ? ` · ${state.model} ${state.version ?? ''}` : ''}</p>
        </div>
        <div className="panel-orders">
          <Mutating>
            {(['arm', 'disarm', 'clear_alarm'] as const).map((kind) => (
              <button key={kind} type="button" className="button" onClick={() => setOrder(kind)} data-order={kind}>{words.order[kind]}</button>
            ))}
          </Mutating>
          {!live && <span className="reason">{words.link.dead}</span>}
        </div>
      </header>
      <div className="panel-body">
        <div className="panel-main">
          <PanelSummary panel={panel} objects={objects} />
          <section className="section">
            <h3>{words.panels.partitions}</h3>
            <ul className={`parts${old}`}>
              {partitions.map((partition) => {
                const view = state ? partitionLook(state, partition.number) : undefined
                return (
                  <li key={partition.number} className={`part ${view ?? 'unknown'}`} data-partition={partition.number} data-look={view}>
                    <i className={`state ${glyphs[view ?? ''] ?? 'unknown'}`} aria-hidden="true" />
                    <span className="faint num">{words.alarm.partition(partition.number)}</span>
                    <b className="cut">{partition.name}</b>
                    <span>{view ? words.panels[view] : words.panels.unknown}</span>
                  </li>
                )
              })}
            </ul>
          </section>
          <section className="section">
            <h3>{words.panels.zones}</h3>
            <ul className={`parts zones${old}`}>
              {zones.map((zone) => {
                const view = state ? zoneLook(state, zone.number) : undefined
                return (
                  <li key={zone.number} className={`part zone ${view ?? 'unknown'}`} data-zone={zone.number} data-look={view}>
                    <span className="faint num">{words.alarm.zone(zone.number)}</span>
                    <span className="cut">{zone.name}</span>
                    <span className="zone-word">{view ? words.panels[view] : words.panels.unknown}</span>
                  </li>
                )
              })}
            </ul>
            {objects.length === 0 && <p className="faint">{words.panels.noObjects}</p>}
          </section>
        </div>
        <aside className="panel-side">
          <section className="section">
            <h3>{words.panels.orders}</h3>
            <ol className="orders" data-testid="orders">
              {commands.map((command) => <OrderRow key={command.id} command={command} now={now} />)}
              {commands.length === 0 && <li className="faint">{words.panels.noOrders}</li>}
            </ol>
          </section>
          {events.length > 0 && (
            <section className="section">
              <h3>{words.panels.recent}</h3>
              <ol className="timeline">{events.map((event) => <EventEntry key={event.id} event={event} now={now} />)}</ol>
            </section>
          )}
        </aside>
      </div>
      {order && <OrderSheet panel={panel} partitions={partitions} kind={order} onClose={() => setOrder(undefined)} />}
    </section>
  )
}

const glyphs: Record<string, string> = {
  fire: 'alarm', alarm: 'alarm', entry: 'entry', exit: 'exit', armed: 'armed', memory: 'memory', disarmed: 'disarmed',
}

function OrderRow({ command, now }: { command: Command; now: number }) {
  const words = useWords()
  return (
    <li className={isFinished(command) ? 'order' : 'order open'} data-command={command.id} data-state={command.state}>
      <time className="num faint">{short(command.requested_at, now)}</time>
      <div>
        <p><b>{words.order.titles[command.kind]}</b> {command.partitions.map((number) => words.alarm.partition(number)).join(', ')}</p>
        <p className="faint">{orderText(words, command)} · {words.order.by(command.requested_by.name)}</p>
      </div>
    </li>
  )
}
