// One alarm: what it is, the next right step, what happened, where it is.
import { useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { ApiError } from '../api/client'
import type { Alarm } from '../api/types'
import { useWords, wordFor } from '../i18n'
import { short } from '../i18n/format'
import { Reload } from '../live/reload'
import { isMine } from '../live/rules'
import { href, type Page } from '../route'
import { useHere, useLive, useMe, useNow, useStepState, useValue } from '../ui/hooks'
import { Age, Badge, Failure, Owner } from '../ui/parts'
import { ActionBar, NextStep, StepNotice } from './AlarmSteps'
import { AlarmFacts } from './AlarmFacts'
import { NoteForm, ResolveForm } from './forms'
import { Timeline } from './Timeline'

type Loading = 'loading' | 'ready' | 'failed' | 'missing'

export function AlarmView({ id, page }: { id: number | undefined; page: Page }) {
  const words = useWords()
  if (id === undefined) {
    return (
      <section className="pane detail-pane nothing">
        <b>{page === 'alarms' ? words.alarm.pick : words.history.pick}</b>
        {page === 'alarms' && <p>{words.alarm.pickHint}</p>}
      </section>
    )
  }
  return <OpenAlarm id={id} page={page} />
}

function OpenAlarm({ id, page }: { id: number; page: Page }) {
  const { station, desk } = useHere()
  const words = useWords()
  const form = useValue(desk.form)
  const pending = useStepState(id)?.kind === 'pending'
  const queued = useSyncExternalStore((listener) => station.alarms.subscribeRow(id, listener), () => station.alarms.get(id))
  const detail = useSyncExternalStore(station.details.subscribe, () => station.details.get(id))
  const { state, retry } = useLoaded(id, Math.max(queued?.version ?? 0, detail?.alarm.version ?? 0))

  const alarm = newest(queued, detail?.alarm)
  if (!alarm) {
    return (
      <section className="pane detail-pane nothing">
        {state === 'missing' ? <b>{words.alarm.notFound}</b>
          : state === 'failed' ? <Failure text={words.alarm.loadFailed} retry={retry} />
          : <b>{words.alarm.loading}</b>}
      </section>
    )
  }
  return (
    <section className={`pane detail-pane p${alarm.priority}`} aria-label={words.alarm.number(id)} data-testid="alarm" data-state={alarm.state} data-version={alarm.version} data-pending={pending || undefined}>
      <AlarmHead alarm={alarm} page={page} provisional={station.alarms.isProvisional(id)} />
      <div className="detail-body">
        <div className="detail-main">
          <NextStep alarm={alarm} />
          <StepNotice alarm={alarm} />
          {form === 'resolve' && <ResolveForm alarm={alarm} />}
          {form === 'note' && <NoteForm alarm={alarm} />}
          {detail && <Timeline detail={detail} />}
          {!detail && state === 'failed' && <Failure text={words.alarm.loadFailed} retry={retry} />}
          {!detail && state !== 'failed' && <p className="faint pad">{words.alarm.loading}</p>}
        </div>
        <AlarmFacts alarm={alarm} site={detail?.site} />
      </div>
      <ActionBar alarm={alarm} />
    </section>
  )
}

function newest(a: Alarm | undefined, b: Alarm | undefined): Alarm | undefined {
  if (!a || !b) return a ?? b
  return a.version >= b.version ? a : b
}

/** Loads the details, and again whenever the alarm moved on or the connection came back. */
function useLoaded(id: number, version: number): { state: Loading; retry: () => void } {
  const { station } = useHere()
  const live = useLive()
  const [state, setState] = useState<Loading>('loading')
  const reload = useRef<Reload>(undefined)
  const loaded = useRef(0)
  const wasLive = useRef(live)
  useEffect(() => {
    const loading = new Reload(async (signal) => {
      try {
        loaded.current = await station.loadAlarm(id, signal)
        setState('ready')
      } catch (error) {
        if (!signal.aborted) setState(error instanceof ApiError && error.status === 404 ? 'missing' : 'failed')
      }
    })
    reload.current = loading
    return () => loading.end()
  }, [station, id])
  useEffect(() => {
    const cameBack = live && !wasLive.current
    wasLive.current = live
    if (!live && station.details.get(id)) return
    if (cameBack || loaded.current === 0 || version > loaded.current) reload.current?.ask()
  }, [station, id, version, live])
  return { state, retry: () => reload.current?.ask() }
}

const life = ['new', 'claimed', 'acknowledged', 'resolved', 'closed'] as const

function AlarmHead({ alarm, page, provisional }: { alarm: Alarm; page: Page; provisional: boolean }) {
  const words = useWords()
  const me = useMe()
  const now = useNow()
  const at = life.indexOf(alarm.state)
  const text = words.code === 'pl' ? alarm.text_pl : alarm.text_en
  const place = [alarm.zone_name || (alarm.zone ? words.alarm.zone(alarm.zone) : ''), alarm.partition_name].filter(Boolean)
  return (
    <header className="alarm-head">
      <div className="alarm-what">
        <a className="back-link" href={href({ page })}>← {words.alarm.back}</a>
        <h1>
          <Badge priority={alarm.priority} waiting={alarm.state === 'new'} large />
          <span className="kind">{wordFor(words.kinds, alarm.kind)}</span>
        </h1>
        {place.length > 0 && <p className="alarm-zone">{alarm.zone ? <span className="faint">{words.alarm.zone(alarm.zone)} </span> : null}{place.join(' · ')}</p>}
        {text && <p>{text}</p>}
        <p className="alarm-site">
          <b>{alarm.site.name}</b>
          {[alarm.site.address, alarm.site.city].filter(Boolean).map((part) => `, ${part}`).join('')}
        </p>
        <p className="alarm-marks">
          {alarm.confirmed_at && <span className="tag strong">{words.alarm.confirmedAt(short(alarm.confirmed_at, now))}</span>}
          {alarm.restored_at && <span className="tag">{words.alarm.restoredAt(short(alarm.restored_at, now))}</span>}
          {alarm.historic && <span className="tag">{words.alarm.historic}</span>}
          {provisional && <span className="tag dashed">{words.alarm.provisional}</span>}
          {alarm.previous_id && <a className="tag" href={href({ page: 'alarms', id: alarm.previous_id })}>{words.alarm.previous(alarm.previous_id)}</a>}
        </p>
      </div>
      <div className="alarm-clock">
        {alarm.closed_at ? null : <Age since={alarm.opened_at} className="run" />}
        <ol className="life">
          {life.map((state, i) => (
            <li key={state} className={i === at ? 'on' : i < at ? 'past' : ''} aria-current={i === at ? 'step' : undefined}>{words.states[state]}</li>
          ))}
        </ol>
        <p className="alarm-owner">
          <span className="faint">{words.alarm.number(alarm.id)} · {words.alarm.events(alarm.event_count)}</span>
          {alarm.owner && <Owner name={alarm.owner.name} me={isMine(alarm, me)} />}
          {alarm.claimed_at && alarm.state !== 'new' && <span className="faint">{words.alarm.ownerSince(short(alarm.claimed_at, now))}</span>}
        </p>
      </div>
    </header>
  )
}
