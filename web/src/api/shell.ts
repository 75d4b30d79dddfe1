// What the frame asks of the interface: one's own sessions and password, who there is.
import type { Client, Options } from './client'
import type { Schemas } from './schema'

export type SessionInfo = Schemas.Session
export type Person = Schemas.Person

export async function people(client: Client, options?: Options): Promise<Person[]> {
  return (await client.call('GET /api/people', options)).people
}

export async function ownSessions(client: Client, options?: Options): Promise<SessionInfo[]> {
  return (await client.call('GET /api/sessions', options)).sessions
}

export function endSession(client: Client, id: SessionInfo['id']): Promise<undefined> {
  return client.call('DELETE /api/sessions/{id}', { id })
}

/** Changes one's own password; all other sessions of one's own end. */
export function changePassword(client: Client, from: string, to: string): Promise<undefined> {
  return client.call('PUT /api/session/password', { body: { old: from, new: to } })
}
