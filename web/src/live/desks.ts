// Who sits where, and whether they can be called. Each window reports itself as a desk of
// its own; the server tells all of them of each other.
import type { UserRef } from '../api/types'
import { timers } from './timers'
import { uuid } from './uuid'
import { Value } from './value'

/** What this window says of itself. */
export interface DeskReport {
  id: string
  can_sound: boolean
  visible: boolean
  /** The alarm that is open on it. */
  alarm?: number
  /** The last answer to "do you hear it". */
  sound_check?: { at: string; heard: boolean }
}

export interface DeskView {
  user: UserRef
  id: string
  can_sound: boolean
  visible: boolean
  alarm_id?: number
  since: string
}

export interface DesksMessage {
  type: 'desks'
  at: string
  data: { desks: DeskView[] | null }
}

const repeat = 5_000
const storageKey = 'dozor.desk'

export class Desks {
  /** All desks; undefined until the server has told. */
  readonly list = new Value<readonly DeskView[] | undefined>(undefined)
  #report: DeskReport
  #say: (report: DeskReport) => boolean
  #stop: (() => void) | undefined

  constructor(say: (report: DeskReport) => boolean, id: string = windowId()) {
    this.#say = say
    this.#report = { id, can_sound: false, visible: true }
  }

  get id(): string {
    return this.#report.id
  }

  get report(): DeskReport {
    return this.#report
  }

  take(desks: readonly DeskView[] | null): void {
    this.list.set(desks ?? [])
  }

  /** Changes what this desk says of itself; the server hears of it at once. */
  change(change: { [K in keyof DeskReport]?: DeskReport[K] | undefined }): void {
    const next = { ...this.#report, ...change }
    for (const key of ['alarm', 'sound_check'] as const) if (next[key] === undefined) delete next[key]
    if (JSON.stringify(next) === JSON.stringify(this.#report)) return
    this.#report = next as DeskReport
    if (this.#stop) this.#say(this.#report)
  }

  /** The stream is live: report, and go on reporting. */
  connected(): void {
    this.#stop?.()
    this.#stop = timers.every(repeat, () => this.#say(this.#report))
    this.#say(this.#report)
  }

  /** The stream is not live: what is known of others is old. */
  lost(): void {
    this.#stop?.()
    this.#stop = undefined
  }

  /** Nobody sits here any more. */
  clear(): void {
    this.lost()
    this.list.set(undefined)
  }
}

/** The id of this window, the same after a reload. */
function windowId(): string {
  try {
    const known = sessionStorage.getItem(storageKey)
    // A duplicated tab brings its storage along, a reload does not lose it: only the
    // latter is the same desk.
    const kind = performance.getEntriesByType('navigation')[0] as PerformanceNavigationTiming | undefined
    if (known && kind?.type === 'reload') return known
    const id = uuid()
    sessionStorage.setItem(storageKey, id)
    return id
  } catch {
    return uuid()
  }
}
