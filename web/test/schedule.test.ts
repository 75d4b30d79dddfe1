// Which tone sounds at which moment for which queue.
import { beforeEach, describe, expect, it } from 'vitest'
import type { Alarm } from '../src/api/types'
import { type Mute, muteNow, type Play, Schedule } from '../src/attention/schedule'
import { tones } from '../src/attention/tones'
import { alarm } from './samples'

const opened = Date.parse('2026-11-24T01:00:00Z')

/** A desk that listens: it asks once a second and at every change, and hears what was not hushed. */
class Ear {
  schedule = new Schedule()
  now = 0
  queue: Alarm[] = []
  lost = false
  mute: Mute | undefined
  heard: Play[] = []

  ask(): void {
    const { hush, plays } = this.schedule.turn({ now: this.now, server: opened + this.now, queue: this.queue, lost: this.lost, mute: this.mute })
    const kept = (play: Play) => {
      const over = play.at + tones[play.tone].length <= this.now
      if (over || hush === 'all') return over
      return !(play.goesOn && hush.includes(play.tone)) || play.at < this.now
    }
    this.heard = this.heard.filter(kept)
    this.heard.push(...plays)
  }

  /** Something changes, and is heard of at once. */
  change(...queue: Alarm[]): void {
    this.queue = queue
    this.ask()
  }

  listen(ms: number, every = 1_000): void {
    const end = this.now + ms
    while (this.now < end) {
      this.now = Math.min(end, this.now + every)
      this.ask()
    }
  }

  muteFor(ms: number): void {
    this.mute = muteNow(this.now, ms, this.queue)
    this.ask()
  }

  /** What was heard from a moment on until now, as tone and time. */
  since(from: number, until = this.now): string[] {
    return this.heard.filter((play) => play.at >= from && play.at < until).map((play) => `${play.tone}@${play.at}`)
  }
  tones(from = 0): string[] {
    return this.heard.filter((play) => play.at >= from).map((play) => play.tone)
  }
}

let ear: Ear
beforeEach(() => {
  ear = new Ear()
})

const p1 = (id: number, change: Partial<Alarm> = {}) => alarm(id, { priority: 1, ...change })
const p2 = (id: number, change: Partial<Alarm> = {}) => alarm(id, { priority: 2, ...change })
const p3 = (id: number, change: Partial<Alarm> = {}) => alarm(id, { priority: 3, ...change })

it('an empty queue is silent', () => {
  ear.listen(60_000)
  expect(ear.heard).toEqual([])
})

describe('P1', () => {
  it('sounds without pause until somebody claims it, and not a moment longer', () => {
    ear.change(p1(1))
    ear.listen(10_300)
    const starts = ear.heard.map((play) => play.at)
    expect(starts.slice(0, 21)).toEqual(Array.from({ length: 21 }, (_, i) => i * 500))
    ear.change(p1(1, { state: 'claimed', version: 2 }))
    ear.listen(20_000)
    expect(ear.since(10_300)).toEqual([])
  })

  it('has no gap although the browser asks it only once a second', () => {
    ear.change(p1(1))
    ear.listen(20_000, 1_400)
    const starts = ear.heard.map((play) => play.at)
    for (let i = 1; i < starts.length; i++) expect(starts[i]! - starts[i - 1]!).toBe(500)
  })

  it('rises by 6 dB after 30 s, and begins anew when it lost its owner', () => {
    ear.change(p1(1))
    ear.listen(40_000)
    const gain = (at: number) => ear.heard.find((play) => play.at === at)!.gain
    expect(gain(29_500)).toBe(tones.p1.gain)
    expect(20 * Math.log10(gain(30_000) / gain(29_500))).toBeCloseTo(6, 1)
    expect(gain(30_000)).toBeLessThanOrEqual(1)
    ear.change(p1(1, { state: 'claimed' }))
    ear.listen(5_000)
    const from = ear.now
    ear.change(p1(1))
    expect(ear.heard.find((play) => play.at >= from)!.gain).toBe(tones.p1.gain)
  })

  it('is not disturbed by anything, and what waited meanwhile comes after it', () => {
    ear.change(p1(1), p2(2), p3(3))
    ear.lost = true
    ear.listen(8_000)
    expect(new Set(ear.tones())).toEqual(new Set(['p1']))
    ear.lost = false
    ear.change(p1(1, { state: 'claimed' }), p2(2, { state: 'claimed' }), p3(3))
    ear.listen(5_000)
    expect(ear.since(8_000)).toEqual(['p3@8000'])
  })

  it('begins at once, whatever was playing', () => {
    ear.change(p2(2))
    ear.listen(100)
    ear.change(p1(1), p2(2))
    expect(ear.heard.filter((play) => play.at >= 100)[0]).toMatchObject({ tone: 'p1', at: 100 })
  })
})

