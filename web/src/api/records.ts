// The record of events, and how the station itself is.
import type { Client, Options } from './client'
import type { Operations, Schemas } from './schema'

type Asked = NonNullable<Operations['GET /api/events']['ask']['query']>

/** What events are asked for, without which page of them. */
export type EventFilter = Omit<Asked, 'limit' | 'cursor'>
export type EventPage = Schemas.EventsOutputBody

/** Events that match, newest first, after those of cursor. */
export function findEvents(client: Client, filter: EventFilter, cursor: string | undefined, options: Options & { limit?: number } = {}): Promise<EventPage> {
  return client.call('GET /api/events', { ...options, query: { ...filter, limit: options.limit ?? 100, cursor } })
}

export type DeskEntry = Schemas.Desk
/** How the station is. What an instance can't say is null. */
export type Status = Schemas.Status
export type StationPart = Schemas.Part
export type Health = Status['database']['state']

export function getStatus(client: Client, options: Options = {}): Promise<Status> {
  return client.call('GET /api/status', options)
}
