import { beforeEach, describe, expect, it, vi } from 'vitest'
import { AlarmStore } from '../src/live/alarms'
import { DetailStore } from '../src/live/details'
import { alarm, event } from './samples'

let store: AlarmStore
beforeEach(() => {
  store = new AlarmStore()
})

const ids = () => {
  store.flush()
  return store.list().map((found) => found.id)
}

describe('versions', () => {
  it('keeps the higher version, whichever comes first', () => {
    store.apply(alarm(1, { version: 5, state: 'claimed' }))
    expect(store.apply(alarm(1, { version: 4 }))).toBe(false)
    expect(store.apply(alarm(1, { version: 5 }))).toBe(false)
    expect(store.get(1)?.state).toBe('claimed')
    expect(store.apply(alarm(1, { version: 6, state: 'acknowledged' }))).toBe(true)
    expect(store.get(1)?.state).toBe('acknowledged')
  })

  it('does not bring a closed alarm back with a late frame', () => {
    store.apply(alarm(1, { version: 3 }))
    store.apply(alarm(1, { version: 9, state: 'closed' }))
    store.apply(alarm(1, { version: 8, state: 'resolved' }))
    expect(ids()).toEqual([])
  })

  it('remembers an alarm that was first seen closed', () => {
    store.apply(alarm(1, { version: 9, state: 'closed' }))
    store.apply(alarm(1, { version: 8 }))
    expect(ids()).toEqual([])
  })
})

describe('a list of the same epoch', () => {
  it('keeps what is known newer, and removes what is not listed', () => {
    store.replace([alarm(1), alarm(2)], 1)
    store.apply(alarm(1, { version: 4, state: 'claimed' }))
    store.replace([alarm(1, { version: 3 })], 1)
    expect(ids()).toEqual([1])
    expect(store.get(1)?.version).toBe(4)
  })

  it('does not reopen what was closed after it was read', () => {
    store.replace([alarm(1)], 1)
    store.apply(alarm(1, { version: 5, state: 'closed' }))
    store.replace([alarm(1, { version: 4 })], 1)
    expect(ids()).toEqual([])
  })

  it('takes an alarm again that the list lacked and a frame brings', () => {
    store.replace([alarm(1, { version: 2 })], 1)
    store.replace([], 1)
    store.apply(alarm(1, { version: 2 }))
    expect(ids()).toEqual([1])
  })
})

it('a list of another epoch is the truth, even with lower versions', () => {
  store.replace([alarm(1, { version: 7, state: 'claimed' })], 1)
  store.apply(alarm(2, { version: 9, state: 'closed' }))
  store.replace([alarm(1, { version: 6 }), alarm(2, { version: 3 })], 2)
  expect(ids()).toEqual([1, 2])
  expect(store.get(1)?.version).toBe(6)
})

it('orders by priority, confirmed ones first, then the longest wait', () => {
  store.replace(
    [
      alarm(1, { priority: 3, opened_at: '2026-11-24T00:00:00Z' }),
      alarm(2, { opened_at: '2026-11-24T01:00:05Z' }),
      alarm(3, { opened_at: '2026-11-24T01:00:01Z' }),
      alarm(4, { opened_at: '2026-11-24T01:00:09Z', confirmed_at: '2026-11-24T01:00:10Z' }),
      alarm(5, { priority: 1, opened_at: '2026-11-24T01:00:20Z' }),
      alarm(6, { opened_at: '2026-11-24T01:00:01Z' }),
    ],
    1,
  )
  expect(ids()).toEqual([5, 4, 3, 6, 2, 1])
})

it('claiming moves no row', () => {
  store.replace([alarm(1, { opened_at: '2026-11-24T01:00:00Z' }), alarm(2, { opened_at: '2026-11-24T01:00:05Z' })], 1)
  store.apply(alarm(1, { version: 2, state: 'claimed' }))
  expect(ids()).toEqual([1, 2])
})

it('tells a row only of its own alarm, once for many changes', () => {
  store.replace([alarm(1), alarm(2)], 1)
  store.flush()
  const first = vi.fn()
  const second = vi.fn()
  store.subscribeRow(1, first)
  store.subscribeRow(2, second)
  for (let version = 2; version < 20; version++) store.apply(alarm(1, { version }))
  store.flush()
  expect(first).toHaveBeenCalledTimes(1)
  expect(second).not.toHaveBeenCalled()
})

it('is provisional until a record of the panel joins', () => {
  store.apply(alarm(1), [event('a', { provisional: true })])
  expect(store.isProvisional(1)).toBe(true)
  store.apply(alarm(1, { version: 2 }), [event('b')])
  expect(store.isProvisional(1)).toBe(false)
})

describe('details', () => {
  const site = { id: 1, name: 'Apteka', address: '', city: '', district: '', provider: '', risk: 'normal', mode: 'normal', notes: '', own: false, version: 1 } as const
  const opened = (details: DetailStore, version: number, events = [event('a')]) =>
    details.put({ alarm: alarm(1, { version }), events, actions: [], earlier: [], contacts: [], site, stream: { epoch: 1, position: 1 } })

  it('takes the events of a frame whose alarm has a lower version', () => {
    const details = new DetailStore()
    opened(details, 5)
    details.apply(alarm(1, { version: 4 }), [event('b')])
    expect(details.get(1)?.alarm.version).toBe(5)
    expect(details.get(1)?.events.map((found) => found.id)).toEqual(['a', 'b'])
  })

  it('counts no event twice', () => {
    const details = new DetailStore()
    opened(details, 5)
    details.apply(alarm(1, { version: 6 }), [event('a'), event('b')])
    details.apply(alarm(1, { version: 6 }), [event('b')])
    expect(details.get(1)?.events.map((found) => found.id)).toEqual(['a', 'b'])
  })

  it('takes the words that a panel has for an event from a newer version of the alarm, and not from an older one', () => {
    const details = new DetailStore()
    const worded = { ...event('a'), text_pl: 'Zalanie czujki' }
    opened(details, 5)
    details.apply(alarm(1, { version: 5 }), [worded])
    expect(details.get(1)?.events[0]?.text_pl).toBe(event('a').text_pl)
    details.apply(alarm(1, { version: 6 }), [worded])
    expect(details.get(1)?.events.map((found) => found.text_pl)).toEqual(['Zalanie czujki'])
  })

  it('keeps events of the stream that an older answer lacks', () => {
    const details = new DetailStore()
    opened(details, 5)
    details.apply(alarm(1, { version: 7, state: 'claimed' }), [event('b')])
    opened(details, 6)
    expect(details.get(1)?.alarm.state).toBe('claimed')
    expect(details.get(1)?.events.map((found) => found.id)).toEqual(['a', 'b'])
  })
})
