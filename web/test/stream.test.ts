import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Frame, StreamPosition } from '../src/api/types'
import { type Socket, Stream } from '../src/live/stream'
import { alarm } from './samples'

/** A socket whose other end is the test: it never closes by itself, like a frozen server. */
class FakeSocket implements Socket {
  onopen: Socket['onopen'] = null
  onmessage: Socket['onmessage'] = null
  onclose: Socket['onclose'] = null
  onerror: Socket['onerror'] = null
  sent: Record<string, unknown>[] = []
  closed = false

  constructor(readonly protocols: string[]) {}

  send(text: string): void {
    this.sent.push(JSON.parse(text))
  }
  close(): void {
    this.closed = true
  }

  accept(): void {
    this.onopen?.()
  }
  say(message: unknown): void {
    this.onmessage?.({ data: typeof message === 'string' ? message : JSON.stringify(message) })
  }
  beat(position: number, epoch = 1): void {
    this.say({ type: 'heartbeat', epoch, position, at: '2026-11-24T01:00:00Z' })
  }
  end(code: number): void {
    this.onclose?.({ code })
  }
  get resumes(): unknown[] {
    return this.sent.filter((message) => 'resume' in message).map((message) => message.resume)
  }
}

const frame = (position: number, epoch = 1, version = position): Frame => ({
  epoch, position, type: 'alarm.updated', at: '2026-11-24T01:00:00Z', data: { alarm: alarm(1, { version }) },
})

let sockets: FakeSocket[]
let frames: number[]
let loads: number
let stream: Stream
let ended: number
let head: StreamPosition
let load: (signal: AbortSignal) => Promise<StreamPosition>
let ticket: (signal: AbortSignal) => Promise<string>

beforeEach(() => {
  vi.useFakeTimers()
  sockets = []
  frames = []
  loads = 0
  ended = 0
  head = { epoch: 1, position: 10 }
  load = async () => head
  ticket = async () => `t${sockets.length}`
  stream = new Stream({
    load: (signal) => {
      loads++
      return load(signal)
    },
    ticket: (signal) => ticket(signal),
    open: (protocols) => {
      const socket = new FakeSocket(protocols)
      sockets.push(socket)
      return socket
    },
    frame: (found) => frames.push(found.position),
    panelState: () => {},
    time: () => {},
    ended: () => ended++,
    isEnd: (error) => error === 'signed out',
    random: () => 1,
  })
})
afterEach(() => {
  stream.stop()
  vi.useRealTimers()
})

const settle = () => vi.advanceTimersByTimeAsync(0)
const wait = (ms: number) => vi.advanceTimersByTimeAsync(ms)
const last = () => sockets.at(-1)!
const status = () => stream.status.get()

/** Brings the stream to live at position 10. */
async function live(): Promise<FakeSocket> {
  stream.start()
  await settle()
  last().accept()
  last().beat(10)
  expect(status().phase).toBe('live')
  return last()
}

/** Beats once a second for a while. */
async function beats(socket: FakeSocket, seconds: number, position = 10): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    await wait(1000)
    socket.beat(position)
  }
}

describe('beginning', () => {
  it('loads the list, offers the ticket as a subprotocol and resumes from the list', async () => {
    stream.start()
    await settle()
    expect(last().protocols).toEqual(['dozor.v1', 'ticket.t0'])
    expect(last().sent).toEqual([])
    last().accept()
    expect(last().resumes).toEqual([{ epoch: 1, position: 10 }])
    expect(status().phase).toBe('syncing')
    last().beat(10)
    expect(status()).toMatchObject({ phase: 'live', degraded: false })
  })

  it('says degraded within 3 s when the server takes the connection and is silent', async () => {
    stream.start()
    await settle()
    last().accept()
    await wait(2700)
    expect(status().degraded).toBe(false)
    await wait(200)
    expect(status().degraded).toBe(true)
    expect(last().closed).toBe(true)
  })

  it('is watched before a socket is there: a ticket that never comes ends the try', async () => {
    ticket = () => new Promise(() => {})
    stream.start()
    await wait(3000)
    expect(status()).toMatchObject({ phase: 'waiting', degraded: true })
    ticket = async () => 'later'
    await wait(600)
    expect(sockets).toHaveLength(1)
  })

  it('waits longer for the lists than for a message, but says that it is late', async () => {
    let give: (position: StreamPosition) => void = () => {}
    load = () => new Promise((resolve) => (give = resolve))
    stream.start()
    await wait(5000)
    expect(loads).toBe(1)
    expect(status()).toMatchObject({ phase: 'connecting', degraded: true })
    give(head)
    await settle()
    last().accept()
    last().beat(10)
    expect(status()).toMatchObject({ phase: 'live', degraded: false })
  })
})

