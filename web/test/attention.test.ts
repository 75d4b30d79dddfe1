import { expect, it } from 'vitest'
import { titleFor } from '../src/attention/title'
import { ringing } from '../src/attention/tone'
import { en } from '../src/i18n/en'
import { pl } from '../src/i18n/pl'
import { alarm } from './samples'

it('the title counts who waits, and tells a P1 every other second', () => {
  expect(titleFor([], pl, 1)).toBe('dozor')
  const queue = [alarm(1), alarm(2, { state: 'claimed' }), alarm(3, { priority: 4 })]
  expect([titleFor(queue, pl, 0), titleFor(queue, pl, 1)]).toEqual(['(2) dozor', '(2) dozor'])
  const fire = [alarm(9, { priority: 1, kind: 'fire' }), ...queue]
  expect([titleFor(fire, pl, 0), titleFor(fire, pl, 1), titleFor(fire, en, 3)]).toEqual(['(3) dozor', '▲ P1 POŻAR', '▲ P1 FIRE'])
})

it('only an unclaimed P1 or P2 rings, and nothing from a memory', () => {
  expect(ringing([alarm(1, { priority: 3 })])).toBeUndefined()
  expect(ringing([alarm(1, { state: 'claimed' })])).toBeUndefined()
  expect(ringing([alarm(1, { historic: true })])).toBeUndefined()
  expect(ringing([alarm(1, { priority: 1, historic: true }), alarm(2)])).toBe(2)
  expect(ringing([alarm(1, { priority: 1 }), alarm(2)])).toBe(1)
})
