// Puts the parts of one window together: session, client, stream and stores.
import { ApiError, Client } from '../api/client'
import { panelSnapshot } from '../api/panels'
import { queries } from '../api/queries'
import type { Alarm, Frame, Me, StreamPosition } from '../api/types'
import { Acts } from './acts'
import { AlarmStore } from './alarms'
import { serverClock } from './clock'
import { Desks } from './desks'
import { DetailStore } from './details'
import { Faults } from './faults'
import { gate } from './gate'
import { PanelStore } from './panels'
import { Steps } from './steps'
import { type PanelChoice, silenceLimit, type Socket, Stream } from './stream'
import { Value } from './value'

export type Session =
  | { kind: 'checking' }
  | { kind: 'unreachable' }
  /** expired: it ended while somebody worked. */
  | { kind: 'out'; expired: boolean }
  | { kind: 'in'; user: Me; version: string }

const retryCheck = 2_000

export class Station {
  readonly session = new Value<Session>({ kind: 'checking' })
  readonly client = new Client()
  readonly alarms = new AlarmStore()
  readonly details = new DetailStore()
  readonly panels = new PanelStore()
  readonly desks = new Desks((report) => this.stream.say(report))
  readonly faults = new Faults()
  readonly acts = new Acts()
  readonly steps: Steps
  readonly stream: Stream
  #watches = new Map<object, PanelChoice>()
  #version = ''
  #lastUser = 0
  #live = false

  constructor(open: (protocols: string[]) => Socket = openSocket) {
    this.steps = new Steps(this.client, (alarm) => this.learn(alarm))
    this.stream = new Stream({
      load: (signal) => this.#loadAlarms(signal),
      ticket: (signal) => this.client.ticket({ signal }),
      open,
      frame: (frame) => this.#frame(frame),
      panelState: (state) => this.panels.state(state),
      desks: (desks) => this.desks.take(desks),
      faults: (faults) => this.faults.take(faults),
      time: (at) => serverClock.observe(at),
      ended: () => this.#out(true),
      isEnd: (error) => error instanceof ApiError && error.status === 401,
    })
    gate.watch(() => this.#live && this.stream.silence > silenceLimit)
    this.stream.status.subscribe(() => {
      const live = this.stream.status.get().phase === 'live'
      if (live === this.#live) return
      this.#live = live
      gate.set(live)
      if (live) this.desks.connected()
      else this.desks.lost()
    })
    this.client.onSignedOut = () => this.#out(true)
  }

  /** Looks whether somebody is signed in, until a server answers. */
  async check(): Promise<void> {
    try {
      const answer = await this.client.session({ timeout: 5_000 })
      if (answer.server) {
        this.#version = answer.server.version
        serverClock.observe(answer.server.time)
      }
      this.#in(answer.user)
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        this.#out(false)
        return
      }
      this.session.set({ kind: 'unreachable' })
      setTimeout(() => void this.check(), retryCheck)
    }
  }

  /** Signs in; the work begins when the person is ready, which may take a sound check. */
  async signIn(login: string, password: string, ready: (user: Me) => Promise<void> = async () => {}): Promise<void> {
    const user = await this.client.signIn(login, password)
    await ready(user)
    this.#in(user)
  }

  async signOut(): Promise<void> {
    await this.client.signOut()
    this.#out(false)
  }

  /** Takes an alarm from wherever it came. */
  learn(alarm: Alarm): void {
    this.acts.learn(alarm, this.alarms.get(alarm.id), new Date(serverClock.now()).toISOString())
    this.alarms.apply(alarm)
    this.details.apply(alarm)
  }

  /** Loads an alarm with all that belongs to it; returns the version that it has. */
  async loadAlarm(id: number, signal: AbortSignal): Promise<number> {
    const answer = await this.client.alarm(id, { signal })
    this.details.put(answer)
    if (answer.alarm.state !== 'closed') this.alarms.apply(answer.alarm)
    return answer.alarm.version
  }

  async loadPanels(signal: AbortSignal): Promise<void> {
    this.panels.replace(await panelSnapshot(this.client, { signal }))
  }

  async loadPanel(id: number, signal: AbortSignal): Promise<void> {
    this.panels.put(await this.client.panel(id, { signal }))
  }

  /** Asks for live states while somebody looks at these panels; the result ends it. */
  watchPanels(choice: PanelChoice): () => void {
    const key = {}
    this.#watches.set(key, choice)
    this.#sendWatches()
    return () => {
      this.#watches.delete(key)
      this.#sendWatches()
    }
  }

  #sendWatches(): void {
    const choices = [...this.#watches.values()]
    const all = choices.includes('all')
    this.stream.watchPanels(all ? 'all' : [...new Set((choices as number[][]).flat())].slice(0, 500))
  }

  async #loadAlarms(signal: AbortSignal): Promise<StreamPosition> {
    const first = await this.client.alarms('open', undefined, { signal })
    const alarms = [...first.alarms]
    // The stream goes on from the first page: what changes meanwhile comes again.
    for (let cursor = first.next_cursor; cursor; ) {
      const page = await this.client.alarms('open', cursor, { signal })
      alarms.push(...page.alarms)
      cursor = page.next_cursor
    }
    this.alarms.replace(alarms, first.stream.epoch)
    return first.stream
  }

  #frame(frame: Frame): void {
    this.acts.take(frame, knownTo(frame, this.alarms))
    switch (frame.type) {
      case 'alarm.new':
      case 'alarm.updated':
        this.alarms.apply(frame.data.alarm, frame.data.events)
        this.details.apply(frame.data.alarm, frame.data.events)
        break
      case 'event.recorded':
      case 'panel.armed':
      case 'panel.disarmed':
        if (frame.data.panel_id) this.panels.recorded(frame.data.panel_id, frame.data.events)
        break
      case 'command.result':
        this.panels.command(frame.data.command)
        break
      case 'panel.link':
        this.panels.link(frame.data)
        break
      case 'access.changed':
        void this.#recheck()
        break
    }
  }

  async #recheck(): Promise<void> {
    try {
      const { user } = await this.client.session()
      const session = this.session.get()
      if (session.kind === 'in') this.session.set({ ...session, user })
    } catch {
      // A 401 has signed out already; without an answer the stream will tell.
    }
  }

  #in(user: Me): void {
    // Drafts wait for whoever wrote them, not for somebody else.
    if (user.id !== this.#lastUser) this.steps.clear()
    this.#lastUser = user.id
    this.session.set({ kind: 'in', user, version: this.#version })
    this.stream.start()
  }

  #out(expired: boolean): void {
    const was = this.session.get()
    if (was.kind === 'out') return
    this.stream.stop()
    gate.set(false)
    this.alarms.clear()
    this.details.clear()
    this.panels.clear()
    queries.clear()
    this.desks.clear()
    this.faults.clear()
    this.acts.clear()
    this.session.set({ kind: 'out', expired: expired && was.kind === 'in' })
  }
}

function knownTo(frame: Frame, alarms: AlarmStore): Alarm | undefined {
  return frame.type === 'alarm.updated' ? alarms.get(frame.data.alarm.id) : undefined
}

function openSocket(protocols: string[]): Socket {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
  return new WebSocket(`${scheme}://${location.host}/api/ws`, protocols) as unknown as Socket
}
