// The queue of open alarms: no page, no window of time, all of them.
import { memo, useEffect, useRef, useSyncExternalStore } from 'react'
import type { Alarm } from '../api/types'
import { useWords, wordFor } from '../i18n'
import { tenths } from '../i18n/format'
import { isMine } from '../live/rules'
import type { StepState } from '../live/steps'
import { go } from '../route'
import { useHere, useMe, useQueue, useStepState, useValue } from '../ui/hooks'
import { Age, Badge, Key, Owner } from '../ui/parts'
import { useSteadyRows } from './steady'

export function Queue({ open }: { open: number | undefined }) {
  const { station, desk } = useHere()
  const words = useWords()
  const queue = useQueue()
  const cursor = useValue(desk.cursor)
  const home = useValue(desk.home)
  const { list, above, top } = useSteadyRows(queue, cursor)

  const wished = useRef(home)
  useEffect(() => {
    if (wished.current === home) return
    wished.current = home
    top()
  }, [home, top])

  // Keys move the cursor, not the browser's focus: what is shown follows the cursor.
  useEffect(() => {
    if (cursor !== undefined) document.getElementById(`row-${cursor}`)?.scrollIntoView({ block: 'nearest' })
  }, [cursor])

  return (
    <section className="pane queue" aria-label={words.queue.title}>
      <div className="pane-head">
        <h2>{words.queue.title}</h2>
        <span className="num faint">{queue.length}</span>
        {above.all > 0 && (
          <button type="button" className="button quiet above" onClick={top} data-testid="above">
            ↑ <b>{above.fresh > 0 ? words.queue.newAbove(above.fresh) : words.queue.above(above.all)}</b> <Key>Home</Key>
          </button>
        )}
        <span className="grow" />
        <button type="button" className="button quiet" onClick={() => desk.help.set(true)}><Key>?</Key> {words.keys.open}</button>
      </div>
      <div
        className="rows" ref={list} role="listbox" tabIndex={0} aria-label={words.queue.title}
        aria-activedescendant={cursor === undefined ? undefined : `row-${cursor}`}
      >
        {queue.map((alarm) => (
          <Row key={alarm.id} id={alarm.id} open={alarm.id === open} cursor={alarm.id === cursor} />
        ))}
        {queue.length === 0 && (
          <div className="empty">
            <b>{station.alarms.loaded ? words.queue.empty : words.urgent.loading}</b>
            {station.alarms.loaded && <p>{words.queue.emptyHint}</p>}
          </div>
        )}
      </div>
    </section>
  )
}

const Row = memo(function Row({ id, open, cursor }: { id: number; open: boolean; cursor: boolean }) {
  const { station } = useHere()
  const alarm = useSyncExternalStore((listener) => station.alarms.subscribeRow(id, listener), () => station.alarms.get(id))
  const step = useStepState(id)
  if (!alarm) return null
  const waiting = alarm.state === 'new'
  const two = alarm.priority <= 2
  const className = ['row', `p${alarm.priority}`, two && 'two', waiting && 'waiting', open && 'open', cursor && 'cursor'].filter(Boolean).join(' ')
  return (
    <div id={`row-${id}`} data-id={id} className={className} role="option" aria-selected={open} onClick={() => go({ page: 'alarms', id })}>
      <RowContent alarm={alarm} step={step} provisional={station.alarms.isProvisional(id)} />
    </div>
  )
})

function RowContent({ alarm, step, provisional }: { alarm: Alarm; step: StepState | undefined; provisional: boolean }) {
  const words = useWords()
  const text = words.code === 'pl' ? alarm.text_pl : alarm.text_en
  const details = [alarm.zone_name || (alarm.zone ? words.alarm.zone(alarm.zone) : text), [alarm.site.address, alarm.site.city].filter(Boolean).join(', ')]
  return (
    <>
      <Badge priority={alarm.priority} waiting={alarm.state === 'new'} />
      <Age since={alarm.opened_at} />
      <span className="kind cut">{wordFor(words.kinds, alarm.kind)}</span>
      <span className="site cut">{alarm.site.name}</span>
      <span className="detail cut">{details.filter(Boolean).join(' · ')}</span>
      <span className="marks">
        {alarm.confirmed_at && <span className="tag strong">{words.queue.confirmed}</span>}
        {alarm.historic && <span className="tag">{words.queue.historic}</span>}
        {provisional && <span className="tag dashed">{words.queue.provisional}</span>}
        <span className="mark-state"><RowState alarm={alarm} step={step} /></span>
      </span>
      <span className="count num">{alarm.event_count > 1 ? `×${alarm.event_count}` : ''}</span>
    </>
  )
}

function RowState({ alarm, step }: { alarm: Alarm; step: StepState | undefined }) {
  const words = useWords()
  const me = useMe()
  const owner = alarm.owner && <Owner name={alarm.owner.name} me={isMine(alarm, me)} />
  if (step?.kind === 'pending') return <span className="who pending">{words.link.sending}</span>
  // Who was first is said until the alarm moves on: then its own state says more.
  if (step?.kind === 'lost' && step.version >= alarm.version) {
    const earlier = step.earlierMs === undefined ? '' : tenths(words, step.earlierMs)
    return <span className="row-state">{words.queue.lost(step.by?.name ?? words.results.somebody, earlier)}</span>
  }
  if (step?.kind === 'failed') return <span className="row-state">{words.queue.failed}</span>
  if (alarm.state === 'new') return <span className="row-state waits">{words.queue.waits}</span>
  return (
    <>
      <span className="row-state">{words.states[alarm.state]}</span>
      {owner}
    </>
  )
}
