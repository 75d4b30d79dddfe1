// One alarm in the queue. It listens to its own alarm only.
import { memo, useSyncExternalStore } from 'react'
import type { Alarm } from '../../api/types'
import { useWords, wordFor } from '../../i18n'
import { age, full, short, tenths } from '../../i18n/format'
import { claimLimit, isMine } from '../../live/rules'
import type { StepState } from '../../live/steps'
import { href } from '../../route'
import { useHere, useMe, useNow, useStepState } from '../../ui/hooks'
import { Badge, Key, Owner } from '../../ui/parts'
import { Place } from '../alarm/Place'
import { detailText, kindText } from '../alarm/text'
import type { Tab } from './items'

interface Props {
  id: number
  tab: Tab
  open: boolean
  cursor: boolean
  /** The one that Space would claim. */
  urgent: boolean
  /** Tab stops here: one row of the list only. */
  stop: boolean
}

export const Row = memo(function Row({ id, tab, open, cursor, urgent, stop }: Props) {
  const { station, desk } = useHere()
  const alarm = useSyncExternalStore((listener) => station.alarms.subscribeRow(id, listener), () => station.alarms.get(id))
  const rang = useSyncExternalStore((listener) => station.alarms.subscribeRow(id, listener), () => station.alarms.rang(id))
  const step = useStepState(id)
  const words = useWords()
  if (!alarm) return null
  const two = alarm.priority <= 2
  const waiting = alarm.state === 'new'
  const className = ['row', `p${alarm.priority}`, two && 'two', waiting && 'waiting', rang && 'rang', open && 'open', cursor && 'cursor'].filter(Boolean).join(' ')
  const detail = detailText(words, alarm)
  return (
    <a
      id={`row-${id}`} data-id={id} data-version={alarm.version} className={className} href={rowHref(id, tab)} aria-current={open ? 'true' : undefined}
      tabIndex={stop ? 0 : -1} onFocus={() => desk.cursor.set(id)} onClick={() => desk.drawer.set(false)} draggable={false}
    >
      <Badge priority={alarm.priority} waiting={waiting} />
      <RowAge alarm={alarm} />
      <span className="kind cut">{kindText(words, alarm.kind)}{alarm.confirmed_at && ` ${words.areas.desk.queue.confirmedKind}`}</span>
      <span className="place"><span className="site"><Place name={alarm.site.name} city={alarm.site.city} /></span>{!two && <span className="detail cut">{detail}</span>}</span>
      {two && <span className="detail cut">{detail}</span>}
      <span className="marks">
        {rang && <span className="tag strong">{words.areas.desk.queue[rang]}</span>}
        {alarm.historic && <span className="tag">{words.queue.historic}</span>}
        {station.alarms.isProvisional(id) && <span className="tag dashed">{words.queue.provisional}</span>}
        <RowState alarm={alarm} step={step} urgent={urgent} />
      </span>
      <span className="count num">{alarm.event_count > 1 ? `×${alarm.event_count}` : ''}</span>
    </a>
  )
})

export function rowHref(id: number, tab: Tab): string {
  return href({ page: 'alarms', id, ...(tab !== 'all' && { query: { tab } }) })
}

/** The age, and under it how much of the limit for a claim is gone. */
function RowAge({ alarm }: { alarm: Alarm }) {
  const words = useWords()
  const now = useNow()
  const ms = now - Date.parse(alarm.opened_at)
  const limit = alarm.state === 'new' && !alarm.historic ? claimLimit(alarm.priority) : undefined
  return (
    <span className="age-box">
      <time className="age" dateTime={alarm.opened_at}>{age(words, ms)}</time>
      {limit !== undefined && <LimitBar share={ms / limit} />}
    </span>
  )
}

