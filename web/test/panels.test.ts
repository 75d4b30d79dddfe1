import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { PanelStore } from '../src/live/panels'
import { changeText } from '../src/views/panels/change'
import { en } from '../src/i18n/en'
import { pl } from '../src/i18n/pl'
import { clockLook, lookOf, partitionLook, partitionNotes, zoneLook, zoneNotes } from '../src/live/panelview'
import type { Command } from '../src/api/types'
import { orderSentence, orderTargets } from '../src/views/orderText'
import { doorFunction, switched } from '../src/views/panels/outputs'
import { troubleText } from '../src/views/panels/trouble'
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

it('a clock that is off says by how much, and when an hour is one that was missed', () => {
  const off = (seconds: number) => clockLook(panel({ clock_offset_ms: seconds * 1000 }).state)
  expect(off(0)).toBeUndefined()
  expect(off(-12)).toEqual({ ahead: false, text: '12 s', grave: false, hour: false })
  expect(off(301)).toEqual({ ahead: true, text: '5 min 1 s', grave: true, hour: false })
  expect(off(-3610)).toEqual({ ahead: false, text: '1 h 10 s', grave: true, hour: true })
  expect(off(200_000)?.text).toBe('2 d 7 h')
})

it('a change is said with the words for what it was and is', () => {
  const reaction = { kind: 'zone', number: 3, name: 'Sejf', what: 'function', was: '5', is: '64', was_pl: 'zwykła', was_en: 'instant', grave: true } as const
  expect(changeText(pl, reaction)).toEqual({ what: 'Inna reakcja', where: 'linia 3 · Sejf', detail: 'zwykła → 64' })
  expect(changeText(en, reaction).detail).toBe('instant → 64')
  expect(changeText(pl, { kind: 'user', number: 7, name: 'Ewa', what: 'vanished', was: 'Ewa' })).toEqual({ what: 'Zniknęło', where: 'użytkownik 7 · Ewa', detail: '' })
  expect(changeText(pl, { kind: 'panel', what: 'model', was: 'INTEGRA 64', is: 'INTEGRA 128' })).toEqual({ what: 'Inny typ centrali', where: '', detail: 'INTEGRA 64 → INTEGRA 128' })
})

it('a partition and a zone show what matters most of them', () => {
  const state = panel({ armed: [1, 2], partitions_alarm: [2], zones_violated: [4, 5], zones_alarm: [5], zones_bypassed: [6] }).state!
  expect([1, 2, 3].map((number) => partitionLook(state, number))).toEqual(['armed', 'alarm', 'disarmed'])
  expect([4, 5, 6, 7].map((number) => zoneLook(state, number))).toEqual(['violated', 'alarm', 'bypassed', 'quiet'])
})

it('says beside that what else is the matter', () => {
  const state = panel({
    partitions_alarm: [2], alarm_memory: [2, 3], fire_memory: [3], partitions_verified: [2], blocked: [1],
    zones_bypassed: [1, 2], zones_isolated: [2], zones_masked: [3], zones_masked_memory: [3, 4], zones_long_violation: [4], zones_violated: [4], zones_alarm_memory: [4, 5],
  }).state!
  expect([1, 2, 3].map((number) => partitionNotes(state, number))).toEqual([['blocked'], ['verified'], ['fireMemory']])
  expect([1, 2, 3, 4, 5].map((number) => zoneLook(state, number))).toEqual(['bypassed', 'isolated', 'masked', 'violated', 'memory'])
  expect([3, 4, 5].map((number) => zoneNotes(state, number))).toEqual([[], ['longViolation', 'memory', 'maskedMemory'], []])
})

it('a trouble is said with its device, and with what it means on a module of its type', () => {
  const objects = [
    { kind: 'expander', number: 12, name: 'Kuchnia', function: 11 }, { kind: 'keypad', number: 3, name: 'ETHM', function: 5 }, { kind: 'user', number: 241, name: 'Szef', function: 0 },
  ] as const
  const said = (name: string, model?: string) => troubleText(pl, name, objects, model)
  expect(said('expander_ac.12')).toBe('brak 230 V ekspandera 12 · Kuchnia')
  expect(said('reader_a.12')).toBe('czytnik A ekspandera 12 · Kuchnia')
  expect(said('reader_a.13')).toBe('za duża rezystancja akumulatora ekspandera 13')
  expect(said('ptsa_ac.3')).toBe('test PING modułu ETHM 3 · ETHM')
  expect(said('master_fob_batt.1')).toBe('słaba bateria pilota administratora 1 · Szef')
  expect(said('ethm_monitoring.4')).toBe('monitoring ETHM: serwer czasu')
  expect(said('int_gsm.3.jamming')).toBe('moduł INT-GSM 3 · ETHM: zagłuszanie')
  expect(said('system.no_line_voltage', 'INTEGRA 128-WRL')).toBe('procesor pomocniczy')
})