describe('P2', () => {
  it('sounds every 5 s until anyone claims it', () => {
    ear.change(p2(1))
    ear.listen(16_000)
    expect(ear.since(0)).toEqual(['p2@0', 'p2@5000', 'p2@10000', 'p2@15000'])
    ear.change(p2(1, { state: 'claimed' }))
    ear.listen(20_000)
    expect(ear.since(16_000)).toEqual([])
  })

  it('that comes later does not wait for a rhythm that has ended', () => {
    ear.change(p2(1))
    ear.listen(1_000)
    ear.change(p2(1, { state: 'claimed' }))
    ear.change(p2(1, { state: 'claimed' }), p2(2))
    ear.listen(1_000)
    expect(ear.since(1_000)).toEqual(['p2@1000'])
  })

  it('many of them are one rhythm', () => {
    ear.change(...Array.from({ length: 50 }, (_, i) => p2(i)))
    ear.listen(9_000)
    expect(ear.since(0)).toEqual(['p2@0', 'p2@5000'])
  })
})

describe('P3', () => {
  it('sounds once, and once more when nobody has claimed it at its limit', () => {
    ear.change(p3(1))
    ear.listen(300_000)
    expect(ear.since(0)).toEqual(['p3@0', 'p3@90000'])
  })

  it('that was claimed does not sound at its limit', () => {
    ear.change(p3(1))
    ear.listen(80_000)
    ear.change(p3(1, { state: 'claimed' }))
    ear.listen(60_000)
    expect(ear.since(0)).toEqual(['p3@0'])
  })

  it('found past its limit sounds once', () => {
    ear.now = 200_000
    ear.change(p3(1))
    ear.listen(100_000)
    expect(ear.since(0)).toEqual(['p3@200000'])
  })

  it('a hundred at once are one tone, not a hundred', () => {
    ear.change(...Array.from({ length: 100 }, (_, i) => p3(i)))
    ear.listen(10_000)
    expect(ear.since(0)).toEqual(['p3@0'])
  })

  it('sounds between the tones of a P2', () => {
    ear.change(p2(1))
    ear.listen(2_000)
    ear.change(p2(1), p3(2))
    ear.listen(4_000)
    expect(ear.since(0)).toEqual(['p2@0', 'p3@2000', 'p2@5000'])
  })
})

it('P4, P5 and what a panel remembered make no sound', () => {
  ear.change(alarm(1, { priority: 4 }), alarm(2, { priority: 5 }), p1(3, { historic: true }), p2(4, { historic: true }))
  ear.listen(200_000)
  ear.change(alarm(1, { priority: 4, ring: 2 }), p1(3, { historic: true, state: 'claimed', ring: 3 }))
  ear.listen(10_000)
  expect(ear.heard).toEqual([])
})

describe('a claimed alarm that rings again', () => {
  it.each([[1, 'p1'], [2, 'p2'], [3, 'p3']] as const)('of P%i sounds twice, and no more', (priority, tone) => {
    ear.change(alarm(1, { priority, state: 'claimed' }))
    ear.listen(5_000)
    expect(ear.heard).toEqual([])
    ear.change(alarm(1, { priority, state: 'claimed', ring: 2, version: 2 }))
    ear.listen(30_000)
    expect(ear.tones()).toEqual([tone, tone])
  })

  it('a pause that ends is such a ring', () => {
    ear.change(p2(1, { state: 'acknowledged', paused_until: '2026-11-24T01:05:00Z' }))
    ear.listen(5_000)
    ear.change(p2(1, { state: 'acknowledged', ring: 2 }))
    ear.listen(20_000)
    expect(ear.tones()).toEqual(['p2', 'p2'])
  })

  it('a P3 that lost its owner sounds twice', () => {
    ear.change(p3(1, { state: 'claimed' }))
    ear.listen(1_000)
    ear.change(p3(1))
    ear.listen(20_000)
    expect(ear.tones()).toEqual(['p3', 'p3'])
  })

  it('many that ring together are heard as one', () => {
    const many = (ring: number) => Array.from({ length: 40 }, (_, i) => p2(i, { state: 'claimed', ring }))
    ear.change(...many(1))
    ear.change(...many(2))
    ear.listen(30_000)
    expect(ear.tones()).toEqual(['p2', 'p2'])
  })

  it('is silent when it was closed before it could be heard', () => {
    ear.change(p1(9), p2(1, { state: 'claimed' }))
    ear.change(p1(9), p2(1, { state: 'claimed', ring: 2 }))
    ear.listen(2_000)
    ear.change(p1(9, { state: 'claimed' }))
    ear.listen(10_000)
    expect(ear.since(2_000)).toEqual([])
  })
})

