import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { actionFor, chordTime, isSend, KeyReader, type Press } from '../src/keys/keymap'
import { perform } from '../src/keys/perform'
import { Desk } from '../src/live/desk'
import { gate } from '../src/live/gate'
import { Station } from '../src/live/station'
import { parseRoute } from '../src/route'
import { alarm, answer, kos, operator, supervisor } from './samples'

const press = (key: string, target: EventTarget | null = document.body, more: Partial<Press> = {}): Press => ({ key, target, ...more })

function element(html: string): HTMLElement {
  document.body.innerHTML = html
  return document.body.firstElementChild as HTMLElement
}

afterEach(() => {
  document.body.innerHTML = ''
})

describe('what a key means', () => {
  it.each([
    [' ', 'claim-next'], ['j', 'down'], ['K', 'up'], ['ArrowDown', 'down'], ['Enter', 'open'], ['c', 'claim'], ['A', 'ack'], ['r', 'resolve'],
    ['z', 'close'], ['x', 'release'], ['t', 'takeover'], ['n', 'note'], ['?', 'help'], ['Escape', 'back'], ['Home', 'home'],
  ])('%s', (key, action) => {
    expect(actionFor(press(key))).toBe(action)
  })

  it('nothing while somebody types, but Escape', () => {
    for (const html of ['<input>', '<textarea></textarea>', '<select></select>']) {
      const field = element(html)
      for (const key of [' ', 'c', 'z', 'Enter', 'j']) expect(actionFor(press(key, field)), `${html} ${key}`).toBeUndefined()
      expect(actionFor(press('Escape', field))).toBe('back')
    }
  })

  it('letters count on a radio button, which needs only its own keys', () => {
    const radio = element('<input type="radio">')
    expect(actionFor(press('n', radio))).toBe('note')
    expect(actionFor(press('ArrowDown', radio))).toBeUndefined()
    expect(actionFor(press(' ', radio))).toBeUndefined()
  })

  it('nothing with a modifier: those keys are the browser’s', () => {
    expect(actionFor(press('r', document.body, { ctrlKey: true }))).toBeUndefined()
    expect(actionFor(press('c', document.body, { metaKey: true }))).toBeUndefined()
    expect(actionFor(press('ArrowUp', document.body, { altKey: true }))).toBeUndefined()
  })

  it('a key held down moves, but takes no second step', () => {
    expect(actionFor(press('j', document.body, { repeat: true }))).toBe('down')
    for (const key of [' ', 'c', 'z']) expect(actionFor(press(key, document.body, { repeat: true }))).toBeUndefined()
  })

  it('Ctrl+Enter sends, once', () => {
    expect(isSend(press('Enter', null, { ctrlKey: true }))).toBe(true)
    expect(isSend(press('Enter', null, { metaKey: true }))).toBe(true)
    expect(isSend(press('Enter', null))).toBe(false)
    expect(isSend(press('Enter', null, { ctrlKey: true, repeat: true }))).toBe(false)
  })
})

describe('keys in a row', () => {
  const reader = () => new KeyReader()

  it('G and a letter lead to a page, in time', () => {
    const keys = reader()
    expect(keys.read(press('g'), 0)).toBe('chord')
    expect(keys.read(press('p'), chordTime)).toBe('go-panels')
    expect(keys.read(press('g'), 10_000)).toBe('chord')
    expect(keys.read(press('a'), 10_001 + chordTime)).toBe('ack')
  })

  it('a letter that leads nowhere is a slip, not a step', () => {
    const keys = reader()
    keys.read(press('g'), 0)
    expect(keys.read(press('c'), 100)).toBeUndefined()
    expect(keys.read(press('c'), 200)).toBe('claim')
  })

  it('are text where somebody types', () => {
    const field = element('<textarea></textarea>')
    const keys = reader()
    expect(keys.read(press('g', field), 0)).toBeUndefined()
    expect(keys.read(press('a'), 100)).toBe('ack')
  })

  it('single ones can be switched off; what writes nothing stays', () => {
    const keys = reader()
    for (const key of [' ', 'g', 'p', 'j', 'c', 'd', 'm', '/', '?']) expect(keys.read(press(key), 0, false), key).toBeUndefined()
    expect(keys.read(press('ArrowDown'), 0, false)).toBe('down')
    expect(keys.read(press('Enter'), 0, false)).toBe('open')
    expect(keys.read(press('k', document.body, { ctrlKey: true }), 0, false)).toBe('palette')
  })
})

