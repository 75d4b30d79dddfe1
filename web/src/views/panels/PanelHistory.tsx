// What a panel said and what it was told to do, page by page.
import { useCallback, useMemo, useSyncExternalStore } from 'react'
import { panelCommands } from '../../api/panels'
import { findEvents } from '../../api/records'
import type { AlarmEvent, Command } from '../../api/types'
import { useWords } from '../../i18n'
import { clockTime, full, since, short } from '../../i18n/format'
import { isFinished, newestFirst } from '../../live/panels'
import { href } from '../../route'
import { useHere, useNow } from '../../ui/hooks'
import { Failure } from '../../ui/parts'
import { obstacleText, orderTargets, orderText } from '../orderText'
import { EventEntry } from '../Timeline'
import { type Paged, usePaged } from './paged'

export function PanelHistory({ id }: { id: number }) {
  const { station } = useHere()
  const words = useWords()
  const now = useNow()
  const paged = usePaged<AlarmEvent>(
    useCallback(
      async (cursor, signal) => {
        const page = await findEvents(station.client, { panel: id }, cursor, { signal, limit: 50 })
        return { rows: page.events, next: page.next_cursor }
      },
      [station, id],
    ),
  )
  // What came since moves nothing that is being read: it is counted.
  const came = useSyncExternalStore(station.panels.subscribe, () => station.panels.events(id))
  const newer = came.filter((event) => Date.parse(event.received_at) > paged.asOf && !paged.rows.some((row) => row.id === event.id)).length
  return (
    <section className="section" data-testid="panel-history">
      <AsOf paged={paged} now={now} newer={newer} />
      <ol className="timeline">
        {paged.rows.map((event) => <EventEntry key={event.id} event={event} now={now} />)}
        {paged.state === 'ready' && paged.rows.length === 0 && <li className="faint">{words.alarm.noEvents}</li>}
      </ol>
      <More paged={paged} />
      <p><a href={href({ page: 'events', query: { panel: String(id) } })}>{words.areas.panels.allEvents}</a></p>
    </section>
  )
}

export function PanelCommands({ id, known }: { id: number; known: readonly Command[] }) {
  const { station } = useHere()
  const words = useWords()
  const now = useNow()
  const paged = usePaged<Command>(
    useCallback(
      async (cursor, signal) => {
        const page = await panelCommands(station.client, id, cursor, { signal })
        return { rows: page.commands, next: page.next_cursor }
      },
      [station, id],
    ),
  )
  // What the stream brought is at least as new as the page: it only goes forward.
  const commands = useMemo(() => {
    const byId = new Map(paged.rows.map((command) => [command.id, command]))
    for (const command of known) if (isFinished(command) || !byId.has(command.id)) byId.set(command.id, command)
    return newestFirst([...byId.values()])
  }, [paged.rows, known])
  return (
    <section className="section">
      <AsOf paged={paged} now={now} />
      <ol className="orders" data-testid="orders">
        {commands.map((command) => <OrderRow key={command.id} command={command} now={now} />)}
        {paged.state === 'ready' && commands.length === 0 && <li className="faint">{words.panels.noOrders}</li>}
      </ol>
      <More paged={paged} />
    </section>
  )
}

/** When the rows were read, and a way to read them again. */
export function AsOf({ paged, now, newer = 0 }: { paged: Paged<{ id: string }>; now: number; newer?: number }) {
  const words = useWords()
  const area = words.areas.panels
  return (
    <p className="as-of">
      <span className="faint num" role="status">
        {paged.asOf === 0 ? (paged.state === 'loading' ? area.reading : '') : area.asOf(clockTime(paged.asOf), since(words, now - paged.asOf))}
      </span>
      {newer > 0 && <b>{area.newer(newer)}</b>}
      <button type="button" className="button small" disabled={paged.state === 'loading'} onClick={paged.reload}>{area.refresh}</button>
    </p>
  )
}

/** The rows that follow, or why they did not come. */
export function More({ paged }: { paged: Paged<{ id: string }> }) {
  const words = useWords()
  if (paged.state === 'failed') return <Failure text={words.areas.panels.historyFailed} retry={paged.rows.length > 0 && paged.more ? paged.loadMore : paged.reload} />
  if (!paged.more) return null
  return <button type="button" className="button" disabled={paged.state === 'loading'} onClick={paged.loadMore}>{words.history.more}</button>
}

function OrderRow({ command, now }: { command: Command; now: number }) {
  const words = useWords()
  return (
    <li className={isFinished(command) ? 'order' : 'order open'} data-command={command.id} data-state={command.state}>
      <time className="num faint" dateTime={command.requested_at} title={full(command.requested_at)}>{short(command.requested_at, now)}</time>
      <div>
        <p><b>{words.order.titles[command.kind]}</b> {orderTargets(words, command)}</p>
        <p>{[orderText(words, command), obstacleText(words, command)].filter(Boolean).join('. ')}</p>
        <p className="faint">{words.order.by(command.requested_by.name)}{command.finished_at && ` · ${words.areas.panels.finished(clockTime(new Date(command.finished_at)))}`}</p>
      </div>
    </li>
  )
}