describe('the own link', () => {
  it('that is lost is told every 10 s until it is back or somebody knows', () => {
    ear.lost = true
    ear.ask()
    ear.listen(25_000)
    expect(ear.since(0)).toEqual(['lost@0', 'lost@10000', 'lost@20000'])
    ear.lost = false
    ear.ask()
    ear.listen(30_000)
    expect(ear.since(25_000)).toEqual([])
  })

  it('and a P2 that waits are both heard, never over each other', () => {
    ear.change(p2(1))
    ear.lost = true
    ear.listen(30_000)
    expect(ear.tones().filter((tone) => tone === 'p2').length).toBeGreaterThanOrEqual(5)
    expect(ear.tones().filter((tone) => tone === 'lost').length).toBeGreaterThanOrEqual(2)
    const all = [...ear.heard].sort((a, b) => a.at - b.at)
    for (let i = 1; i < all.length; i++) expect(all[i]!.at).toBeGreaterThanOrEqual(all[i - 1]!.at + tones[all[i - 1]!.tone].length)
  })

  it('that is lost silences no P1', () => {
    ear.change(p1(1))
    ear.lost = true
    ear.listen(5_000)
    expect(new Set(ear.tones())).toEqual(new Set(['p1']))
  })
})

describe('a muted desk', () => {
  it('is silent at once, for as long as it was muted, and then goes on', () => {
    ear.change(p1(1))
    ear.listen(2_000)
    ear.muteFor(60_000)
    ear.listen(59_000)
    expect(ear.since(2_000)).toEqual([])
    ear.listen(3_000)
    expect(ear.since(61_000, 63_000)).toEqual(['p1@62000', 'p1@62500'])
  })

  it('rings for a P1 that comes meanwhile', () => {
    ear.change(p1(1), p2(2))
    ear.muteFor(60_000)
    ear.listen(5_000)
    ear.change(p1(1), p2(2), p2(3))
    ear.listen(5_000)
    expect(ear.since(0)).toEqual([])
    ear.change(p1(1), p1(4), p2(2), p2(3))
    ear.listen(1_000)
    expect(ear.since(10_000)).toEqual(['p1@10000', 'p1@10500'])
  })

  it('rings for a muted P1 that rings again, waiting or claimed', () => {
    ear.change(p1(1))
    ear.muteFor(60_000)
    ear.change(p1(1, { ring: 2 }))
    expect(ear.tones()[0]).toBe('p1')
    ear = new Ear()
    ear.change(p1(1, { state: 'claimed' }))
    ear.muteFor(60_000)
    ear.now = 1_000
    ear.change(p1(1, { state: 'claimed', ring: 2 }))
    ear.listen(10_000)
    expect(ear.tones()).toEqual(['p1', 'p1'])
  })

  it('can be muted again when a new P1 rings through', () => {
    ear.muteFor(60_000)
    ear.now = 1_000
    ear.change(p1(1))
    ear.listen(1_000)
    expect(ear.tones().length).toBeGreaterThan(0)
    const from = ear.now
    ear.muteFor(60_000)
    ear.listen(30_000)
    expect(ear.since(from)).toEqual([])
  })

  it('loses nothing: a P3 of the muted minute is heard after it', () => {
    ear.muteFor(60_000)
    ear.change(p3(1))
    ear.listen(59_000)
    expect(ear.heard).toEqual([])
    ear.listen(3_000)
    expect(ear.tones()).toEqual(['p3'])
  })
})

it('a window that begins to sound goes on at once with what waits', () => {
  ear.change(p2(1))
  ear.listen(1_000)
  ear.schedule.again()
  ear.ask()
  expect(ear.since(1_000, 1_500)).toEqual(['p2@1000'])
})
