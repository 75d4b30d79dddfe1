// What the frame asks of the interface: one's own sessions and password, who there is.
import type { Client, Options } from './client'
import type { Role, UserRef } from './types'

export interface SessionInfo {
  id: string | number
  user: UserRef
  user_agent: string
  created_at: string
  last_seen_at: string
  expires_at: string
  current: boolean
}

export type Person = UserRef & { role: Role }

export async function people(client: Client, options?: Options): Promise<Person[]> {
  return (await client.call<{ people: Person[] }>('GET', '/api/people', options)).people
}

export async function ownSessions(client: Client, options?: Options): Promise<SessionInfo[]> {
  return (await client.call<{ sessions: SessionInfo[] }>('GET', '/api/sessions', options)).sessions
}

export function endSession(client: Client, id: SessionInfo['id']): Promise<void> {
  return client.call('DELETE', `/api/sessions/${id}`)
}

/** Changes one's own password; all other sessions of one's own end. */
export function changePassword(client: Client, from: string, to: string): Promise<void> {
  return client.call('PUT', '/api/session/password', { body: { old: from, new: to } })
}
