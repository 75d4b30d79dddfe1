// The stream of the server: one connection after another, each from where the last one
// stood. Only messages say that the server lives: neither the socket's own events nor
// the browser's idea of being online can be trusted when a server freezes.
import type { Frame, Message, PanelState, StreamPosition } from '../api/types'
import type { DeskReport, DesksMessage, DeskView } from './desks'
import type { Fault, StationMessage } from './faults'
import { type Timers, timers as windowTimers } from './timers'
import { Value } from './value'

/**
 * Silence that means the server is gone, and the longest a connection may take to begin: two
 * beats and most of a third, so that it is on the screen within three seconds.
 */
export const silenceLimit = 2_750
const firstDelay = 500
const longestDelay = 5_000

/** What of a WebSocket the stream needs. */
export interface Socket {
  onopen: (() => void) | null
  onmessage: ((event: { data: unknown }) => void) | null
  onclose: ((event: { code: number }) => void) | null
  onerror: (() => void) | null
  send(text: string): void
  close(code?: number): void
}

export type PanelChoice = number[] | 'all'

export interface StreamPorts {
  /** Loads the lists anew; the stream goes on from the position they give. */
  load(signal: AbortSignal): Promise<StreamPosition>
  ticket(signal: AbortSignal): Promise<string>
  open(protocols: string[]): Socket
  frame(frame: Frame): void
  panelState(state: PanelState): void
  /** Who sits where, and what is wrong with the station: told beside the positions. */
  desks?(desks: DeskView[] | null): void
  faults?(faults: Fault[] | null): void
  /** The instant a message was sent at, by the server's clock. */
  time(at: string): void
  /** Access ended: whoever sits here must sign in again. */
  ended(): void
  /** Whether an error of load or ticket means the same. */
  isEnd(error: unknown): boolean
  random?(): number
  timers?: Timers
}

/** What the server sends, with what has no position in the stream. */
type Incoming = Message | DesksMessage | StationMessage

export type Phase = 'idle' | 'connecting' | 'syncing' | 'live' | 'waiting'

export interface StreamStatus {
  phase: Phase
  /** True from the loss of the connection until it is live again: the banner. */
  degraded: boolean
  /** When the window last knew what the server knows, by the desk's clock; 0 is never. */
  liveAt: number
  attempt: number
}

type End = { retry: 'now' | 'later'; reload?: boolean }

export class Stream {
  readonly status = new Value<StreamStatus>({ phase: 'idle', degraded: false, liveAt: 0, attempt: 0 })
  #ports: StreamPorts
  #position: StreamPosition | null = null
  #panels: PanelChoice = []
  #connection: Connection | null = null
  #timers: Timers
  #retry: (() => void) | undefined
  #late: (() => void) | undefined
  #attempt = 0
  #running = false
  #heardAt = 0
  #heard = -Infinity

  constructor(ports: StreamPorts) {
    this.#ports = ports
    this.#timers = ports.timers ?? windowTimers
  }

  get position(): StreamPosition | null {
    return this.#position
  }

  /** When the last message came, by the desk's clock; 0 is never. */
  get heardAt(): number {
    return this.#heardAt
  }

  /** How long nothing came, in milliseconds, whatever happened to the desk's clock. */
  get silence(): number {
    return performance.now() - this.#heard
  }

