// The tones of waiting alarms, made by the browser itself. A browser plays nothing before
// the first gesture on a page, so the state is always shown.
import type { Alarm } from '../api/types'
import { Value } from '../live/value'

export type SoundState = 'on' | 'off'

/** The most pressing alarm that asks for a tone: unclaimed, P1 or P2, not from a panel's memory. */
export function ringing(queue: readonly Alarm[]): 1 | 2 | undefined {
  const found = queue.find((alarm) => alarm.state === 'new' && !alarm.historic && alarm.priority <= 2)
  return found?.priority === 1 ? 1 : found ? 2 : undefined
}

interface Note {
  at: number
  hertz: number
  length: number
}

const patterns: Record<1 | 2, { every: number; gain: number; notes: Note[] }> = {
  1: { every: 1_000, gain: 0.5, notes: [0, 0.25, 0.5, 0.75].map((at, i) => ({ at, hertz: i % 2 ? 660 : 880, length: 0.24 })) },
  2: { every: 5_000, gain: 0.35, notes: [0, 0.3].map((at) => ({ at, hertz: 660, length: 0.18 })) },
}

export class Tone {
  readonly state = new Value<SoundState>('off')
  #context: AudioContext | undefined
  #timer: ReturnType<typeof setInterval> | undefined
  #playing: 1 | 2 | undefined

  /** Called on a gesture: the only moment a browser lets sound begin. */
  unlock = (): void => {
    try {
      this.#context ??= this.#make()
      if (this.#context.state !== 'running') void this.#context.resume().then(this.#watch, this.#watch)
      this.#watch()
    } catch {
      this.state.set('off')
    }
  }

  test(): void {
    this.unlock()
    this.#play(2)
  }

  /** Rings for the priority given until told otherwise; undefined is silence. */
  ring(priority: 1 | 2 | undefined): void {
    if (priority === this.#playing) return
    this.#playing = priority
    clearInterval(this.#timer)
    if (priority === undefined) return
    this.#play(priority)
    this.#timer = setInterval(() => this.#play(priority), patterns[priority].every)
  }

  /** Falls silent for good and gives the sound device back. */
  stop(): void {
    this.ring(undefined)
    const context = this.#context
    this.#context = undefined
    void context?.close()
    this.#watch()
  }

  #make(): AudioContext {
    const context = new AudioContext()
    context.onstatechange = this.#watch
    return context
  }

  #watch = (): void => {
    this.state.set(this.#context?.state === 'running' ? 'on' : 'off')
  }

  #play(priority: 1 | 2): void {
    const context = this.#context
    if (context?.state !== 'running') return
    const { gain, notes } = patterns[priority]
    for (const note of notes) {
      const start = context.currentTime + 0.02 + note.at
      const oscillator = context.createOscillator()
      const volume = context.createGain()
      oscillator.frequency.value = note.hertz
      volume.gain.setValueAtTime(0, start)
      volume.gain.linearRampToValueAtTime(gain, start + 0.01)
      volume.gain.setValueAtTime(gain, start + note.length - 0.02)
      volume.gain.linearRampToValueAtTime(0, start + note.length)
      oscillator.connect(volume).connect(context.destination)
      oscillator.start(start)
      oscillator.stop(start + note.length)
    }
  }
}
