// The open alarms. Of two forms of one alarm the higher version counts, also of an alarm
// that was closed and left: a late frame brings nothing back.
import type { Alarm, AlarmEvent } from '../api/types'
import { Batch } from './batch'

const rememberClosed = 10_000
/** How long an opening counts for the rate of new alarms. */
const rememberOpened = 15 * 60_000

/** What the order of the queue is made of. */
interface Place {
  priority: number
  confirmed: boolean
  opened: number
}

function placeOf(alarm: Alarm): Place {
  return { priority: alarm.priority, confirmed: Boolean(alarm.confirmed_at), opened: Date.parse(alarm.opened_at) }
}

function samePlace(a: Place, b: Place): boolean {
  return a.priority === b.priority && a.confirmed === b.confirmed && a.opened === b.opened
}

/** Why an alarm that somebody has rings again: its pause ended, or it got worse. */
export type Rang = 'woken' | 'again'

export class AlarmStore {
  #open = new Map<number, Alarm>()
  #places = new Map<number, Place>()
  #versions = new Map<number, number>()
  #provisional = new Set<number>()
  #rang = new Map<number, Rang>()
  #opened = new Map<number, number>()
  #arrivals: readonly number[] = []
  #lastClosed: Alarm | undefined
  #epoch = 0
  #loaded = false

  #order: readonly Alarm[] = []
  /** Whether rows came, went or moved; claiming does none of these. */
  #reorder = false
  #changed = new Set<number>()
  #listListeners = new Set<() => void>()
  #rowListeners = new Map<number, Set<() => void>>()
  #batch = new Batch(() => this.#tell())

  get = (id: number): Alarm | undefined => this.#open.get(id)

  /** The open alarms in the order of the queue: priority, confirmed ones, then who waits longest. */
  list = (): readonly Alarm[] => this.#order

  /** When alarms were opened within the last quarter of an hour, in order, closed ones too. */
  arrivals = (): readonly number[] => this.#arrivals

  /** The alarm that was last seen to be closed. */
  lastClosed = (): Alarm | undefined => this.#lastClosed

  get loaded(): boolean {
    return this.#loaded
  }

  /** Whether all that is known of the alarm was inferred from state bits. */
  isProvisional = (id: number): boolean => this.#provisional.has(id)

  /** Why the alarm rang again while somebody has it; until it was looked at. */
  rang = (id: number): Rang | undefined => this.#rang.get(id)

