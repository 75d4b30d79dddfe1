import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Replay } from '../src/api/letters'
import { pagesFor } from '../src/route'
import { replayAll } from '../src/views/admin/replayAll'
import { operator, supervisor } from './samples'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A server with so many letters, which answers a batch after so many questions; each tenth fails again. */
function server(letters: number, batch = 500, questions = 2) {
  const replay: Replay = { id: 'r', taken: 0, waiting: 0, stored: 0, known: 0, failed: 0 }
  let asked = 0
  const answer = () => ({ replay: { ...replay }, left: letters - replay.taken })
  return {
    replayMany: vi.fn(async (_reason: string, _replay: string | undefined) => {
      replay.waiting = Math.min(batch, letters - replay.taken)
      replay.taken += replay.waiting
      asked = 0
      return answer()
    }),
    progress: vi.fn(async () => {
      if (++asked < questions) return { ...replay }
      const failed = Math.floor(replay.waiting / 10)
      replay.failed += failed
      replay.stored += replay.waiting - failed
      replay.waiting = 0
      return { ...replay }
    }),
  }
}

async function run(calls: Parameters<typeof replayAll>[0], abort = new AbortController()) {
  const told: [waiting: number, stored: number, left: number][] = []
  const done = replayAll(calls, 'json', abort.signal, (replay, left) => told.push([replay.waiting, replay.stored, left]))
  await vi.runAllTimersAsync()
  await done
  return told
}

describe('replaying all', () => {
  it('takes batch after batch, each when the one before has its outcome', async () => {
    const calls = server(1_200)
    const told = await run(calls)
    expect(calls.replayMany.mock.calls).toEqual([['json', undefined], ['json', 'r'], ['json', 'r']])
    expect(told.at(-1)).toEqual([0, 1_080, 0])
    // None is asked for while another one is under way.
    expect(told.filter(([waiting]) => waiting > 0).map(([, , left]) => left)).toEqual([700, 700, 200, 200, 0, 0])
  })

  it('ends at once where nothing waits', async () => {
    const calls = server(0)
    expect(await run(calls)).toEqual([[0, 0, 0]])
    expect(calls.replayMany).toHaveBeenCalledTimes(1)
  })

  it('asks for no more when it is closed', async () => {
    const calls = server(1_200, 500, Infinity)
    const abort = new AbortController()
    const done = replayAll(calls, '', abort.signal, () => {})
    await vi.advanceTimersByTimeAsync(2_000)
    expect(calls.progress.mock.calls.length).toBeGreaterThan(2)
    abort.abort()
    await done
    expect(calls.replayMany).toHaveBeenCalledTimes(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('does not hammer a server where others hold what is left', async () => {
    const calls = { ...server(0), replayMany: vi.fn(async () => ({ replay: { id: 'r', taken: 0, waiting: 0, stored: 0, known: 0, failed: 0 }, left: 3 })) }
    const abort = new AbortController()
    const done = replayAll(calls, '', abort.signal, () => {})
    await vi.advanceTimersByTimeAsync(5_000)
    abort.abort()
    await done
    expect(calls.replayMany.mock.calls.length).toBeLessThan(15)
  })
})

describe('the page', () => {
  it('is an administrator’s', () => {
    for (const me of [operator, supervisor]) expect(pagesFor(me)).not.toContain('letters')
    expect(pagesFor({ ...operator, role: 'admin' })).toContain('letters')
  })
})
