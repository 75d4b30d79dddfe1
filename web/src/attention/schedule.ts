// Which tone sounds at which moment. It keeps its own time: it is asked again and again,
// at every change and once a second, and answers what begins within the next moments, so
// that what plays has no gaps although the asking is not exact.
import type { Alarm } from '../api/types'
import { raised, type ToneName, tones } from './tones'

/** Milliseconds of sound planned ahead: longer than the pause between two questions. */
export const ahead = 1_500
/** A P1 nobody has claimed for so long is louder. */
const raiseAfter = 30_000
const everyP2 = 5_000
const everyLost = 10_000
/** Until then a P3 should be claimed; it sounds once more. */
export const limitP3 = 90_000
/** Between two tones that are no alarm of their own. */
const pause = 250

export interface Mute {
  since: number
  until: number
  /** The P1 alarms there were, with their rings: all others are new. */
  p1: ReadonlyMap<number, number>
}

export interface Situation {
  /** Milliseconds of a clock that never jumps. */
  now: number
  /** Milliseconds of the server's clock, for limits. */
  server: number
  queue: readonly Alarm[]
  /** The own link to the server is lost, and nobody here has said that they know. */
  lost: boolean
  mute?: Mute | undefined
}

export interface Play {
  tone: ToneName
  /** On the clock of `now`. */
  at: number
  gain: number
  /** Part of a tone that goes on until its reason is gone. */
  goesOn: boolean
}

export interface Turn {
  /** What must not sound any more, also of what was planned: all, or what goes on in these tones. */
  hush: 'all' | readonly ToneName[]
  plays: Play[]
}

interface Known {
  waiting: boolean
  ring: number
  priority: number
  /** Since when it waits, as far as this window saw it. */
  since: number
  limitAt: number
  limitRung: boolean
}

interface Call {
  id: number
  tone: ToneName
  times: number
  since: number
  waiting: boolean
}

/** A P1 that rings through a mute: it came, or rang again, after it. */
export function isNewTo(mute: Mute, alarm: Alarm): boolean {
  const ring = mute.p1.get(alarm.id)
  return alarm.priority === 1 && (ring === undefined || alarm.ring > ring)
}

export function muteNow(now: number, length: number, queue: readonly Alarm[]): Mute {
  return { since: now, until: now + length, p1: new Map(queue.filter((alarm) => alarm.priority === 1).map((alarm) => [alarm.id, alarm.ring])) }
}

/** Whether an alarm may sound at all: what a panel's memory gave is work, not a call. */
const sounds = (alarm: Alarm) => !alarm.historic && alarm.priority <= 3 && alarm.state !== 'closed'

const toneOf = (priority: number): ToneName => (priority === 1 ? 'p1' : priority === 2 ? 'p2' : 'p3')

export class Schedule {
  #known = new Map<number, Known>()
  #calls: Call[] = []
  #planned: (Play & { end: number })[] = []
  #going: ReadonlySet<ToneName> = new Set()
  #lastP2 = -Infinity
  #lastLost = -Infinity
  #mutedSince: number | undefined

  turn(situation: Situation): Turn {
    const { now } = situation
    this.#see(situation)
    this.#planned = this.#planned.filter((play) => play.end > now)

    const mute = situation.mute && situation.mute.until > now ? situation.mute : undefined
    const waiting = situation.queue.filter((alarm) => sounds(alarm) && alarm.state === 'new' && alarm.priority <= 2 && (!mute || isNewTo(mute, alarm)))
    const p1 = waiting.filter((alarm) => alarm.priority === 1)
    const p2 = waiting.some((alarm) => alarm.priority === 2)
    const lost = situation.lost && !mute
    // Nothing is heard beside a P1.
    const going = new Set<ToneName>(p1.length > 0 ? ['p1'] : [...(p2 ? ['p2' as const] : []), ...(lost ? ['lost' as const] : [])])

    const hush = this.#hush(going, mute)
    if (!p2) this.#lastP2 = -Infinity
    if (!lost) this.#lastLost = -Infinity
    // What goes on says it already.
    this.#calls = this.#calls.filter((call) => !going.has(call.tone))

    const since = Math.min(...p1.map((alarm) => this.#known.get(alarm.id)?.since ?? now))
    const plays: Play[] = []
    for (let at = this.#free(now); at <= now + ahead; at = this.#free(now)) {
      const play = p1.length > 0 ? this.#p1(at, since) : this.#other(at, now, p2, lost, mute)
      if (!play || play.at > now + ahead) break
      this.#planned.push({ ...play, end: play.at + tones[play.tone].length + (play.tone === 'p1' && play.goesOn ? 0 : pause) })
      plays.push(play)
    }
    return { hush, plays }
  }

  /** Forgets what was planned: it was not heard, and must be from now on. */
  again(): void {
    this.#planned = []
    this.#lastP2 = this.#lastLost = -Infinity
  }

  #hush(going: ReadonlySet<ToneName>, mute: Mute | undefined): Turn['hush'] {
    const was = this.#going
    this.#going = going
    const justMuted = mute !== undefined && mute.since !== this.#mutedSince
    this.#mutedSince = mute?.since
    if (justMuted || (going.has('p1') && !was.has('p1'))) {
      this.#planned = []
      return 'all'
    }
    const gone = [...was].filter((tone) => !going.has(tone))
    this.#planned = this.#planned.filter((play) => !(play.goesOn && gone.includes(play.tone)))
    return gone
  }

  #free(now: number): number {
    return Math.max(now, ...this.#planned.map((play) => play.end))
  }

  #p1(at: number, since: number): Play {
    const { gain } = tones.p1
    return { tone: 'p1', at, gain: at - since >= raiseAfter ? gain * raised : gain, goesOn: true }
  }