  /** Connects, and stays connected until stop. */
  start(): void {
    if (this.#running) return
    this.#running = true
    this.#armLate()
    this.#connect()
  }

  stop(): void {
    this.#running = false
    this.#retry?.()
    this.#late?.()
    this.#late = undefined
    this.#connection?.drop()
    this.#connection = null
    this.#position = null
    this.#attempt = 0
    this.status.set({ phase: 'idle', degraded: false, liveAt: 0, attempt: 0 })
  }

  /** Asks for the live state of these panels; replaces the former choice. */
  watchPanels(choice: PanelChoice): void {
    this.#panels = choice
    this.#connection?.subscribe(choice)
  }

  /** Tells the server of this desk; says whether there was a connection to tell it on. */
  say(desk: DeskReport): boolean {
    return this.#connection?.say(desk) ?? false
  }

  #connect(): void {
    this.#set({ phase: 'connecting', attempt: this.#attempt })
    this.#connection = new Connection(this.#ports, this.#timers, this.#position, this.#panels, {
      heard: () => this.#hear(),
      moved: (position) => void (this.#position = position),
      phase: (phase) => this.#phase(phase),
      lost: (end) => this.#lost(end),
      ended: () => {
        this.stop()
        this.#ports.ended()
      },
    })
  }

  #hear(): void {
    const late = this.silence > silenceLimit && this.status.get().phase === 'live'
    this.#heardAt = Date.now()
    this.#heard = performance.now()
    if (!late) return
    // The page itself slept: whoever was refused meanwhile learns that it goes on.
    this.#set({ phase: 'syncing' })
    this.#set({ phase: 'live' })
  }

  #phase(phase: 'syncing' | 'live'): void {
    if (phase === 'syncing') {
      this.#armLate()
      this.#set({ phase })
      return
    }
    this.#late?.()
    this.#late = undefined
    this.#attempt = 0
    this.#set({ phase, degraded: false, liveAt: Date.now(), attempt: 0 })
  }

  #lost(end: End): void {
    this.#connection = null
    if (!this.#running) return
    if (end.reload) this.#position = null
    const was = this.status.get()
    // What was live and is not any more is said at once; a first connection may try a little.
    const degraded = was.degraded || was.liveAt > 0
    this.#set({ phase: 'waiting', degraded })
    const random = (this.#ports.random ?? Math.random)()
    const full = end.retry === 'now' ? firstDelay : Math.min(longestDelay, firstDelay * 1.7 ** this.#attempt)
    this.#attempt++
    this.#retry = this.#timers.after(full * (0.5 + random / 2), () => this.#connect())
  }

  #armLate(): void {
    if (this.#late !== undefined) return
    this.#late = this.#timers.after(silenceLimit, () => {
      this.#late = undefined
      if (this.status.get().phase !== 'live') this.#set({ degraded: true })
    })
  }

  #set(change: Partial<StreamStatus>): void {
    const was = this.status.get()
    const liveAt = was.phase === 'live' && change.phase !== 'live' ? this.#heardAt : was.liveAt
    this.status.set({ ...was, liveAt, ...change })
  }
}

interface Owner {
  heard(): void
  moved(position: StreamPosition): void
  phase(phase: 'syncing' | 'live'): void
  lost(end: End): void
  ended(): void
}

/** One attempt: watched from its construction, since even a connect can hang for ever. */
class Connection {
  #ports: StreamPorts
  #timers: Timers
  #owner: Owner
  #position: StreamPosition | null
  #panels: PanelChoice
  #socket: Socket | null = null
  #watchdog: (() => void) | undefined
  #fedAt = 0
  #abort = new AbortController()
  #live = false
  #loading = false
  #gone = false

  constructor(ports: StreamPorts, timers: Timers, position: StreamPosition | null, panels: PanelChoice, owner: Owner) {
    this.#ports = ports
    this.#timers = timers
    this.#position = position
    this.#panels = panels
    this.#owner = owner
    this.#feed()
    void this.#begin()
  }

