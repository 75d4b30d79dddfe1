// Alarms that were opened on this desk, with their events, steps and site. Events that
// come with a frame join by their id, whatever version the frame's alarm has.
import type { AlarmAnswer, Contact } from '../api/alarms'
import type { Action, Alarm, AlarmEvent, Site } from '../api/types'
import { Batch } from './batch'

export interface Detail {
  alarm: Alarm
  events: readonly AlarmEvent[]
  actions: readonly Action[]
  site: Site
  contacts: readonly Contact[]
  /** The site's alarms before this one, newest first. */
  earlier: readonly Alarm[]
}

const keep = 30

export class DetailStore {
  #details = new Map<number, Detail>()
  #listeners = new Set<() => void>()
  #batch = new Batch(() => {
    for (const listener of [...this.#listeners]) listener()
  })

  get = (id: number): Detail | undefined => this.#details.get(id)

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Takes a whole answer; an event that only the stream brought so far stays. */
  put(answer: AlarmAnswer): void {
    const known = this.#details.get(answer.alarm.id)
    const newer = known !== undefined && known.alarm.version > answer.alarm.version
    this.#set({
      alarm: newer ? known.alarm : answer.alarm,
      events: join(answer.events, known?.events ?? []),
      actions: newer && known.actions.length > answer.actions.length ? known.actions : answer.actions,
      site: answer.site,
      contacts: answer.contacts ?? [],
      earlier: answer.earlier ?? [],
    })
  }

  apply(alarm: Alarm, events: readonly AlarmEvent[] = []): void {
    const known = this.#details.get(alarm.id)
    if (!known) return
    const newer = alarm.version > known.alarm.version
    const joined = join(newer ? reworded(known.events, events) : known.events, events)
    if (!newer && joined === known.events) return
    this.#set({ ...known, alarm: newer ? alarm : known.alarm, events: joined })
  }

  clear(): void {
    this.#details.clear()
    this.#batch.schedule()
  }

  #set(detail: Detail): void {
    this.#details.delete(detail.alarm.id)
    this.#details.set(detail.alarm.id, detail)
    for (const id of this.#details.keys()) {
      if (this.#details.size <= keep) break
      this.#details.delete(id)
    }
    this.#batch.schedule()
  }
}

/** The panel's own words for an event may come after it: the newer version of the alarm has them. */
function reworded(events: readonly AlarmEvent[], more: readonly AlarmEvent[]): readonly AlarmEvent[] {
  const newer = new Map(more.map((event) => [event.id, event]))
  const differs = (event: AlarmEvent) => (newer.get(event.id)?.text_pl ?? event.text_pl) !== event.text_pl
  return events.some(differs) ? events.map((event) => newer.get(event.id) ?? event) : events
}

function join(events: readonly AlarmEvent[], more: readonly AlarmEvent[]): readonly AlarmEvent[] {
  const known = new Set(events.map((event) => event.id))
  const fresh = more.filter((event) => !known.has(event.id))
  return fresh.length === 0 ? events : [...events, ...fresh]
}
