// What the interface offers around alarms besides their single steps.
import type { Client, Options } from './client'
import type { Alarm, AlarmDetail, AlarmEvent, AlarmList, Outcome, Site } from './types'

export interface Phone {
  id?: number
  label: string
  /** With most of its digits left out: whole numbers are in no list. */
  masked: string
}

export interface Contact {
  id: number
  site_id: number
  position: number
  name: string
  role: string
  phones: Phone[]
  notes: string
  checked_at?: string
  version: number
}

/** An alarm with all that belongs to it. */
export interface AlarmAnswer extends AlarmDetail {
  /** The site's alarms before this one, newest first. */
  earlier?: Alarm[]
  contacts?: Contact[]
}

export type RevealReason = 'call' | 'check'

export interface RevealedPhone {
  label: string
  number: string
}

export type BatchAct = 'claim' | 'ack' | 'resolve' | 'close'

export interface BatchRequest {
  act: BatchAct
  alarms: { id: number; version: number }[]
  outcome?: Outcome
  text?: string
}

export interface BatchResult {
  id: number
  alarm?: Alarm
  code?: string
}

export const handKinds = ['panic', 'duress', 'fire', 'medical', 'gas', 'burglary', 'tamper', 'technical', 'temperature', 'other'] as const
export type HandKind = (typeof handKinds)[number]

export interface HandAlarm {
  site_id: number
  kind: HandKind
  text: string
  caller?: string
}

export function closedAlarms(client: Client, q: string, cursor: string | undefined, options?: Options): Promise<AlarmList> {
  const query = new URLSearchParams({ state: 'closed', limit: '50' })
  if (q) query.set('q', q)
  if (cursor) query.set('cursor', cursor)
  return client.call('GET', `/api/alarms?${query}`, options)
}

export async function pauseAlarm(client: Client, id: number, body: { version: number; minutes: number; text: string }, idempotency: string): Promise<Alarm> {
  return (await client.call<{ alarm: Alarm }>('POST', `/api/alarms/${id}/pause`, { body, idempotency })).alarm
}

export async function resumeAlarm(client: Client, id: number, version: number, idempotency: string): Promise<Alarm> {
  return (await client.call<{ alarm: Alarm }>('POST', `/api/alarms/${id}/resume`, { body: { version }, idempotency })).alarm
}

export async function batchAlarms(client: Client, request: BatchRequest, idempotency: string): Promise<BatchResult[]> {
  return (await client.call<{ results: BatchResult[] }>('POST', '/api/alarms/batch', { body: request, idempotency, timeout: 30_000 })).results
}

export function openAlarm(client: Client, body: HandAlarm, idempotency: string): Promise<{ alarm: Alarm; joined: boolean }> {
  return client.call('POST', '/api/alarms', { body, idempotency })
}

export async function findSites(client: Client, q: string, options?: Options): Promise<Site[]> {
  const query = new URLSearchParams({ q, limit: '20' })
  return (await client.call<{ sites: Site[] }>('GET', `/api/sites?${query}`, options)).sites
}

/** The last times a panel was armed or disarmed until an instant, newest first. */
export async function armingEvents(client: Client, panel: number, until: string, options?: Options): Promise<AlarmEvent[]> {
  const query = new URLSearchParams({ panel: String(panel), kind: 'arming', to: until, limit: '50' })
  return (await client.call<{ events: AlarmEvent[] }>('GET', `/api/events?${query}`, options)).events
}

export async function revealContact(client: Client, id: number, reason: RevealReason, alarm?: number): Promise<RevealedPhone[]> {
  const body = alarm === undefined ? { reason } : { reason, alarm_id: alarm }
  return (await client.call<{ phones: RevealedPhone[] }>('POST', `/api/contacts/${id}/reveal`, { body })).phones
}
