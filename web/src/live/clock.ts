// The server's time as far as this window knows it. Ages are counted by it, so that a
// wrong clock of a desk makes no old value look fresh.
import { timers } from './timers'
import { Value } from './value'

const keep = 30

export class ServerClock {
  #offsets: number[] = []
  #offset = 0

  /** Takes the instant a message says it was sent at. */
  observe(at: string): void {
    const sent = Date.parse(at)
    if (Number.isNaN(sent)) return
    this.#offsets.push(sent - Date.now())
    if (this.#offsets.length > keep) this.#offsets.shift()
    // The message that came quickest says most.
    this.#offset = Math.max(...this.#offsets)
  }

  now(): number {
    return Date.now() + this.#offset
  }
}

export const serverClock = new ServerClock()

/** Ticks once a second while somebody looks. */
class Ticker {
  #value = new Value(0)
  #stop: (() => void) | undefined
  #users = 0

  get = (): number => Math.floor(serverClock.now() / 1000)

  subscribe = (listener: () => void): (() => void) => {
    const stop = this.#value.subscribe(listener)
    if (this.#users++ === 0) this.#stop = timers.every(1000, () => this.#value.set(this.#value.get() + 1))
    return () => {
      stop()
      if (--this.#users === 0) this.#stop?.()
    }
  }
}

export const ticker = new Ticker()
