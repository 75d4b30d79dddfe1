// How the station itself is, along the way that an alarm takes. Asked every two seconds;
// what is older than five is hatched.
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { queries } from '../../api/queries'
import { getStatus, type Health, type StationPart, type Status } from '../../api/records'
import { useWords, wordFor } from '../../i18n'
import { clockTime, full, milliseconds, since, tenths } from '../../i18n/format'
import { href, pagesFor } from '../../route'
import { useHere, useMe, useNow, useValue } from '../../ui/hooks'
import { Page, PageHead } from '../../ui/page'
import { Failure } from '../../ui/parts'
import { Table } from '../../ui/Table'

const askEvery = 2_000
const staleAfter = 5_000

export function StatusPage() {
  const { station } = useHere()
  const words = useWords()
  const w = words.areas.records.status
  useNow()
  const found = useQuery({ queryKey: ['status'], queryFn: ({ signal }) => getStatus(station.client, { signal, timeout: 2_000 }), refetchInterval: askEvery }, queries)
  const stale = found.dataUpdatedAt > 0 && Date.now() - found.dataUpdatedAt > staleAfter
  return (
    <Page label={w.title}>
      <PageHead title={w.title} note={found.dataUpdatedAt > 0 && <>{w.asOf(clockTime(found.dataUpdatedAt))} {stale && <span className="tag dashed">{w.stale}</span>}</>} />
      <div className={stale ? 'status stale' : 'status'} tabIndex={0} role="region" aria-label={w.title}>
        {found.isError && <Failure text={w.failed} retry={() => void found.refetch()} />}
        {found.data && <Flow status={found.data} />}
        {found.data && <Processes status={found.data} />}
        {found.data && <Rest status={found.data} />}
      </div>
    </Page>
  )
}

type State = Health | 'unknown'

function Flow({ status }: { status: Status }) {
  const { station } = useHere()
  const words = useWords()
  const w = words.areas.records.status
  const link = useValue(station.stream.status)
  const { panels, workers, ingest, database, relay, stream } = status
  const ago = (ms: number) => (ms < 10_000 ? tenths(words, ms) : since(words, ms))
  const heard = Date.now() - station.stream.heardAt
  return (
    <section className="status-part">
      <h2>{w.flow}</h2>
      <ol className="flow">
        <Part name={w.panels} state={!panels ? 'unknown' : panels.unheld > 0 ? 'late' : 'ok'}>
          {panels && <><b>{w.panelsLine(panels.up, panels.total)}</b><span>{w.panelsRest(panels.down, panels.unheld, panels.disabled)}</span></>}
        </Part>
        <Part name={w.workers} state={!workers ? 'unknown' : workers.length === 0 ? 'down' : 'ok'}>
          {workers && <b>{w.workersLine(workers.length)}</b>}
          {workers?.slice(0, 6).map((worker) => <span key={worker.instance}>{w.worker(worker.instance, worker.panels)}</span>)}
        </Part>
        <Part name={w.ingest} state={ingest?.state ?? 'unknown'}>
          {ingest && <><b>{w.ingestLine(ingest.live_depth, ingest.backfill_depth)}</b><span>{w.oldest(ago(ingest.oldest_ms))}</span></>}
        </Part>
        <Part name={w.database} state={database?.state ?? 'unknown'}>
          {database && <><b>{w.databaseLine(milliseconds(words, database.latency_ms))}</b>{database.timeline && <span>{w.timeline(String(database.timeline))}</span>}</>}
        </Part>
        <Part name={w.relay} state={relay?.state ?? 'unknown'}>
          {relay && <><b>{w.relayLine(relay.waiting)}</b><span>{w.oldest(ago(relay.oldest_ms))}</span></>}
        </Part>
        <Part name={w.stream} state={!stream ? 'unknown' : stream.lag_ms > 2_000 ? 'late' : 'ok'}>
          {stream && <><b>{w.streamLine(stream.clients)}</b><span>{w.position(stream.epoch, stream.last)}</span><span>{w.lag(ago(stream.lag_ms))}</span></>}
        </Part>
        <Part name={w.window} state={link.phase === 'live' ? 'ok' : 'down'}>
          <b>{words.link[link.phase === 'live' ? 'live' : 'lost']}</b>
          {station.stream.heardAt > 0 && <span>{w.windowLine(ago(heard))}</span>}
        </Part>
      </ol>
    </section>
  )
}

function Part({ name, state, children }: { name: string; state: State; children: ReactNode }) {
  const words = useWords()
  return (
    <li className={`flow-part ${state}`} data-part-state={state}>
      <h3>{name}</h3>
      <span className="flow-state"><i className="shape" aria-hidden="true" />{words.areas.records.status.states[state]}</span>
      {children}
    </li>
  )
}

