// How the station itself is, along the way that an alarm takes. Asked every two seconds;
// what is older than five is hatched.
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { queries } from '../../api/queries'
import { getStatus, type Health, type Status } from '../../api/records'
import { useWords, wordFor } from '../../i18n'
import { clockTime, full, since, tenths } from '../../i18n/format'
import { useHere, useNow, useValue } from '../../ui/hooks'
import { Page, PageHead } from '../../ui/page'
import { Failure } from '../../ui/parts'

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
          {database && <><b>{w.databaseLine(`${Math.round(database.latency_ms * 10) / 10} ms`)}</b>{database.timeline && <span>{w.timeline(String(database.timeline))}</span>}</>}
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
      <section className="status-part">
        <h2>{w.versions}</h2>
        <dl className="facts">
          <dt>{w.server}</dt><dd>{status.version}</dd>
          <dt>{w.instance}</dt><dd>{status.instance}</dd>
          <dt>{w.started}</dt><dd>{full(status.started_at)}</dd>
          <dt>{w.dead}</dt><dd>{status.dead_letters ?? w.states.unknown}</dd>
        </dl>
      </section>
    </div>
  )
}
