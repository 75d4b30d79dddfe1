// Plays what the schedule says. A browser lets no sound begin before a gesture, and takes
// the permission away on every reload: whether it plays is asked of it, never assumed.
import { Value } from '../live/value'
import type { Play, Turn } from './schedule'
import { type ToneName, tones } from './tones'

/** no-device: this browser makes no sound at all. */
export type Output = 'running' | 'blocked' | 'no-device'

interface Voice {
  tone: ToneName
  goesOn: boolean
  oscillator: OscillatorNode
}

/** Milliseconds in which a note swells and fades, so that it does not click. */
const edge = 10
/** Milliseconds that the sound device needs to be ready. */
const lead = 20

export class Player {
  readonly output = new Value<Output>('blocked')
  #context: AudioContext | undefined
  #voices = new Set<Voice>()

  /** Makes the sound begin, if the browser lets it; every gesture tries again. */
  unlock = (): void => {
    try {
      this.#context ??= this.#open()
      if (this.#context.state !== 'running') void this.#context.resume().then(this.#look, this.#look)
    } catch {
      this.output.set('no-device')
      return
    }
    this.#look()
  }

  /** Falls silent and gives the sound device back. */
  close(): void {
    this.#stop(() => true)
    const context = this.#context
    this.#context = undefined
    if (context) {
      context.onstatechange = null
      void context.close().catch(() => {})
    }
    this.#look()
  }

  hush(what: Turn['hush']): void {
    if (what === 'all') this.#stop(() => true)
    else if (what.length > 0) this.#stop((voice) => voice.goesOn && what.includes(voice.tone))
  }

  /** Plays at `at` of the clock that says `now`; says whether it can be heard at all. */
  play({ tone, at, gain, goesOn }: Play, now: number): boolean {
    const context = this.#context
    if (context?.state !== 'running') return false
    const start = context.currentTime + Math.max(0, at - now + lead) / 1000
    for (const note of tones[tone].notes) this.#note(context, { tone, goesOn }, note.hertz, start + note.at / 1000, note.length / 1000, gain)
    return true
  }

  #note(context: AudioContext, of: Omit<Voice, 'oscillator'>, hertz: number, start: number, length: number, gain: number): void {
    const oscillator = context.createOscillator()
    const volume = context.createGain()
    const ramp = edge / 1000
    oscillator.frequency.value = hertz
    volume.gain.setValueAtTime(0, start)
    volume.gain.linearRampToValueAtTime(gain, start + ramp)
    volume.gain.setValueAtTime(gain, start + length - ramp)
    volume.gain.linearRampToValueAtTime(0, start + length)
    oscillator.connect(volume).connect(context.destination)
    const voice = { ...of, oscillator }
    this.#voices.add(voice)
    oscillator.onended = () => {
      this.#voices.delete(voice)
      volume.disconnect()
    }
    oscillator.start(start)
    oscillator.stop(start + length)
  }

  #stop(which: (voice: Voice) => boolean): void {
    for (const voice of [...this.#voices]) {
      if (!which(voice)) continue
      this.#voices.delete(voice)
      voice.oscillator.stop()
      voice.oscillator.disconnect()
    }
  }

  #open(): AudioContext {
    const context = new AudioContext()
    context.onstatechange = this.#look
    return context
  }

  #look = (): void => {
    this.output.set(this.#context?.state === 'running' ? 'running' : 'blocked')
  }
}
