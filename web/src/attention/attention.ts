// The attention of one window: it rings by the queue while somebody is signed in, says
// whether it can, and tells the other windows of this browser what was muted here.
import type { Station } from '../live/station'
import { serverClock } from '../live/clock'
import { silenceLimit } from '../live/stream'
import { timers } from '../live/timers'
import { Value } from '../live/value'
import { language } from '../i18n'
import { parseRoute } from '../route'
import { notificationPermission, Notifier } from './notify'
import { Player } from './player'
import { type Mute, muteNow, Schedule } from './schedule'
import { type ToneName, tones } from './tones'
import { Voice } from './voice'

/** What somebody answered to "do you hear it", and when. */
export interface Check {
  user: number
  at: string
  heard: boolean
}

const muteLength = 60_000
const turnEvery = 1_000
/** Two turns so far apart, in a hidden window, are a browser that slows it down. */
const slowGap = 2_500
const checkKey = 'dozor.sound-check'
const gestures = ['pointerdown', 'pointerup', 'keydown'] as const

type Told = { muted: { left: number; p1: [number, number][] } } | { unmuted: true } | { lossSeen: true }

export class Attention {
  readonly player = new Player()
  readonly voice = new Voice()
  readonly mute = new Value<Mute | undefined>(undefined)
  readonly check = new Value<Check | undefined>(rememberedCheck())
  /** Somebody here has said that they know of the lost link. */
  readonly lossSeen = new Value(false)
  /** How long the browser left this window without a turn while it was hidden; 0 is never. */
  readonly slowed = new Value(0)
  #station: Station
  #schedule = new Schedule()
  #notifier = new Notifier()
  #channel: BroadcastChannel | undefined
  #ends: (() => void)[] = []
  #lastTurn = 0

