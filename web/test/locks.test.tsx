// Two locks on every change while the connection is lost: the controls and the client.
import { act } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { ApiError, Client } from '../src/api/client'
import { gate } from '../src/live/gate'
import { Steps } from '../src/live/steps'
import { Mutating } from '../src/ui/Mutating'
import { alarm, answer, kos } from './samples'

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true })

let root: Root
let place: HTMLElement
const sent = vi.fn()

beforeEach(() => {
  gate.set(false)
  place = document.createElement('div')
  document.body.append(place)
  root = createRoot(place)
  sent.mockReset()
  sent.mockImplementation(async () => answer(200, { alarm: alarm(1, { version: 2, state: 'claimed' }) }))
  vi.stubGlobal('fetch', sent)
})
afterEach(() => {
  act(() => root.unmount())
  place.remove()
  gate.set(false)
  vi.unstubAllGlobals()
})

it('the first lock: every control inside of Mutating follows the gate', () => {
  act(() => root.render(
    <>
      <Mutating><button type="button" id="claim">x</button></Mutating>
      <button type="button" id="open">y</button>
    </>,
  ))
  // A disabled fieldset disables what is in it; the browser test proves that part.
  const disabled = (id: string) => document.getElementById(id)!.closest('fieldset')?.disabled ?? false
  expect([disabled('claim'), disabled('open')]).toEqual([true, false])
  act(() => gate.set(true))
  expect(disabled('claim')).toBe(false)
  act(() => gate.set(false))
  expect(disabled('claim')).toBe(true)
})

it('the second lock: the client itself sends nothing that changes anything', async () => {
  const client = new Client()
  const refused = [
    () => client.step(1, 'claim', { version: 1 }, 'key'),
    () => client.note(1, 'text', 'key'),
    () => client.order(1, { kind: 'arm', partitions: [1], arm_mode: 0, deadline_s: 15 }, 'key'),
    () => client.signOut(),
  ]
  for (const call of refused) await expect(call()).rejects.toMatchObject({ status: 0, code: 'gate_closed' })
  expect(sent).not.toHaveBeenCalled()
  gate.set(true)
  await client.step(1, 'claim', { version: 1 }, 'key')
  expect(sent).toHaveBeenCalledTimes(1)
  expect(sent.mock.calls[0]![1]).toMatchObject({ method: 'POST', headers: { 'Idempotency-Key': 'key' } })
})

it('what connects again passes: sign-in, ticket and everything that only reads', async () => {
  const client = new Client()
  sent.mockImplementation(async () => answer(200, { ticket: 't', user: {}, alarms: [], stream: { epoch: 1, position: 1 } }))
  await client.ticket()
  await client.signIn('a', 'b')
  await client.alarms('open')
  expect(sent).toHaveBeenCalledTimes(3)
})

it('every 401 signs out, but for a wrong password', async () => {
  const client = new Client()
  const out = vi.fn()
  client.onSignedOut = out
  sent.mockImplementation(async () => answer(401, { code: 'bad_credentials' }))
  await expect(client.signIn('a', 'b')).rejects.toBeInstanceOf(ApiError)
  expect(out).not.toHaveBeenCalled()
  sent.mockImplementation(async () => answer(401, { code: 'not_signed_in' }))
  await expect(client.alarms('open')).rejects.toMatchObject({ status: 401 })
  expect(out).toHaveBeenCalledTimes(1)
})

it('a server that never answers is given up on', async () => {
  vi.useFakeTimers()
  sent.mockImplementation((_path: string, init: RequestInit) => new Promise((_, reject) => init.signal!.addEventListener('abort', () => reject(new Error('aborted')))))
  const call = expect(new Client().alarms('open')).rejects.toMatchObject({ status: 0, code: 'timeout' })
  await vi.advanceTimersByTimeAsync(10_000)
  await call
  vi.useRealTimers()
})

it('a step is pending until the server answers, and never shown as done before', async () => {
  gate.set(true)
  let reply: (response: Response) => void = () => {}
  sent.mockImplementation(() => new Promise((resolve) => (reply = resolve)))
  const learned = vi.fn()
  const steps = new Steps(new Client(), learned)
  const taken = steps.take(alarm(1), 'claim')
  expect(steps.states.get().get(1)).toEqual({ kind: 'pending', step: 'claim' })
  expect(learned).not.toHaveBeenCalled()
  expect(await steps.take(alarm(1), 'claim')).toBe(false)
  expect(sent).toHaveBeenCalledTimes(1)
  reply(answer(200, { alarm: alarm(1, { version: 2, state: 'claimed' }) }))
  expect(await taken).toBe(true)
  expect(steps.states.get().has(1)).toBe(false)
  expect(learned).toHaveBeenCalledWith(expect.objectContaining({ version: 2 }))
})

it('a lost race says who won and keeps what was typed', async () => {
  gate.set(true)
  const now = alarm(1, { version: 3, state: 'claimed', owner: kos, claimed_at: new Date(Date.now() - 300).toISOString() })
  sent.mockImplementation(async () => answer(409, { code: 'alarm_conflict', alarm: now, actor: kos }))
  const learned = vi.fn()
  const steps = new Steps(new Client(), learned)
  steps.write(1, { note: 'dzwonił sąsiad', outcome: 'real', text: 'ślady' })
  expect(await steps.take(alarm(1), 'claim')).toBe(false)
  const state = steps.states.get().get(1)
  expect(state).toMatchObject({ kind: 'lost', by: kos })
  expect(state?.kind === 'lost' && state.earlierMs).toBeGreaterThan(200)
  expect(learned).toHaveBeenCalledWith(now)
  expect(await steps.note(1)).toBe(false)
  expect(await steps.resolve(alarm(1))).toBe(false)
  expect(steps.draft(1)).toEqual({ note: 'dzwonił sąsiad', outcome: 'real', text: 'ślady' })
})

it('a claim that news overtook is not called lost: nobody has the alarm', async () => {
  gate.set(true)
  sent.mockImplementation(async () => answer(409, { code: 'alarm_conflict', alarm: alarm(1, { version: 3, confirmed_at: new Date().toISOString() }) }))
  const learned = vi.fn()
  const steps = new Steps(new Client(), learned)
  expect(await steps.take(alarm(1), 'claim')).toBe(false)
  expect(steps.states.get().get(1)).toEqual({ kind: 'changed', step: 'claim' })
  expect(learned).toHaveBeenCalledWith(expect.objectContaining({ version: 3 }))
})

it('an accepted note is no draft any more', async () => {
  gate.set(true)
  const steps = new Steps(new Client(), () => {})
  steps.write(1, { note: ' kod ' })
  expect(await steps.note(1)).toBe(true)
  expect(JSON.parse(sent.mock.calls[0]![1].body)).toEqual({ text: 'kod' })
  expect(steps.draft(1).note).toBe('')
})
