// Tells listeners once per painted frame, however many messages came. A hidden window
// paints nothing, yet must flash its title and sound: there a timer does it.

export class Batch {
  #run: () => void
  #waiting = false

  constructor(run: () => void) {
    this.#run = run
  }

  schedule(): void {
    if (this.#waiting) return
    this.#waiting = true
    const once = () => {
      if (!this.#waiting) return
      this.#waiting = false
      this.#run()
    }
    if (!document.hidden) requestAnimationFrame(once)
    setTimeout(once, document.hidden ? 0 : 60)
  }

  /** Tells now, when something was scheduled. */
  flush(): void {
    if (!this.#waiting) return
    this.#waiting = false
    this.#run()
  }
}