  #other(at: number, now: number, p2: boolean, lost: boolean, mute: Mute | undefined): Play | undefined {
    const call = this.#call(mute)
    const nextP2 = p2 ? Math.max(at, this.#lastP2 + everyP2) : Infinity
    const nextLost = lost ? Math.max(at, this.#lastLost + everyLost) : Infinity
    // A call that would begin now must not wait for a tone that is seconds away.
    if (call && at < Math.min(nextP2, nextLost)) return at <= now + ahead ? this.#take(call, at) : undefined
    if (p2 && nextP2 <= nextLost) {
      if (nextP2 <= now + ahead) this.#lastP2 = nextP2
      return { tone: 'p2', at: nextP2, gain: tones.p2.gain, goesOn: true }
    }
    if (!lost) return undefined
    if (nextLost <= now + ahead) this.#lastLost = nextLost
    return { tone: 'lost', at: nextLost, gain: tones.lost.gain, goesOn: true }
  }

  /** The most pressing single call that may sound now. */
  #call(mute: Mute | undefined): Call | undefined {
    const audible = this.#calls.filter((call) => !mute || (call.tone === 'p1' && call.since >= mute.since))
    return audible.sort((a, b) => a.tone.localeCompare(b.tone) || a.since - b.since)[0]
  }

  /** One tone of a call; many calls of one tone are one. */
  #take(call: Call, at: number): Play {
    this.#calls = this.#calls.filter((other) => other === call || other.tone !== call.tone)
    if (--call.times <= 0) this.#calls = this.#calls.filter((other) => other !== call)
    return { tone: call.tone, at, gain: tones[call.tone].gain, goesOn: false }
  }

  /** Learns what changed since the last question: what came, rang again, lost its owner. */
  #see({ now, server, queue }: Situation): void {
    const seen = new Set<number>()
    for (const alarm of queue) {
      if (!sounds(alarm)) continue
      seen.add(alarm.id)
      this.#look(alarm, now, server)
    }
    for (const id of [...this.#known.keys()]) if (!seen.has(id)) this.#known.delete(id)
    this.#calls = this.#calls.filter((call) => this.#known.get(call.id)?.waiting === call.waiting)
  }

  #look(alarm: Alarm, now: number, server: number): void {
    const was = this.#known.get(alarm.id)
    const waiting = alarm.state === 'new'
    const known: Known = was ?? {
      waiting, ring: alarm.ring, priority: alarm.priority, since: now, limitRung: false,
      limitAt: now + Date.parse(alarm.opened_at) + limitP3 - server,
    }
    if (waiting) {
      const cameBack = was !== undefined && !was.waiting
      if (cameBack) Object.assign(known, { since: now, limitAt: now + limitP3, limitRung: false })
      if (alarm.priority === 3) this.#lookAtP3(alarm, known, was, cameBack, now)
    } else if (was && alarm.ring > was.ring) {
      this.#ask(alarm, 2, now)
    }
    this.#known.set(alarm.id, Object.assign(known, { waiting, ring: alarm.ring, priority: alarm.priority }))
  }

  #lookAtP3(alarm: Alarm, known: Known, was: Known | undefined, cameBack: boolean, now: number): void {
    const late = now >= known.limitAt
    if (cameBack) this.#ask(alarm, 2, now)
    else if (!was || alarm.ring > was.ring || (late && !known.limitRung)) this.#ask(alarm, 1, now)
    if (late) known.limitRung = true
  }

  #ask(alarm: Alarm, times: number, since: number): void {
    const tone = toneOf(alarm.priority)
    const waiting = alarm.state === 'new'
    this.#calls = this.#calls.filter((call) => call.id !== alarm.id)
    this.#calls.push({ id: alarm.id, tone, times, since, waiting })
  }
}
