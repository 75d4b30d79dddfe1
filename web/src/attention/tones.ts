// The tones, as notes: they are synthesised, so that there is no file to lose. Sound means
// an alarm or a lost link, nothing else.

export type ToneName = 'p1' | 'p2' | 'p3' | 'lost'

export interface Note {
  /** Milliseconds after the tone begins. */
  at: number
  hertz: number
  /** Milliseconds. */
  length: number
}

export interface Tone {
  notes: readonly Note[]
  /** Milliseconds until another tone may begin. */
  length: number
  /** Of full scale: what rises by 6 dB must have room for it. */
  gain: number
}

export const tones: Record<ToneName, Tone> = {
  p1: { notes: [{ at: 0, hertz: 880, length: 250 }, { at: 250, hertz: 660, length: 250 }], length: 500, gain: 0.5 },
  p2: { notes: [{ at: 0, hertz: 660, length: 180 }, { at: 300, hertz: 660, length: 180 }], length: 480, gain: 0.35 },
  p3: { notes: [{ at: 0, hertz: 520, length: 150 }], length: 150, gain: 0.25 },
  lost: {
    notes: [{ at: 0, hertz: 600, length: 300 }, { at: 300, hertz: 450, length: 300 }, { at: 600, hertz: 340, length: 300 }],
    length: 900,
    gain: 0.35,
  },
}

/** 6 dB. */
export const raised = 2