/** Fills until the limit; then it is thick, and words beside it say by how much it is over. */
function LimitBar({ share }: { share: number }) {
  const full = share >= 1
  return (
    <svg className={full ? 'limit-bar over' : 'limit-bar'} viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
      <rect className="limit-ground" width="100" height="1" />
      <rect className="limit-gone" width={Math.min(100, Math.max(0, Math.round(share * 100)))} height="1" />
    </svg>
  )
}

function RowState({ alarm, step, urgent }: { alarm: Alarm; step: StepState | undefined; urgent: boolean }) {
  const words = useWords()
  const me = useMe()
  const { queue } = words.areas.desk
  if (step?.kind === 'pending') {
    return (
      <>
        <span className="row-state">{words.link.sending}</span>
        <span className="who pending">{words.queue.you}</span>
      </>
    )
  }
  // Who was first is said until the alarm moves on: then its own state says more.
  if (step?.kind === 'lost' && step.version >= alarm.version) {
    return (
      <>
        <span className="row-state lost-state">{step.earlierMs === undefined ? queue.lostSometime : queue.lost(tenths(words, step.earlierMs))}</span>
        <span className="who">{step.by?.name ?? words.results.somebody}</span>
      </>
    )
  }
  if (step?.kind === 'failed') return <span className="row-state">{words.queue.failed}</span>
  if (alarm.state === 'new') return <Waits alarm={alarm} urgent={urgent} />
  return (
    <>
      <Told alarm={alarm} />
      {alarm.owner && <Owner name={alarm.owner.name} me={isMine(alarm, me)} />}
    </>
  )
}

/** When it comes back, or how far it is. */
function Told({ alarm }: { alarm: Alarm }) {
  const words = useWords()
  const now = useNow()
  if (alarm.paused_until) return <span className="row-state num">{words.areas.desk.queue.paused(short(alarm.paused_until, now).slice(0, -3))}</span>
  return alarm.owner && alarm.state !== 'resolved' ? <span className="row-state unseen">{words.states[alarm.state]}</span> : <span className="row-state">{words.states[alarm.state]}</span>
}

function Waits({ alarm, urgent }: { alarm: Alarm; urgent: boolean }) {
  const words = useWords()
  const now = useNow()
  const limit = alarm.historic ? undefined : claimLimit(alarm.priority)
  const over = limit === undefined ? -1 : now - Date.parse(alarm.opened_at) - limit
  return (
    <>
      {over >= 0 && <span className="row-state num over-limit">{words.areas.desk.queue.overLimit(age(words, over))}</span>}
      {urgent && <Key>{words.keys.space}</Key>}
      <span className={urgent ? 'row-state waits keyed' : 'row-state waits'}>{words.queue.waits}</span>
    </>
  )
}

/** A closed alarm: what it was, how it ended. */
export const ClosedRow = memo(function ClosedRow({ alarm, open, cursor, stop }: { alarm: Alarm; open: boolean; cursor: boolean; stop: boolean }) {
  const words = useWords()
  const { desk } = useHere()
  const className = ['row two past', open && 'open', cursor && 'cursor'].filter(Boolean).join(' ')
  return (
    <a
      id={`row-${alarm.id}`} data-id={alarm.id} className={className} href={rowHref(alarm.id, 'closed')} aria-current={open ? 'true' : undefined}
      tabIndex={stop ? 0 : -1} onFocus={() => desk.cursor.set(alarm.id)} draggable={false}
    >
      <Badge priority={alarm.priority} />
      <span className="kind cut">{kindText(words, alarm.kind)}</span>
      <span className="place"><span className="site"><Place name={alarm.site.name} city={alarm.site.city} /></span></span>
      <span className="detail cut">
        {[alarm.closed_at && words.areas.desk.queue.closedAt(full(alarm.closed_at)), wordFor(words.outcomes, alarm.outcome)].filter(Boolean).join(' · ')}
      </span>
      <span className="marks"><span className="row-state num">{words.alarm.number(alarm.id)}</span></span>
      <span className="count num">{alarm.event_count > 1 ? `×${alarm.event_count}` : ''}</span>
    </a>
  )
})
