// Loads again whenever asked, one at a time: who asks while a load is on its way gets
// another one after it, however often it asked. So a stream of changes neither piles up
// requests nor keeps one from ever ending.

export class Reload {
  #load: (signal: AbortSignal) => Promise<void>
  #abort = new AbortController()
  #running = false
  #again = false

  constructor(load: (signal: AbortSignal) => Promise<void>) {
    this.#load = load
  }

  ask(): void {
    if (this.#running) {
      this.#again = true
      return
    }
    void this.#run()
  }

  /** Ends for good what is on its way. */
  end(): void {
    this.#again = false
    this.#abort.abort()
  }

  async #run(): Promise<void> {
    this.#running = true
    do {
      this.#again = false
      await this.#load(this.#abort.signal)
    } while (this.#again && !this.#abort.signal.aborted)
    this.#running = false
  }
}
