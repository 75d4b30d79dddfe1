// Whether this window may change anything: only while the stream is live, that is while
// the operator sees what the server knows. The stream opens and closes it; the API
// client and <Mutating> each refuse on their own. It waits for no timer: whoever asks is
// refused as soon as the silence is too long, also in a window whose timers stand still.
import { Value } from './value'

class Gate extends Value<boolean> {
  #late: () => boolean = () => false

  constructor() {
    super(false)
    const opened = this.get
    this.get = () => opened() && !this.#late()
  }

  /** How to see that the server has been silent for too long. */
  watch(late: () => boolean): void {
    this.#late = late
  }
}

export const gate = new Gate()
