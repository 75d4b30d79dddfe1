import { beforeEach, expect, it } from 'vitest'
import type { Alarm, Frame } from '../src/api/types'
import { Acts } from '../src/live/acts'
import { alarm, kos } from './samples'

let acts: Acts
let position = 0
beforeEach(() => {
  acts = new Acts()
})

const frame = (type: Frame['type'], data: unknown): Frame => ({ epoch: 1, position: ++position, type, at: '2026-11-24T01:00:00Z', data }) as Frame
const moved = (from: Partial<Alarm>, to: Partial<Alarm>) => acts.take(frame('alarm.updated', { alarm: alarm(1, { version: 2, ...to }) }), alarm(1, from))
const list = () => {
  acts.flush()
  return acts.list.get()
}
const told = () => list().map(({ what, by }) => (by ? `${by.name}: ${what.kind}` : what.kind))

it('says who took what, where only the owner can have done it', () => {
  moved({}, { state: 'claimed', owner: kos })
  moved({ state: 'claimed', owner: kos }, { state: 'acknowledged', owner: kos })
  moved({ state: 'acknowledged', owner: kos }, { state: 'resolved', owner: kos })
  expect(told()).toEqual(['J. Kos: resolve', 'J. Kos: ack', 'J. Kos: claim'])
})

it('names nobody for what anybody may have done', () => {
  moved({ state: 'resolved', owner: kos }, { state: 'closed', owner: kos })
  moved({ state: 'claimed', owner: kos }, { state: 'new' })
  expect(told()).toEqual(['release', 'close'])
})

it('is silent about what was no act: another event, a late frame, an alarm not known before', () => {
  moved({ event_count: 1 }, { event_count: 2 })
  moved({ version: 2, state: 'new' }, { version: 2, state: 'claimed', owner: kos })
  acts.take(frame('alarm.updated', { alarm: alarm(5, { state: 'claimed', owner: kos }) }), undefined)
  expect(told()).toEqual([])
})

it('tells an own step once, whether the answer or the stream is first', () => {
  const before = alarm(1)
  const after = alarm(1, { version: 2, state: 'claimed', owner: kos })
  acts.learn(after, before, '2026-11-24T01:00:00Z')
  acts.take(frame('alarm.updated', { alarm: after }), after)
  expect(told()).toEqual(['J. Kos: claim'])
})

it('a link comes back only if it was seen to go, and goes once', () => {
  const link = (state: string) => acts.take(frame('panel.link', { panel_id: 3, site_id: 1, link: state, at: '' }), undefined)
  link('up')
  link('down')
  link('connecting')
  link('down')
  link('up')
  link('up')
  expect(told()).toEqual(['linkUp', 'linkDown'])
})

it('keeps the newest only', () => {
  for (let i = 1; i <= 40; i++) acts.take(frame('alarm.new', { alarm: alarm(i) }), undefined)
  const kept = list()
  expect(kept).toHaveLength(12)
  expect(kept[0]!.what).toMatchObject({ alarm: { id: 40 } })
  acts.clear()
  expect(list()).toEqual([])
})
