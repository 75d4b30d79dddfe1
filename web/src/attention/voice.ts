// Which window of this browser sounds. Several that ring at once would be noise, none
// would be silence: one that can sound holds a lock, the next gets it when it goes or
// loses its sound. Without Web Locks every window sounds.
import { timers } from '../live/timers'
import { Value } from '../live/value'

/** mine: this window; other: another one of this browser; nobody: none that can. */
export type Speaker = 'mine' | 'other' | 'nobody'

const lockName = 'dozor.sound'
const lookEvery = 2_000

export class Voice {
  readonly speaker = new Value<Speaker>('nobody')
  #locks: LockManager | undefined
  #wanted: AbortController | undefined
  #release: (() => void) | undefined
  #stopLooking: (() => void) | undefined

  constructor(locks: LockManager | undefined = globalThis.navigator?.locks) {
    this.#locks = locks
  }

  /** Whether this window could sound; only then it asks for the lock. */
  can(able: boolean): void {
    if (able) this.#want()
    else this.#letGo()
    void this.#look()
  }

  start(): void {
    this.#stopLooking ??= timers.every(lookEvery, () => void this.#look())
  }

  stop(): void {
    this.#stopLooking?.()
    this.#stopLooking = undefined
    this.#letGo()
    this.speaker.set('nobody')
  }

  #want(): void {
    if (this.#wanted) return
    const wanted = new AbortController()
    this.#wanted = wanted
    if (!this.#locks) {
      this.speaker.set('mine')
      return
    }
    this.#locks
      .request(lockName, { signal: wanted.signal }, () => {
        if (this.#wanted !== wanted) return undefined
        this.speaker.set('mine')
        return new Promise<void>((resolve) => (this.#release = resolve))
      })
      .catch(() => {
        // Called off, or the page may use no locks: then it sounds by itself.
        if (this.#wanted === wanted) this.speaker.set('mine')
      })
  }

  #letGo(): void {
    this.#wanted?.abort()
    this.#wanted = undefined
    this.#release?.()
    this.#release = undefined
    if (this.speaker.get() === 'mine') this.speaker.set('nobody')
  }

  /** Sees whether another window has the lock. */
  async #look(): Promise<void> {
    if (!this.#locks || this.#release) return
    try {
      const { held } = await this.#locks.query()
      if (this.speaker.get() === 'mine') return
      this.speaker.set(held?.some((lock) => lock.name === lockName) ? 'other' : 'nobody')
    } catch {
      // The next look may tell.
    }
  }
}
