import { beforeEach, expect, it, vi } from 'vitest'
import { Client } from '../src/api/client'
import { gate } from '../src/live/gate'
import { answer } from './samples'

const client = new Client()
const fetched = vi.fn<typeof fetch>()

beforeEach(() => {
  fetched.mockReset().mockImplementation(() => Promise.resolve(answer(200, {})))
  vi.stubGlobal('fetch', fetched)
  gate.set(true)
})

const asked = () => {
  const [path, init] = fetched.mock.lastCall!
  return { path, method: init?.method, headers: init?.headers, body: init?.body }
}

it('puts what is asked where the description has it', async () => {
  await client.call('PATCH /api/contacts/{id}', { id: 12, body: { name: 'J. Kos' }, ifMatch: 3 })
  expect(asked()).toEqual({
    path: '/api/contacts/12', method: 'PATCH', body: '{"name":"J. Kos"}',
    headers: { Accept: 'application/json', 'Content-Type': 'application/json', 'If-Match': '"3"' },
  })
  await client.step(7, 'claim', { version: 2 }, 'key')
  expect(asked()).toMatchObject({ path: '/api/alarms/7/claim', method: 'POST', headers: { 'Idempotency-Key': 'key' } })
  await client.call('DELETE /api/sessions/{id}', { id: 'a/b' })
  expect(asked().path).toBe('/api/sessions/a%2Fb')
})

it('leaves out parameters that say nothing', async () => {
  await client.call('GET /api/events', { query: { limit: 50, priority: [1, 2], kind: '', site: undefined, from: '2026-11-24T01:00:00Z' } })
  expect(asked().path).toBe('/api/events?limit=50&priority=1%2C2&from=2026-11-24T01%3A00%3A00Z')
  await client.call('GET /api/sites', { query: { q: '' } })
  expect(asked().path).toBe('/api/sites')
})

/** What the compiler refuses, by the description: typecheck fails where it would not. */
export const refused = () => [
  // @ts-expect-error no such operation
  client.call('GET /api/alarm'),
  // @ts-expect-error an alarm is asked for by its number
  client.call('GET /api/alarms/{id}'),
  // @ts-expect-error retiring takes no version
  client.call('POST /api/sites/{id}/retire', { id: 1, ifMatch: 1, body: { reason: 'x' } }),
  // @ts-expect-error no such state
  client.call('GET /api/alarms', { query: { state: 'ended' } }),
  // @ts-expect-error the answer has its alarm in a member
  client.call('GET /api/alarms/{id}', { id: 1 }).then(({ state }) => state),
]