describe('what a key does', () => {
  let station: Station
  let desk: Desk
  let requests: { path: string; body: unknown }[]

  beforeEach(() => {
    station = new Station(() => {
      throw new Error('no stream here')
    })
    desk = new Desk()
    requests = []
    location.hash = '#/alarms'
    gate.set(true)
    vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
      requests.push({ path, body: init.body ? JSON.parse(String(init.body)) : undefined })
      return answer(200, { alarm: alarm(1, { version: 99, state: 'claimed', owner: { id: operator.id, name: operator.name } }) })
    })
    station.alarms.replace(
      [
        alarm(1, { priority: 1, state: 'claimed', owner: kos, version: 4 }),
        alarm(2, { priority: 2, version: 5 }),
        alarm(3, { priority: 2, version: 6, opened_at: '2026-11-24T02:00:00Z', state: 'claimed', owner: { id: operator.id, name: 'A. Nowak' } }),
        alarm(4, { priority: 3, version: 7 }),
      ],
      1,
    )
    station.alarms.flush()
  })
  afterEach(() => {
    gate.set(false)
    vi.unstubAllGlobals()
  })

  const act = (action: Parameters<typeof perform>[0], me = operator, covered = false) =>
    perform(action, { station, desk, me, route: parseRoute(location.hash), covered })

  it('Space claims the most urgent that waits, as it is seen, and opens it', () => {
    expect(act('claim-next')).toBe(true)
    expect(requests).toEqual([{ path: '/api/alarms/2/claim', body: { version: 5 } }])
    expect(location.hash).toBe('#/alarms/2')
  })

  it('Space reaches through a sheet, other keys do not', () => {
    expect(act('help', operator, true)).toBe(false)
    expect(act('claim', operator, true)).toBe(false)
    expect(act('claim-next', operator, true)).toBe(true)
  })

  it('J and K move the cursor and stop at the ends; Enter opens', () => {
    act('down')
    expect(desk.cursor.get()).toBe(1)
    act('up')
    expect(desk.cursor.get()).toBe(1)
    for (let i = 0; i < 9; i++) act('down')
    expect(desk.cursor.get()).toBe(4)
    expect(location.hash).toBe('#/alarms')
    act('open')
    expect(location.hash).toBe('#/alarms/4')
  })

  it('only steps that the state and the owner allow are sent', () => {
    location.hash = '#/alarms/1'
    for (const action of ['claim', 'ack', 'resolve', 'close', 'release', 'takeover'] as const) expect(act(action), action).toBe(false)
    expect(requests).toEqual([])
    expect(act('takeover', supervisor)).toBe(true)
    expect(requests).toEqual([{ path: '/api/alarms/1/takeover', body: { version: 4 } }])
  })

  it('A acknowledges one’s own, R opens a form before it sends anything', () => {
    location.hash = '#/alarms/3'
    expect(act('ack')).toBe(true)
    expect(requests.at(-1)?.path).toBe('/api/alarms/3/ack')
    station.alarms.apply(alarm(3, { version: 8, state: 'acknowledged', owner: { id: operator.id, name: 'A. Nowak' } }))
    expect(act('resolve')).toBe(true)
    expect(desk.form.get()).toBe('resolve')
    expect(requests).toHaveLength(1)
  })

  it('D asks for the next contact of the alarm that is open, and of no other', () => {
    desk.cursor.set(3)
    expect(act('dial')).toBe(false)
    location.hash = '#/alarms/3'
    expect(act('dial')).toBe(true)
    expect(desk.dial.get()).toBe(1)
    expect(requests).toEqual([])
  })

  it('Escape closes what is uppermost and closes no work', () => {
    location.hash = '#/alarms/3'
    desk.form.set('note')
    desk.help.set(true)
    act('back')
    expect([desk.help.get(), desk.form.get()]).toEqual([false, 'note'])
    act('back')
    expect(desk.form.get()).toBeUndefined()
    act('back')
    expect(location.hash).toBe('#/alarms')
    expect(requests).toEqual([])
  })

  it('nothing is sent while the connection is lost', () => {
    gate.set(false)
    act('claim-next')
    location.hash = '#/alarms/3'
    act('ack')
    expect(requests).toEqual([])
  })
})
