// Timers that keep their time in a hidden window. Each is set twice, in the page and in a
// worker, and the first that comes counts: a worker that never began or was ended costs
// nothing, and a page whose timers are slowed down is woken by the worker. What became due
// while both slept is done as soon as the window is looked at.

/** What of a worker the timers need. */
export interface Waker {
  postMessage(message: { id: number; ms?: number }): void
  onmessage: ((event: { data: number }) => void) | null
}

interface Timer {
  due: number
  run: () => void
  page: ReturnType<typeof setTimeout>
}

export class Timers {
  #pending = new Map<number, Timer>()
  #last = 0
  #waker: Waker | null | undefined
  #makeWaker: () => Waker | null

  constructor(makeWaker: () => Waker | null = () => null) {
    this.#makeWaker = makeWaker
  }

  /** Whether a worker keeps the time while the page is hidden. */
  get steady(): boolean {
    return Boolean(this.#wake())
  }

  /** Runs once after so many milliseconds; the result calls it off. */
  after(ms: number, run: () => void): () => void {
    const id = ++this.#last
    this.#pending.set(id, { due: performance.now() + ms, run, page: setTimeout(() => this.#fire(id), ms) })
    this.#wake()?.postMessage({ id, ms })
    return () => this.#cancel(id)
  }

  /** Runs again and again until called off. */
  every(ms: number, run: () => void): () => void {
    let cancel = () => {}
    const arm = () => {
      cancel = this.after(ms, () => {
        arm()
        run()
      })
    }
    arm()
    return () => cancel()
  }

  /** Does at once what is overdue. */
  catchUp(): void {
    const now = performance.now()
    const due = [...this.#pending].filter(([, timer]) => timer.due <= now)
    for (const [id] of due.sort(([, a], [, b]) => a.due - b.due)) this.#fire(id)
  }

  #cancel(id: number): Timer | undefined {
    const timer = this.#pending.get(id)
    if (!timer) return undefined
    this.#pending.delete(id)
    clearTimeout(timer.page)
    this.#waker?.postMessage({ id })
    return timer
  }

  #fire(id: number): void {
    this.#cancel(id)?.run()
  }

  #wake(): Waker | null {
    if (this.#waker === undefined) {
      this.#waker = this.#makeWaker()
      if (this.#waker) this.#waker.onmessage = ({ data }) => this.#fire(data)
    }
    return this.#waker
  }
}

function makeWorker(): Waker | null {
  try {
    const worker = new Worker(new URL('./timers.worker.ts', import.meta.url), { type: 'module' })
    return worker as unknown as Waker
  } catch {
    // Without workers the page's own timers are all there is.
    return null
  }
}

/** The timers of this window. */
export const timers = new Timers(makeWorker)

if (typeof document !== 'undefined') {
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) timers.catchUp()
  })
}
