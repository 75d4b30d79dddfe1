import { describe, expect, it } from 'vitest'
import { noticeFor } from '../src/attention/notify'
import { peopleOf } from '../src/attention/People'
import { badgeFor, signFor, titleFor } from '../src/attention/title'
import { en } from '../src/i18n/en'
import { pl } from '../src/i18n/pl'
import { alarm, kos, operator } from './samples'

const sight = { lost: false, still: false, second: 0 }

describe('the title', () => {
  it('counts who waits, and tells a P1 every other second', () => {
    expect(titleFor({ ...sight, queue: [] }, pl)).toBe('dozor')
    const queue = [alarm(1), alarm(2, { state: 'claimed' }), alarm(3, { priority: 4 })]
    expect([0, 1].map((second) => titleFor({ ...sight, queue, second }, pl))).toEqual(['(2) dozor', '(2) dozor'])
    const fire = [alarm(9, { priority: 1, kind: 'fire' }), ...queue]
    expect([0, 1].map((second) => titleFor({ ...sight, queue: fire, second }, pl))).toEqual(['(3) dozor', '▲ P1 POŻAR'])
    expect(titleFor({ ...sight, queue: fire, second: 3 }, en)).toBe('▲ P1 FIRE')
  })

  it('stands still when motion is not wanted, and still says both', () => {
    const queue = [alarm(9, { priority: 1, kind: 'fire' })]
    const titles = [0, 1, 2].map((second) => titleFor({ ...sight, queue, second, still: true }, pl))
    expect(new Set(titles)).toEqual(new Set(['▲ P1 POŻAR (1) dozor']))
  })

  it('says that what it counts may be old', () => {
    expect(titleFor({ ...sight, queue: [alarm(1)], lost: true }, pl)).toBe('⚠ brak połączenia · (1) dozor')
  })
})

describe('the sign of the window', () => {
  it('has the shape and the number of the most pressing priority that waits', () => {
    const queue = [alarm(1, { priority: 1, state: 'claimed' }), alarm(2), alarm(3), alarm(4, { priority: 4 })]
    const sign = signFor({ ...sight, queue })
    expect(sign).toContain('M16 0 32 16 16 32 0 16z')
    expect(sign).toMatch(/>2<\/text>/)
    expect(signFor({ ...sight, queue: queue.slice(0, 1) })).not.toContain('<text')
  })

  it('dims a P1 every other second, but stands with a thick edge when motion is not wanted', () => {
    const queue = [alarm(1, { priority: 1 })]
    expect(signFor({ ...sight, queue, second: 0 })).not.toEqual(signFor({ ...sight, queue, second: 1 }))
    const still = [0, 1].map((second) => signFor({ ...sight, queue, second, still: true }))
    expect(still[0]).toEqual(still[1])
    expect(still[0]).toContain('stroke-width="4"')
  })

  it('is crossed out while the link is lost', () => {
    const queue = [alarm(1)]
    expect(signFor({ ...sight, queue, lost: true })).not.toEqual(signFor({ ...sight, queue }))
  })

  it('is an image that a browser can read', () => {
    for (const priority of [1, 2, 3, 4, 5]) {
      const drawn = new DOMParser().parseFromString(signFor({ ...sight, queue: [alarm(1, { priority })], still: true, lost: true }), 'image/svg+xml')
      expect(drawn.querySelector('parsererror')).toBeNull()
      expect(drawn.querySelector('text')?.textContent).toBe('1')
    }
  })
})

it('the badge counts what waits for somebody, without P4 and P5', () => {
  expect(badgeFor([alarm(1), alarm(2, { state: 'acknowledged' }), alarm(3, { priority: 3 }), alarm(4, { priority: 4 })])).toBe(2)
})

it('a notification says what and where, but no address', () => {
  const notice = noticeFor(alarm(4, { priority: 1, kind: 'fire' }), pl)
  expect(notice).toEqual({ tag: 'alarm-4', title: 'P1 POŻAR', body: 'Apteka Rynek', hash: '#/alarms/4' })
})

describe('people at the desks', () => {
  const desk = (id: string, user: { id: number; name: string }, can_sound: boolean, more = {}) => ({ id, user, can_sound, visible: true, since: '', ...more })

  it('are listed once each, oneself first, whoever can sound nowhere marked', () => {
    const people = peopleOf(
      [desk('a', kos, false), desk('b', kos, true, { alarm_id: 5 }), desk('c', { id: 11, name: 'E. Maj' }, false, { visible: false }), desk('d', operator, true)],
      operator, true,
    )
    expect(people.map(({ name, me, canSound, hidden, alarms }) => ({ name, me, canSound, hidden, alarms }))).toEqual([
      { name: 'A. Nowak', me: true, canSound: true, hidden: false, alarms: [] },
      { name: 'E. Maj', me: false, canSound: false, hidden: true, alarms: [] },
      { name: 'J. Kos', me: false, canSound: true, hidden: false, alarms: [5] },
    ])
  })

  it('always have oneself among them, as this desk is and not as the server last heard', () => {
    expect(peopleOf([], operator, false)).toMatchObject([{ id: 7, me: true, canSound: false }])
  })
})