  async #begin(): Promise<void> {
    try {
      if (this.#position === null) await this.#load()
      const ticket = await this.#ports.ticket(this.#abort.signal)
      if (this.#gone) return
      this.#feed()
      const socket = this.#ports.open(['dozor.v1', `ticket.${ticket}`])
      this.#socket = socket
      socket.onopen = () => {
        this.#feed()
        this.#resume()
      }
      socket.onmessage = (event) => this.#message(event.data)
      socket.onclose = (event) => this.#closed(event.code)
    } catch (error) {
      this.#failed(error)
    }
  }

  async #load(): Promise<void> {
    // A list may be long and the line slow: it has a limit of its own.
    this.#loading = true
    this.#unwatch()
    const position = await this.#ports.load(this.#abort.signal)
    if (this.#gone) return
    this.#loading = false
    this.#feed()
    this.#move(position)
  }

  #failed(error: unknown): void {
    if (this.#gone) return
    this.drop()
    if (this.#ports.isEnd(error)) this.#owner.ended()
    else this.#owner.lost({ retry: 'later' })
  }

  subscribe(choice: PanelChoice): void {
    this.#panels = choice
    if (this.#live) this.#send({ subscribe: { panels: choice } })
  }

  /** Lets go of the socket without waiting for it: a frozen server never closes. */
  drop(): void {
    if (this.#gone) return
    this.#gone = true
    this.#unwatch()
    this.#abort.abort()
    const socket = this.#socket
    this.#socket = null
    if (!socket) return
    socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null
    try {
      socket.close()
    } catch {
      // It was never open: there is nothing to close.
    }
  }

  say(desk: DeskReport): boolean {
    if (this.#live) this.#send({ desk })
    return this.#live
  }

  /** Something happened: the watchdog waits anew. It is not wound up for every message. */
  #feed(): void {
    if (this.#loading || this.#gone) return
    this.#fedAt = performance.now()
    if (!this.#watchdog) this.#watch(silenceLimit)
  }

  #watch(ms: number): void {
    this.#watchdog = this.#timers.after(ms, () => {
      const left = this.#fedAt + silenceLimit - performance.now()
      if (left > 0) {
        this.#watch(left)
        return
      }
      this.drop()
      this.#owner.lost({ retry: 'later' })
    })
  }

  #unwatch(): void {
    this.#watchdog?.()
    this.#watchdog = undefined
  }

  #closed(code: number): void {
    this.drop()
    if (code === 4003) this.#owner.ended()
    else if (code === 4000 || code === 4001) this.#owner.lost({ retry: 'now' })
    else this.#owner.lost({ retry: 'later', reload: code === 4400 })
  }

  #send(message: unknown): void {
    this.#socket?.send(JSON.stringify(message))
  }

  #resume(): void {
    this.#owner.phase('syncing')
    this.#send({ resume: this.#position })
  }

  #move(position: StreamPosition): void {
    this.#position = { epoch: position.epoch, position: position.position }
    this.#owner.moved(this.#position)
  }

  #message(data: unknown): void {
    this.#feed()
    this.#owner.heard()
    let message: Incoming
    try {
      message = JSON.parse(String(data)) as Incoming
    } catch {
      this.drop()
      this.#owner.lost({ retry: 'later', reload: true })
      return
    }
    if (message.type === 'panel.state') {
      this.#ports.time(message.at)
      this.#ports.panelState(message.data)
      return
    }
    if (message.type === 'desks') {
      this.#ports.desks?.(message.data.desks)
      return
    }
    if (message.type === 'station') {
      this.#ports.faults?.(message.data.faults)
      return
    }
    if (message.type === 'heartbeat') this.#ports.time(message.at)
    // What a newer server tells without a position is no step of the stream.
    if (typeof message.epoch !== 'number' || typeof message.position !== 'number') return
    // Until the lists are there again, what is sent belongs to a stream that was left.
    if (this.#loading || this.#position === null) return
    if (message.type === 'reset' || message.epoch > this.#position.epoch) {
      void this.#reset()
      return
    }
    if (message.epoch < this.#position.epoch) return
    if (message.type === 'heartbeat') this.#heartbeat(message)
    else this.#frame(message)
  }

  async #reset(): Promise<void> {
    this.#live = false
    this.#owner.phase('syncing')
    try {
      await this.#load()
      if (!this.#gone) this.#resume()
    } catch (error) {
      this.#failed(error)
    }
  }

  #heartbeat(beat: StreamPosition): void {
    if (this.#live) {
      if (beat.position > (this.#position as StreamPosition).position) this.#move(beat)
      return
    }
    // The first one after a resume opens the gate; it may have been on its way before
    // the server read the resume, so that its position is not taken yet.
    this.#live = true
    this.#send({ subscribe: { panels: this.#panels } })
    this.#owner.phase('live')
  }

  #frame(frame: Frame): void {
    if (frame.position <= (this.#position as StreamPosition).position) return
    this.#ports.frame(frame)
    this.#move(frame)
  }
}
