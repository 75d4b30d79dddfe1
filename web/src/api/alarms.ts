// What the interface offers around alarms besides their single steps.
import type { Client, Options } from './client'
import type { Schemas } from './schema'
import type { Alarm, AlarmDetail, AlarmList, Site } from './types'

export type Phone = Schemas.MaskedPhone
export type Contact = Schemas.Contact

/** An alarm with all that belongs to it. */
export type AlarmAnswer = AlarmDetail

export type RevealReason = Schemas.RevealInputBody['reason']
export type RevealedPhone = Schemas.WholePhone
export type BatchRequest = Schemas.BatchInputBody
export type BatchAct = BatchRequest['act']
export type BatchResult = Schemas.Result
export type HandAlarm = Schemas.OpenAlarmInputBody
export type HandKind = HandAlarm['kind']

export const handKinds = [
  'panic', 'duress', 'fire', 'medical', 'gas', 'burglary', 'tamper', 'technical', 'temperature', 'other',
] as const satisfies HandKind[]

export function closedAlarms(client: Client, q: string, cursor: string | undefined, options?: Options): Promise<AlarmList> {
  return client.call('GET /api/alarms', { ...options, query: { state: 'closed', limit: 50, q, cursor } })
}

export async function pauseAlarm(client: Client, id: number, body: Schemas.PauseInputBody, idempotency: string): Promise<Alarm> {
  return (await client.call('POST /api/alarms/{id}/pause', { id, body, idempotency })).alarm
}

export async function resumeAlarm(client: Client, id: number, version: number, idempotency: string): Promise<Alarm> {
  return (await client.call('POST /api/alarms/{id}/resume', { id, body: { version }, idempotency })).alarm
}

export async function batchAlarms(client: Client, request: BatchRequest, idempotency: string): Promise<BatchResult[]> {
  return (await client.call('POST /api/alarms/batch', { body: request, idempotency, timeout: 30_000 })).results
}

export function openAlarm(client: Client, body: HandAlarm, idempotency: string): Promise<Schemas.OpenAlarmOutputBody> {
  return client.call('POST /api/alarms', { body, idempotency })
}

export async function findSites(client: Client, q: string, options?: Options): Promise<Site[]> {
  return (await client.call('GET /api/sites', { ...options, query: { q, limit: 20 } })).sites
}

export async function revealContact(client: Client, id: number, reason: RevealReason, alarm?: number): Promise<RevealedPhone[]> {
  return (await client.call('POST /api/contacts/{id}/reveal', { id, body: { reason, alarm_id: alarm } })).phones
}
