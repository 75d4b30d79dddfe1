// One alarm: what it is, the next right step, what happened, where it is.
import { useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { ApiError } from '../api/client'
import type { Alarm } from '../api/types'
import { useWords } from '../i18n'
import { Reload } from '../live/reload'
import { useHere, useLive, useStepState, useValue } from '../ui/hooks'
import { Failure } from '../ui/parts'
import { AlarmHead } from './alarm/Head'
import { Contacts } from './alarm/Contacts'
import { AlarmFacts } from './AlarmFacts'
import { ActionBar, NextStep, StepNotice } from './AlarmSteps'
import { NoteForm, PauseForm, ResolveForm } from './forms'
import { Timeline } from './Timeline'

type Loading = 'loading' | 'ready' | 'failed' | 'missing'

export function AlarmView({ id }: { id: number | undefined }) {
  const words = useWords()
  if (id === undefined) {
    return (
      <section className="pane detail-pane nothing">
        <b>{words.alarm.pick}</b>
        <p>{words.alarm.pickHint}</p>
      </section>
    )
  }
  return <OpenAlarm id={id} />
}

function OpenAlarm({ id }: { id: number }) {
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
    <section className={`pane detail-pane p${alarm.priority}`} aria-label={words.alarm.number(id)} data-testid="alarm" data-id={id} data-state={alarm.state} data-version={alarm.version} data-pending={pending || undefined}>
      <AlarmHead alarm={alarm} detail={detail} />
      <div className="detail-body">
        <div className="detail-main">
          <NextStep alarm={alarm} />
          <StepNotice alarm={alarm} />
          {form === 'resolve' && <ResolveForm alarm={alarm} />}
          {form === 'note' && <NoteForm alarm={alarm} />}
          {form === 'pause' && <PauseForm alarm={alarm} />}
          {detail && <Contacts alarm={alarm} contacts={detail.contacts} />}
          {!detail && state === 'failed' && <Failure text={words.alarm.loadFailed} retry={retry} />}
          {!detail && state !== 'failed' && <p className="faint pad">{words.alarm.loading}</p>}
        </div>
        <aside className="detail-side">
          <AlarmFacts alarm={alarm} detail={detail} />
          {detail && <Timeline detail={detail} />}
        </aside>
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
