// The record of events, and how the station itself is.
import type { Client, Options } from './client'
import type { AlarmEvent, UserRef } from './types'

export interface EventFilter {
  site?: number
  panel?: number
  kind?: string
  source?: string
  /** 1 to 5, or several with commas between them. */
  priority?: string
  /** Instants, RFC 3339. */
  from?: string
  to?: string
}

export interface EventPage {
  events: AlarmEvent[]
  next_cursor?: string
}

/** Events that match, newest first, after those of cursor. */
export function findEvents(client: Client, filter: EventFilter, cursor: string | undefined, options: Options & { limit?: number } = {}): Promise<EventPage> {
  const query = new URLSearchParams({ limit: String(options.limit ?? 100) })
  for (const [name, value] of Object.entries(filter)) if (value !== undefined && value !== '') query.set(name, String(value))
  if (cursor) query.set('cursor', cursor)
  return client.call('GET', `/api/events?${query}`, options)
}

export type Health = 'ok' | 'late' | 'down'

export interface DeskEntry {
  user: UserRef
  id: string
  can_sound: boolean
  visible: boolean
  alarm_id?: number
  since: string
}

/** How the station is. What an instance can't say is left out or null. */
export interface Status {
  version: string
  instance: string
  started_at: string
  time: string
  database?: { state: Health; latency_ms: number; timeline?: string | number; connections?: number } | null
  stream?: { epoch: number; last: number; published?: number; lag_ms: number; clients: number } | null
  ingest?: { state: Health; live_depth: number; backfill_depth: number; oldest_ms: number } | null
  relay?: { state: Health; waiting: number; oldest_ms: number } | null
  workers?: { instance: string; panels: number; renewed_at: string }[] | null
  panels?: { total: number; up: number; down: number; disabled: number; unheld: number } | null
  desks?: DeskEntry[] | null
  faults?: { code: string; since: string; detail?: string }[] | null
  dead_letters?: number
}

export function getStatus(client: Client, options: Options = {}): Promise<Status> {
  return client.call('GET', '/api/status', options)
}
