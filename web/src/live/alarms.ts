// The open alarms. Of two forms of one alarm the higher version counts, also of an alarm
// that was closed and left: a late frame brings nothing back.
import type { Alarm, AlarmEvent } from '../api/types'
import { Batch } from './batch'

const rememberClosed = 10_000

/** Priority, then confirmed ones, then whoever waits longest. */
export function compareAlarms(a: Alarm, b: Alarm): number {
  return (
    a.priority - b.priority ||
    Number(!a.confirmed_at) - Number(!b.confirmed_at) ||
    Date.parse(a.opened_at) - Date.parse(b.opened_at) ||
    a.id - b.id
  )
}

export class AlarmStore {
  #open = new Map<number, Alarm>()
  #versions = new Map<number, number>()
  #provisional = new Set<number>()
  #epoch = 0
  #loaded = false

  #order: readonly Alarm[] = []
  #changed = new Set<number>()
  #listListeners = new Set<() => void>()
  #rowListeners = new Map<number, Set<() => void>>()
  #batch = new Batch(() => this.#tell())

  get = (id: number): Alarm | undefined => this.#open.get(id)

  /** The open alarms in the order of the queue: a new array whenever something changed. */
  list = (): readonly Alarm[] => this.#order

  get loaded(): boolean {
    return this.#loaded
  }

  /** Whether all that is known of the alarm was inferred from state bits. */
  isProvisional = (id: number): boolean => this.#provisional.has(id)

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
      this.#open.delete(id)
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
    this.#versions.clear()
    this.#provisional.clear()
    this.#epoch = 0
    this.#loaded = false
    this.#batch.schedule()
  }

  /** Tells listeners now instead of with the next frame. */
  flush(): void {
    this.#batch.flush()
  }

  #put(alarm: Alarm): void {
    this.#changed.add(alarm.id)
    this.#versions.delete(alarm.id)
    this.#versions.set(alarm.id, alarm.version)
    if (alarm.state !== 'closed') {
      this.#open.set(alarm.id, alarm)
      return
    }
    this.#open.delete(alarm.id)
    this.#provisional.delete(alarm.id)
    this.#forgetOldest()
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

  #tell(): void {
    this.#order = [...this.#open.values()].sort(compareAlarms)
    const changed = this.#changed
    this.#changed = new Set()
    for (const id of changed) for (const listener of [...(this.#rowListeners.get(id) ?? [])]) listener()
    for (const listener of [...this.#listListeners]) listener()
  }
}