it('every trouble that a panel can have has words', () => {
  const source = readFileSync('../satel/troublelayout.go', 'utf8')
  const items = (list: string) => [...source.match(new RegExp(`${list} = \\[\\]string\\{([^}]*)\\}`))![1]!.matchAll(/"(\w+)"/g)].map((found) => found[1]!)
  const groups = [...source.matchAll(/group: "(\w+)"(.*)/g)].filter((found) => !found[2]!.includes('valueSize')).map((found) => found[1]!)
  expect([groups.length > 30, items('systemTroubles').length, items('gsmTroubles').length]).toEqual([true, 24, 25])
  for (const words of [pl, en]) {
    const known = words.areas.panels.troubleWords
    expect(groups.filter((group) => group !== 'system' && !(group in known.groups))).toEqual([])
    expect(items('systemTroubles').filter((item) => !(item in known.system))).toEqual([])
    expect(items('gsmTroubles').filter((item) => !(item in known.gsm))).toEqual([])
  }
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
    id: 'c', panel_id: 1, site_id: 1, kind: 'arm', arm_mode: 0, partitions: [1], zones: [], outputs: [], expanders: [], in_the_way: [], state: 'queued',
    requested_by: { id: 7, name: 'A. Nowak' }, requested_at: answered(3), deadline_at: answered(-12),
  }
  store.put({ panel: panel(null), objects: [], commands: [], stream: { epoch: 1, position: 1 } })
  store.command({ ...queued, state: 'done', result: 'ok' })
  store.command(queued)
  expect(store.parts(1)?.commands).toMatchObject([{ id: 'c', state: 'done' }])
})

it('outputs can be ordered by the functions that the protocol has for it', () => {
  const rows = readFileSync('../satel/data/types.csv', 'utf8').split('\n').map((line) => line.split(','))
  const codes = (control: string) => rows.filter((row) => row[0] === 'output' && row.at(-1)?.trim() === control).map((row) => Number(row[1]))
  expect([...switched]).toEqual(codes('yes'))
  expect([doorFunction]).toEqual(codes('door'))
})

describe('the result of an order', () => {
  const ended: Command = {
    id: 'c', panel_id: 1, site_id: 1, kind: 'arm', arm_mode: 0, partitions: [1], zones: [], outputs: [], expanders: [], state: 'refused', result: 'force_possible',
    in_the_way: [{ what: 'violated', zone: 3, name: 'Okno' }, { what: 'tampered', zone: 7 }, { what: 'trouble', name: 'system.ac' }],
    requested_by: { id: 7, name: 'A. Nowak' }, requested_at: answered(3), deadline_at: answered(-12),
  }

  it('names what stood in the way, in both languages', () => {
    expect(orderSentence(pl, ended, '')).toMatch(/Przeszkadza: .*3 Okno \(naruszona\), .*7 \(sabotaż\)\. Awarie centrali: .+\. Wymuszone uzbrojenie by się powiodło/)
    expect(orderSentence(en, ended, '')).toMatch(/In the way: .*3 Okno \(violated\), .*7 \(tamper\)\. Troubles of the panel: .+\. Forced arming would work/)
  })

  it('tells accepted, confirmed and without effect apart, and what was never sent', () => {
    const bypass = { ...ended, kind: 'bypass' as const, partitions: [], zones: [3], in_the_way: [] }
    const where = orderTargets(pl, bypass, () => 'Okno')
    expect(orderSentence(pl, { ...bypass, state: 'done', result: 'confirmed' }, where)).toMatch(/^Zablokowano linie: .*3 Okno\.$/)
    expect(orderSentence(pl, { ...bypass, state: 'done', result: 'accepted' }, where)).toMatch(/nie pokazuje/)
    expect(orderSentence(pl, { ...bypass, state: 'unknown', result: 'no_effect' }, where)).toMatch(/nie widać skutku/)
    expect(orderSentence(pl, { ...bypass, result: 'no_object' }, where)).toMatch(/^Polecenia nie wysłano: /)
  })
})
