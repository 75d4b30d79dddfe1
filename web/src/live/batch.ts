// Tells listeners once per painted frame, however many messages came. A hidden window
// paints nothing, yet must flash its title and sound: there a timer does it.

/** The longest wait for a frame: a window that is covered may get none. */
const longest = 60

export class Batch {
  #run: () => void
  #frame = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(run: () => void) {
    this.#run = run
  }

  schedule(): void {
    if (this.#timer !== undefined) return
    this.#timer = setTimeout(this.#once, document.hidden ? 0 : longest)
    if (!document.hidden) this.#frame = requestAnimationFrame(this.#once)
  }

  /** Tells now, when something was scheduled. */
  flush(): void {
    if (this.#timer !== undefined) this.#once()
  }

  #once = (): void => {
    // Whichever of the two was left must not end the next wait too early.
    clearTimeout(this.#timer)
    cancelAnimationFrame(this.#frame)
    this.#timer = undefined
    this.#run()
  }
}
