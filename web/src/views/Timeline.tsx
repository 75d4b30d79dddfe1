// What happened, oldest first: events of the panel and steps of people in one line.
import { useMemo } from 'react'
import type { Action, AlarmEvent } from '../api/types'
import { useWords, wordFor } from '../i18n'
import { clockTime, full, panelMinute, short } from '../i18n/format'
import type { Detail } from '../live/details'
import { useNow } from '../ui/hooks'

type Entry = { key: string; at: number; event: AlarmEvent } | { key: string; at: number; action: Action }

/** Events by their effective time and steps by theirs; of equal ones the event is first. */
export function entriesOf(detail: Pick<Detail, 'events' | 'actions'>): Entry[] {
  const entries: Entry[] = [
    ...detail.events.map((event) => ({ key: event.id, at: Date.parse(event.at), event })),
    ...detail.actions.map((action) => ({ key: `a${action.id}`, at: Date.parse(action.at), action })),
  ]
  return entries.sort((a, b) => a.at - b.at || Number('action' in a) - Number('action' in b))
}

export function Timeline({ detail }: { detail: Detail }) {
  const words = useWords()
  const now = useNow()
  const entries = useMemo(() => entriesOf(detail), [detail])
  return (
    <section className="section">
      <h3>{words.alarm.timeline} <span className="faint">{words.alarm.timelineHint}</span></h3>
      <ol className="timeline" data-testid="timeline">
        {entries.map((entry) => ('event' in entry
          ? <EventEntry key={entry.key} event={entry.event} now={now} />
          : <ActionEntry key={entry.key} action={entry.action} now={now} />))}
        {entries.length === 0 && <li className="faint">{words.alarm.noEvents}</li>}
      </ol>
    </section>
  )
}

export function EventEntry({ event, now }: { event: AlarmEvent; now: number }) {
  const words = useWords()
  const text = words.code === 'pl' ? event.text_pl : event.text_en
  const where = [event.zone_name || (event.zone ? words.alarm.zone(event.zone) : ''), event.partition ? words.alarm.partition(event.partition) : '', event.user_name ?? '']
  return (
    <li className={`entry p${event.priority}${event.restore ? ' restore' : ''}`}>
      <time dateTime={event.at} title={full(event.at)}>{short(event.at, now)}</time>
      <i className="shape" aria-hidden="true" />
      <div>
        <p className="entry-text"><b>{where.filter(Boolean).join(' · ')}</b> {text || wordFor(words.kinds, event.kind)}</p>
        <p className="entry-times">
          <span title={full(event.received_at)}>{words.alarm.received(clockTime(new Date(event.received_at)))}</span>
          {event.panel_time && <span>{words.alarm.panelTime(panelMinute(event.panel_time, now))}</span>}
          {event.historic && <span className="tag">{words.queue.historic}</span>}
          {event.provisional && <span className="tag dashed">{words.queue.provisional}</span>}
          {event.unclassified && <span className="tag">{words.alarm.unclassified}</span>}
        </p>
      </div>
    </li>
  )
}

function ActionEntry({ action, now }: { action: Action; now: number }) {
  const words = useWords()
  return (
    <li className="entry act">
      <time dateTime={action.at} title={full(action.at)}>{short(action.at, now)}</time>
      <i className="shape" aria-hidden="true" />
      <div>
        <p className="entry-text">{action.actor ? <b>{action.actor.name}</b> : words.alarm.station} {wordFor(words.acts, action.act)}</p>
        {action.text && <p className="entry-note">{action.text}</p>}
      </div>
    </li>
  )
}
