import { describe, expect, it } from 'vitest'
import { PanelStore } from '../src/live/panels'
import { lookOf, partitionLook, zoneLook } from '../src/live/panelview'
import type { Command } from '../src/api/types'
import { panel } from './samples'

const now = Date.parse('2026-11-24T01:00:30Z')
const answered = (seconds: number) => new Date(now - seconds * 1000).toISOString()

describe('what looks live', () => {
  const armed = (seconds: number) => panel({ answered_at: answered(seconds), armed: [1, 2] })

  it('is what answered within ten seconds, over our own live connection', () => {
    expect(lookOf(armed(2), 2, now, true)).toMatchObject({ glyph: 'armed', fresh: true, age: 2000 })
    expect(lookOf(armed(10), 2, now, true)).toMatchObject({ glyph: 'stale', fresh: false })
    expect(lookOf(armed(2), 2, now, false)).toMatchObject({ glyph: 'stale', fresh: false })
  })

  it('is never a panel without link, without an answer or out of supervision', () => {
    expect(lookOf(panel({ link: 'down', answered_at: answered(1), armed: [1] }), 1, now, true)).toMatchObject({ glyph: 'no-link', fresh: false })
    expect(lookOf(panel({ link: 'up' }), 1, now, true)).toMatchObject({ glyph: 'stale', age: undefined })
    expect(lookOf(panel(null), 1, now, true)).toMatchObject({ glyph: 'unknown', fresh: false })
    expect(lookOf(panel({ answered_at: answered(1) }, { enabled: false }), 1, now, true)).toMatchObject({ glyph: 'off', fresh: false })
  })

  it('says the worst first', () => {
    const state = { answered_at: answered(1), armed: [1], troubles: ['battery'], exit_time: [1] }
    const glyph = (more: object, partitions?: number) => lookOf(panel({ ...state, ...more }), partitions, now, true).glyph
    expect(glyph({ partitions_alarm: [1] })).toBe('alarm')
    expect(glyph({})).toBe('exit')
    expect(glyph({ exit_time: [] })).toBe('trouble')
    expect(glyph({ exit_time: [], troubles: [] }, 2)).toBe('partial')
    expect(glyph({ exit_time: [], troubles: [], armed: [] }, 2)).toBe('disarmed')
  })
})

it('a partition and a zone show what matters most of them', () => {
  const state = panel({ armed: [1, 2], partitions_alarm: [2], zones_violated: [4, 5], zones_alarm: [5], zones_bypassed: [6] }).state!
  expect([1, 2, 3].map((number) => partitionLook(state, number))).toEqual(['armed', 'alarm', 'disarmed'])
  expect([4, 5, 6, 7].map((number) => zoneLook(state, number))).toEqual(['violated', 'alarm', 'bypassed', 'quiet'])
})

it('a state that comes late replaces no newer one', () => {
  const store = new PanelStore()
  store.replace([panel({ answered_at: answered(5), armed: [1] })])
  store.state({ ...panel({ answered_at: answered(2), armed: [] }).state! })
  store.replace([panel({ answered_at: answered(5), armed: [1] })])
  store.flush()
  expect(store.get(1)?.state?.armed).toEqual([])
})

it('a lost link is told by its frame, unless something newer is known', () => {
  const store = new PanelStore()
  store.replace([panel({ answered_at: answered(20), changed_at: answered(20) })])
  store.link({ panel_id: 1, site_id: 1, link: 'down', reason: 'no_answer', at: answered(3) })
  expect(store.get(1)?.state).toMatchObject({ link: 'down', link_reason: 'no_answer' })
  store.link({ panel_id: 1, site_id: 1, link: 'up', at: answered(10) })
  expect(store.get(1)?.state?.link).toBe('down')
})

it('the result of an order is not undone by the answer to its request', () => {
  const store = new PanelStore()
  const queued: Command = {
    id: 'c', panel_id: 1, site_id: 1, kind: 'arm', arm_mode: 0, partitions: [1], state: 'queued',
    requested_by: { id: 7, name: 'A. Nowak' }, requested_at: answered(3), deadline_at: answered(-12),
  }
  store.put({ panel: panel(null), objects: [], commands: [], stream: { epoch: 1, position: 1 } })
  store.command({ ...queued, state: 'done', result: 'ok' })
  store.command(queued)
  expect(store.parts(1)?.commands).toMatchObject([{ id: 'c', state: 'done' }])
})