// Each process tells its own view of what the station could do without: two may differ,
// and that is worth seeing.
function Processes({ status }: { status: Status }) {
  const words = useWords()
  const w = words.areas.records.status
  const { processes } = status
  return (
    <section className="status-part">
      <h2>{w.processes}</h2>
      {!processes?.length ? <p className="faint">{processes ? w.noProcesses : w.states.unknown}</p> : (
        <Table label={w.processes} rows={processes} rowKey={(p) => p.instance} columns={[
          { key: 'name', head: w.process, cell: (p) => p.name },
          { key: 'roles', head: w.roles, cell: (p) => p.roles?.join(', ') },
          { key: 'host', head: w.host, only: 'wide', cell: (p) => <>{p.host} <span className="faint num">{p.pid}</span></> },
          { key: 'heard', head: w.heard, cell: (p) => (p.alive ? w.alive : <b>{w.silent(since(words, Date.parse(status.time) - Date.parse(p.seen_at)))}</b>) },
          { key: 'rabbitmq', head: w.partNames.rabbitmq, cell: (p) => <PartView part={p.parts?.find((part) => part.name === 'rabbitmq')} /> },
          { key: 'redis', head: w.partNames.redis, cell: (p) => <PartView part={p.parts?.find((part) => part.name === 'redis')} /> },
        ]} />
      )}
    </section>
  )
}

function PartView({ part }: { part: StationPart | undefined }) {
  const words = useWords()
  const w = words.areas.records.status
  if (!part) return <span className="faint">{w.withoutParts}</span>
  const ok = part.state === 'ok'
  return (
    <span className={`part-view ${part.state}`}>
      <i className="shape" aria-hidden="true" />
      {ok ? w.partStates.ok : <b>{w.partStates[part.state]}</b>}
      {ok && part.latency_ms > 0 && <span className="faint num">{milliseconds(words, part.latency_ms)}</span>}
      {!ok && <span className="num">{w.since(clockTime(Date.parse(part.since)))}</span>}
      {part.opened > 0 && <span className="faint num">{w.opened(part.opened)}</span>}
      {part.reason && <span className="reason" title={part.detail}>{wordFor(w.reasons, part.reason)}</span>}
    </span>
  )
}

function Queues({ status }: { status: Status }) {
  const words = useWords()
  const w = words.areas.records.status
  const count = (n: number | null) => (n === null ? '?' : String(n))
  return (
    <section className="status-part">
      <h2>{w.queues}</h2>
      <dl className="facts">
        {status.queues?.map((queue) => [
          <dt key={queue.bus}>{w.partNames[queue.bus]}</dt>,
          <dd key={queue.bus + ' depth'}>{queue.live === null && queue.backfill === null ? w.states.unknown : w.queue(count(queue.live), count(queue.backfill))}</dd>,
        ])}
        <dt>{w.leases}</dt>
        <dd>
          {status.leases ? <>{w.partNames[status.leases.store]} <span className="faint num">{w.movedAt(full(status.leases.moved_at))}</span> {!status.leases.grants && <b>{w.leasesWait}</b>}</> : w.states.unknown}
        </dd>
      </dl>
    </section>
  )
}

function Rest({ status }: { status: Status }) {
  const words = useWords()
  const w = words.areas.records.status
  const faults = status.faults ?? []
  return (
    <div className="status-rest">
      <section className="status-part">
        <h2>{w.faults}</h2>
        {faults.length === 0 ? <p className="faint">{w.noFaults}</p> : (
          <ul className="plain">
            {faults.map((fault) => <li key={fault.code + fault.since} className="line"><b>{wordFor(words.areas.attention.station.faults, fault.code)}</b> <span className="faint num">{w.since(full(fault.since))}</span></li>)}
          </ul>
        )}
      </section>
      <section className="status-part">
        <h2>{w.desks}</h2>
        {!status.desks?.length ? <p className="faint">{status.desks ? w.noDesks : w.states.unknown}</p> : (
          <ul className="plain">
            {status.desks.map((desk) => (
              <li key={desk.id} className="line">
                <span className="who">{desk.user.name}</span> <span className={desk.can_sound ? 'faint' : 'strong'}>{desk.can_sound ? w.hears : w.mute}</span>
                {!desk.visible && <span className="faint">{w.hidden}</span>}
              </li>
            ))}
          </ul>
        )}
      </section>
      <Queues status={status} />
      <section className="status-part">
        <h2>{w.versions}</h2>
        <dl className="facts">
          <dt>{w.server}</dt><dd>{status.version}</dd>
          <dt>{w.instance}</dt><dd>{status.instance}</dd>
          <dt>{w.started}</dt><dd>{full(status.started_at)}</dd>
          <dt>{w.dead}</dt><dd><DeadLetters count={status.dead_letters} /></dd>
        </dl>
      </section>
    </div>
  )
}

/** How many wait; an administrator is led to them. */
function DeadLetters({ count }: { count: number | null }) {
  const w = useWords().areas.records.status
  const me = useMe()
  if (count === null) return w.states.unknown
  return pagesFor(me).includes('letters') && count > 0 ? <a href={href({ page: 'letters' })}>{count}</a> : count
}
