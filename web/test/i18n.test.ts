import { describe, expect, it } from 'vitest'
import { wordFor } from '../src/i18n'
import { en } from '../src/i18n/en'
import { age, full, panelMinute, short, since, tenths } from '../src/i18n/format'
import { type Catalogue, pl } from '../src/i18n/pl'

type Leaf = [path: string, value: unknown]

function leaves(value: unknown, path = ''): Leaf[] {
  if (typeof value !== 'object' || value === null) return [[path, value]]
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, `${path}.${key}`))
}

describe('catalogues', () => {
  it('have the same entries, and none is empty', () => {
    const polish = leaves(pl)
    const english = new Map(leaves(en))
    expect([...english.keys()].sort()).toEqual(polish.map(([path]) => path).sort())
    for (const [path, value] of [...polish, ...english]) {
      if (typeof value === 'string') expect(value.trim(), path).not.toBe('')
      else expect(typeof value, path).toBe('function')
    }
  })

  it('do not leave Polish in the English one', () => {
    for (const [path, value] of leaves(en)) {
      if (path === '.other' || typeof value !== 'string') continue
      expect(value, path).not.toMatch(/[ąćęłńóśźżĄĆĘŁŃÓŚŹŻ]/)
    }
  })

  it.each([
    [1, '1 czeka'], [2, '2 czekają'], [4, '4 czekają'], [5, '5 czeka'], [12, '12 czeka'], [14, '14 czeka'], [22, '22 czekają'], [25, '25 czeka'],
  ])('Polish waiting: %i', (n, text) => {
    expect(pl.urgent.waiting(n)).toBe(text)
  })

  it.each([
    [1, '1 zdarzenie', '1 event'], [3, '3 zdarzenia', '3 events'], [11, '11 zdarzeń', '11 events'], [102, '102 zdarzenia', '102 events'], [0, '0 zdarzeń', '0 events'],
  ])('events: %i', (n, polish, english) => {
    expect(pl.alarm.events(n)).toBe(polish)
    expect(en.alarm.events(n)).toBe(english)
  })

  it.each([
    [1, '1 proces', '1 process'], [2, '2 procesy', '2 processes'], [5, '5 procesów', '5 processes'], [22, '22 procesy', '22 processes'],
  ])('processes: %i', (n, polish, english) => {
    expect(pl.areas.records.status.workersLine(n)).toBe(polish)
    expect(en.areas.records.status.workersLine(n)).toBe(english)
  })

  it('count what a panel has, each in its own form', () => {
    expect(pl.areas.admin.panels.counts(1, 12, 2)).toBe('1 strefa, 12 linii, 2 wyjścia')
    expect(en.areas.admin.panels.counts(1, 12, 2)).toBe('1 partition, 12 zones, 2 outputs')
  })

  it('have no count of many that is said of one', () => {
    for (const [path, value] of leaves(en)) {
      if (typeof value !== 'function' || value.length !== 1) continue
      expect(String(value(1)), path).not.toMatch(/\b1 (alarm|panel|site|zone|event|row|result|window|process|session|order|minute|day)s\b/i)
    }
  })

  it('show a value that this client does not know yet', () => {
    expect(wordFor(pl.kinds, 'burglary')).toBe('włamanie')
    expect(wordFor(pl.kinds, 'window_left_open')).toBe('window left open')
    expect(wordFor(pl.kinds, undefined)).toBe('')
  })
})

describe('times', () => {
  it('are those of Warsaw, with date and zone', () => {
    expect(full('2026-11-23T01:15:42Z')).toBe('23.11.2026 02:15:42 UTC+1')
    expect(full('2026-07-01T22:30:00Z')).toBe('02.07.2026 00:30:00 UTC+2')
  })

  it('tell the two hours apart that October has twice', () => {
    expect(full('2026-10-25T00:30:00Z')).toBe('25.10.2026 02:30:00 UTC+2')
    expect(full('2026-10-25T01:30:00Z')).toBe('25.10.2026 02:30:00 UTC+1')
  })

  it('leave the date out for today only, by the day of Warsaw', () => {
    const now = Date.parse('2026-11-23T12:00:00Z')
    expect(short('2026-11-22T23:10:00Z', now)).toBe('00:10:00')
    expect(short('2026-11-22T22:59:59Z', now)).toBe('22.11.2026 23:59:59')
    expect(panelMinute('2026-11-23T02:17', now)).toBe('02:17')
    expect(panelMinute('2026-11-21T02:17', now)).toBe('21.11 02:17')
    expect(panelMinute('gibberish', now)).toBe('gibberish')
  })

  it.each<[number, Catalogue, string]>([
    [-5_000, pl, '00:00'], [38_000, pl, '00:38'], [3_599_000, pl, '59:59'], [3_840_000, pl, '1:04 h'], [190_000_000, pl, '2 dni'], [190_000_000, en, '2 days'],
  ])('ages: %i ms', (ms, words, text) => {
    expect(age(words, ms)).toBe(text)
  })

  it('write tenths as the language does', () => {
    expect(tenths(pl, 340)).toBe('0,3 s')
    expect(tenths(en, 340)).toBe('0.3 s')
    expect(since(pl, 14_400)).toBe('14 s')
    expect(since(pl, 240_000)).toBe('04:00')
  })
})