  /** Somebody at this desk has the alarm before their eyes. */
  seen(id: number): void {
    if (!this.#rang.delete(id)) return
    this.#changed.add(id)
    this.#batch.schedule()
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listListeners.add(listener)
    return () => void this.#listListeners.delete(listener)
  }

  subscribeRow(id: number, listener: () => void): () => void {
    const listeners = this.#rowListeners.get(id) ?? new Set()
    this.#rowListeners.set(id, listeners)
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0) this.#rowListeners.delete(id)
    }
  }

  /** Takes an alarm from a frame or an answer; says whether it was news. */
  apply(alarm: Alarm, events: readonly AlarmEvent[] = []): boolean {
    if (events.length > 0) this.#noteProvisional(alarm.id, events)
    const known = this.#versions.get(alarm.id)
    if (known !== undefined && alarm.version <= known) return false
    this.#put(alarm)
    this.#batch.schedule()
    return true
  }

  /**
   * Takes the whole list of open alarms. In the same epoch a newer form that is known
   * already stays; in another one the list is the truth and all else is forgotten.
   */
  replace(alarms: readonly Alarm[], epoch: number): void {
    const listed = new Set(alarms.map((alarm) => alarm.id))
    if (epoch !== this.#epoch) this.#versions.clear()
    for (const id of [...this.#open.keys()]) {
      if (epoch === this.#epoch && listed.has(id)) continue
      // Not listed and not seen closed: whatever the stream says of it next is news.
      this.#remove(id)
      this.#versions.delete(id)
      this.#changed.add(id)
    }
    this.#epoch = epoch
    for (const alarm of alarms) {
      const known = this.#versions.get(alarm.id)
      if (known === undefined || alarm.version > known) this.#put(alarm)
    }
    for (const id of [...this.#provisional]) if (!this.#open.has(id)) this.#provisional.delete(id)
    this.#loaded = true
    this.#batch.schedule()
  }

  clear(): void {
    for (const id of this.#open.keys()) this.#changed.add(id)
    this.#open.clear()
    this.#places.clear()
    this.#versions.clear()
    this.#provisional.clear()
    this.#rang.clear()
    this.#opened.clear()
    this.#lastClosed = undefined
    this.#epoch = 0
    this.#loaded = false
    this.#reorder = true
    this.#batch.schedule()
  }

  /** Tells listeners now instead of with the next frame. */
  flush(): void {
    this.#batch.flush()
  }

  #put(alarm: Alarm): void {
    const { id } = alarm
    const before = this.#open.get(id)
    this.#changed.add(id)
    this.#versions.delete(id)
    this.#versions.set(id, alarm.version)
    const place = placeOf(alarm)
    this.#opened.set(id, place.opened)
    if (alarm.state === 'closed') {
      this.#remove(id)
      this.#provisional.delete(id)
      this.#lastClosed = alarm
      this.#forgetOldest()
      return
    }
    const known = this.#places.get(id)
    if (!known || !samePlace(known, place)) this.#reorder = true
    this.#open.set(id, alarm)
    this.#places.set(id, place)
    this.#noteRing(before, alarm)
  }

  #remove(id: number): void {
    if (this.#open.delete(id)) this.#reorder = true
    this.#places.delete(id)
    this.#rang.delete(id)
  }

  #noteRing(before: Alarm | undefined, alarm: Alarm): void {
    if (alarm.state === 'new') this.#rang.delete(alarm.id)
    else if (before && before.state !== 'new' && alarm.ring > before.ring) {
      this.#rang.set(alarm.id, before.paused_until && !alarm.paused_until ? 'woken' : 'again')
    }
  }

  #forgetOldest(): void {
    if (this.#versions.size - this.#open.size <= rememberClosed) return
    for (const id of this.#versions.keys()) {
      if (this.#open.has(id)) continue
      this.#versions.delete(id)
      return
    }
  }

  #noteProvisional(id: number, events: readonly AlarmEvent[]): void {
    const first = !this.#versions.has(id)
    const only = events.every((event) => event.provisional)
    if (first && only) this.#provisional.add(id)
    else if (!only && this.#provisional.delete(id)) this.#changed.add(id)
    this.#batch.schedule()
  }

  #sorted(): Alarm[] {
    if (!this.#reorder) return this.#order.map((alarm) => this.#open.get(alarm.id)!)
    const rows = [...this.#open.values()].map((alarm) => ({ alarm, at: this.#places.get(alarm.id)! }))
    rows.sort(
      (a, b) =>
        a.at.priority - b.at.priority ||
        Number(b.at.confirmed) - Number(a.at.confirmed) ||
        a.at.opened - b.at.opened ||
        a.alarm.id - b.alarm.id,
    )
    return rows.map((row) => row.alarm)
  }

  #countArrivals(): void {
    const times = [...this.#opened.values()].sort((a, b) => a - b)
    const oldest = (times.at(-1) ?? 0) - rememberOpened
    for (const [id, opened] of this.#opened) if (opened < oldest) this.#opened.delete(id)
    this.#arrivals = times.filter((opened) => opened >= oldest)
  }

  #tell(): void {
    if (this.#changed.size > 0 || this.#reorder) this.#order = this.#sorted()
    if (this.#reorder) this.#countArrivals()
    this.#reorder = false
    const changed = this.#changed
    this.#changed = new Set()
    for (const id of changed) for (const listener of [...(this.#rowListeners.get(id) ?? [])]) listener()
    for (const listener of [...this.#listListeners]) listener()
  }
}