describe('a frozen server', () => {
  it('is noticed within 3 s without a message, without a close event, and left for good', async () => {
    const socket = await live()
    await beats(socket, 5)
    await wait(2749)
    expect(status().phase).toBe('live')
    await wait(1)
    expect(status()).toMatchObject({ phase: 'waiting', degraded: true })
    expect([socket.onopen, socket.onmessage, socket.onclose, socket.onerror]).toEqual([null, null, null, null])
    expect(socket.closed).toBe(true)
  })

  it('that thaws is resumed from the last frame, not from the list', async () => {
    const socket = await live()
    socket.say(frame(11))
    socket.say(frame(15))
    await wait(3000)
    await wait(500)
    expect(sockets).toHaveLength(2)
    last().accept()
    expect(last().resumes).toEqual([{ epoch: 1, position: 15 }])
    last().say(frame(16))
    last().beat(16)
    expect(frames).toEqual([11, 15, 16])
    expect(loads).toBe(1)
    expect(status()).toMatchObject({ phase: 'live', degraded: false })
  })

  it('is asked again at growing distances of at most 5 s, each try with a ticket of its own', async () => {
    const socket = await live()
    const tickets = vi.fn(async () => `n${sockets.length}`)
    ticket = tickets
    socket.end(1006)
    const begun: number[] = []
    let seen = sockets.length
    for (let ms = 0; ms < 60_000; ms += 50) {
      await wait(50)
      if (sockets.length > seen) {
        seen = sockets.length
        begun.push(ms)
        last().end(1006)
      }
    }
    const gaps = begun.slice(1).map((at, i) => at - begun[i]!)
    expect(begun[0]).toBeLessThanOrEqual(550)
    expect(Math.max(...gaps)).toBeLessThanOrEqual(5_100)
    expect(gaps.at(-1)).toBeGreaterThan(4_500)
    expect(tickets).toHaveBeenCalledTimes(begun.length)
  })
})

it('says so at once when the server is killed', async () => {
  const socket = await live()
  socket.end(1006)
  expect(status()).toMatchObject({ phase: 'waiting', degraded: true })
})

describe('positions', () => {
  it('drops what it has already, and frames of a lower epoch', async () => {
    head = { epoch: 2, position: 10 }
    stream.start()
    await settle()
    last().accept()
    last().beat(10, 2)
    last().say(frame(10, 2))
    last().say(frame(11, 2))
    last().say(frame(11, 2))
    last().say(frame(12, 1))
    last().say(frame(13, 2))
    expect(frames).toEqual([11, 13])
  })

  it('moves on with heartbeats, so that a resume asks for less', async () => {
    const socket = await live()
    socket.beat(40)
    socket.end(4000)
    await wait(500)
    last().accept()
    expect(last().resumes).toEqual([{ epoch: 1, position: 40 }])
  })

  it('does not trust the position of a heartbeat that crossed the resume', async () => {
    stream.start()
    await settle()
    last().accept()
    last().beat(30)
    last().say(frame(20))
    expect(frames).toEqual([20])
  })
})

describe('reset', () => {
  it('loads the lists anew and resumes on the same connection', async () => {
    const socket = await live()
    head = { epoch: 2, position: 3 }
    socket.say({ type: 'reset', epoch: 2, position: 3 })
    expect(status().phase).toBe('syncing')
    socket.say(frame(99, 1))
    await settle()
    expect(sockets).toHaveLength(1)
    expect(socket.resumes).toEqual([{ epoch: 1, position: 10 }, { epoch: 2, position: 3 }])
    expect(frames).toEqual([])
    socket.say(frame(4, 2))
    socket.beat(4, 2)
    expect(frames).toEqual([4])
    expect(status().phase).toBe('live')
  })

  it('follows from a higher epoch alone', async () => {
    const socket = await live()
    head = { epoch: 5, position: 1 }
    socket.say(frame(2, 5))
    await settle()
    expect(loads).toBe(2)
    expect(socket.resumes.at(-1)).toEqual({ epoch: 5, position: 1 })
  })

  it('whose lists cannot be loaded begins a new connection', async () => {
    const socket = await live()
    load = async () => {
      throw new Error('503')
    }
    socket.say({ type: 'reset', epoch: 2, position: 3 })
    await settle()
    expect(socket.closed).toBe(true)
    expect(status()).toMatchObject({ phase: 'waiting', degraded: true })
  })
})

describe('close codes', () => {
  it('4000 and 4001 connect again without growing delay', async () => {
    for (const code of [4000, 4001, 4000, 4001]) {
      const count = sockets.length
      if (count === 0) await live()
      last().end(code)
      const before = sockets.length
      await wait(500)
      expect(sockets).toHaveLength(before + 1)
    }
  })

  it('4003 ends, and asks to sign in', async () => {
    const socket = await live()
    socket.end(4003)
    expect(ended).toBe(1)
    await wait(20_000)
    expect(sockets).toHaveLength(1)
    expect(status().phase).toBe('idle')
  })

  it('4400 and what is no JSON load everything anew', async () => {
    const socket = await live()
    socket.end(4400)
    await wait(600)
    expect(loads).toBe(2)
    last().accept()
    last().beat(10)
    last().say('{')
    await wait(1000)
    expect(loads).toBe(3)
  })
})

it('a refused ticket ends, and asks to sign in', async () => {
  const socket = await live()
  ticket = async () => {
    throw 'signed out'
  }
  socket.end(1006)
  await wait(600)
  expect(ended).toBe(1)
})

it('asks for panels once live, and again on each connection', async () => {
  stream.watchPanels([3, 4])
  const socket = await live()
  expect(socket.sent.at(-1)).toEqual({ subscribe: { panels: [3, 4] } })
  stream.watchPanels('all')
  expect(socket.sent.at(-1)).toEqual({ subscribe: { panels: 'all' } })
  socket.end(1006)
  await wait(600)
  last().accept()
  last().beat(10)
  expect(last().sent.at(-1)).toEqual({ subscribe: { panels: 'all' } })
})

it('begins again after stop as if for the first time, and says when that is late', async () => {
  stream.start()
  stream.stop()
  await settle()
  stream.start()
  await settle()
  await wait(3000)
  expect(status().degraded).toBe(true)
})

it('does nothing after stop', async () => {
  const socket = await live()
  stream.stop()
  socket.say(frame(50))
  await wait(30_000)
  expect(frames).toEqual([])
  expect(sockets).toHaveLength(1)
})