  constructor(station: Station) {
    this.#station = station
    for (const gesture of gestures) addEventListener(gesture, this.player.unlock, { capture: true })
    addEventListener('storage', (event) => event.key === checkKey && this.check.set(rememberedCheck()))
    station.session.subscribe(() => this.#follow())
    this.#follow()
  }

  /** The answer of whoever is signed in. */
  get myCheck(): Check | undefined {
    const session = this.#station.session.get()
    const check = this.check.get()
    return session.kind === 'in' && check?.user === session.user.id ? check : undefined
  }

  /** Mutes this desk for a minute; a P1 that comes meanwhile rings. */
  silence(): void {
    const now = performance.now()
    const mute = muteNow(now, muteLength, this.#station.alarms.list())
    this.mute.set(mute)
    this.#tell({ muted: { left: muteLength, p1: [...mute.p1] } })
  }

  unmute(): void {
    this.mute.set(undefined)
    this.#tell({ unmuted: true })
  }

  /** Whoever sits here knows of the lost link: its tone ends, the banner stays. */
  acknowledgeLoss(): void {
    this.lossSeen.set(true)
    this.#tell({ lossSeen: true })
  }

  /** Plays a tone to listen to; false when the browser plays nothing. */
  async sample(tone: ToneName, times = 1): Promise<boolean> {
    this.player.unlock()
    if (this.player.output.get() !== 'running') await this.#opened()
    this.player.hush('all')
    const now = performance.now()
    let heard = false
    for (let i = 0; i < times; i++) heard = this.player.play({ tone, at: now + i * tones[tone].length, gain: tones[tone].gain, goesOn: false }, now)
    return heard
  }

  answer(user: number, heard: boolean): void {
    const check = { user, at: new Date(serverClock.now()).toISOString(), heard }
    this.check.set(check)
    try {
      localStorage.setItem(checkKey, JSON.stringify(check))
    } catch {
      // Without storage the answer is of this page only.
    }
  }

  #opened(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        stop()
        cancel()
        resolve()
      }
      const stop = this.player.output.subscribe(done)
      const cancel = timers.after(500, done)
    })
  }

  #follow(): void {
    const inside = this.#station.session.get().kind === 'in'
    if (inside && this.#ends.length === 0) this.#start()
    else if (!inside && this.#ends.length > 0) this.#stop()
  }

  #start(): void {
    const { alarms, stream } = this.#station
    const { player, voice } = this
    this.#channel = typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel('dozor.attention')
    if (this.#channel) this.#channel.onmessage = ({ data }: MessageEvent<Told>) => this.#hear(data)
    const sound = () => {
      voice.can(player.output.get() === 'running')
      this.#heardAgain()
    }
    voice.start()
    document.addEventListener('visibilitychange', this.#seen)
    addEventListener('hashchange', this.#report)
    this.#lastTurn = performance.now()
    this.#ends = [
      alarms.subscribe(this.#turn),
      stream.status.subscribe(this.#turn),
      this.mute.subscribe(this.#turn),
      this.lossSeen.subscribe(this.#turn),
      player.output.subscribe(sound),
      voice.speaker.subscribe(this.#heardAgain),
      this.check.subscribe(this.#report),
      timers.every(turnEvery, this.#tick),
      () => {
        document.removeEventListener('visibilitychange', this.#seen)
        removeEventListener('hashchange', this.#report)
        voice.stop()
        player.hush('all')
        this.#channel?.close()
      },
    ]
    // Where the browser's policy allows it, sound begins without a gesture.
    player.unlock()
    sound()
    this.#report()
  }

  #stop(): void {
    for (const end of this.#ends) end()
    this.#ends = []
    this.#schedule = new Schedule()
    this.#notifier.look([], language.get(), false)
    this.mute.set(undefined)
    this.lossSeen.set(false)
    this.slowed.set(0)
  }

  #tell(told: Told): void {
    this.#channel?.postMessage(told)
  }

  #hear(told: Told): void {
    const now = performance.now()
    if ('muted' in told) this.mute.set({ since: now, until: now + told.muted.left, p1: new Map(told.muted.p1) })
    else if ('unmuted' in told) this.mute.set(undefined)
    else this.lossSeen.set(true)
  }

  #tick = (): void => {
    const now = performance.now()
    const gap = now - this.#lastTurn - turnEvery
    this.#lastTurn = now
    if (document.hidden && gap > slowGap) this.slowed.set(Math.max(gap, this.slowed.get()))
    const mute = this.mute.get()
    if (mute && mute.until <= now) this.mute.set(undefined)
    this.#turn()
  }

  #turn = (): void => {
    const { alarms, stream } = this.#station
    const { degraded } = stream.status.get()
    if (!degraded) this.lossSeen.set(false)
    const now = performance.now()
    const queue = alarms.list()
    const turn = this.#schedule.turn({
      now, server: serverClock.now(), queue, mute: this.mute.get(),
      lost: degraded && stream.silence >= silenceLimit && !this.lossSeen.get(),
    })
    this.player.hush(turn.hush)
    if (this.voice.speaker.get() === 'mine') for (const play of turn.plays) this.player.play(play, now)
    this.#notify()
  }

  /** It could not be heard here until now, or not any more. */
  #heardAgain = (): void => {
    if (this.voice.speaker.get() === 'mine') this.#schedule.again()
    else this.player.hush('all')
    this.#turn()
    this.#report()
  }

  #seen = (): void => {
    this.#report()
    this.#notify()
  }

  #notify(): void {
    const wanted = document.hidden && notificationPermission() === 'granted' && this.voice.speaker.get() !== 'other'
    this.#notifier.look(this.#station.alarms.list(), language.get(), wanted)
  }

  #report = (): void => {
    const check = this.myCheck
    const route = parseRoute(location.hash)
    this.#station.desks.change({
      can_sound: this.player.output.get() === 'running' && check?.heard !== false,
      visible: !document.hidden,
      alarm: route.page === 'alarms' ? route.id : undefined,
      sound_check: check && { at: check.at, heard: check.heard },
    })
  }
}

function rememberedCheck(): Check | undefined {
  try {
    const kept = JSON.parse(localStorage.getItem(checkKey) ?? 'null') as Check | null
    return kept && typeof kept.user === 'number' && typeof kept.at === 'string' && typeof kept.heard === 'boolean' ? kept : undefined
  } catch {
    return undefined
  }
}

const known = new WeakMap<Station, Attention>()

/** The attention of this window: one for its station, from the first question on. */
export function attentionOf(station: Station): Attention {
  let attention = known.get(station)
  if (!attention) known.set(station, (attention = new Attention(station)))
  return attention
}
