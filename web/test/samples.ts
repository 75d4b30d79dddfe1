import type { Alarm, AlarmEvent, Me, Panel, PanelState } from '../src/api/types'

export function alarm(id: number, change: Partial<Alarm> = {}): Alarm {
  return {
    id,
    version: 1,
    site: { id: 1, name: 'Apteka Rynek', address: 'Rynek 11', city: 'Zgierz' },
    kind: 'burglary',
    priority: 2,
    state: 'new',
    ring: 1,
    historic: false,
    text_pl: 'Alarm',
    text_en: 'Alarm',
    event_count: 1,
    first_at: '2026-11-24T01:00:00Z',
    last_at: '2026-11-24T01:00:00Z',
    opened_at: '2026-11-24T01:00:00Z',
    ...change,
  }
}

export function event(id: string, change: Partial<AlarmEvent> = {}): AlarmEvent {
  return {
    id,
    site_id: 1,
    source: 'panel',
    kind: 'burglary',
    priority: 2,
    text_pl: 'Alarm',
    text_en: 'Alarm',
    at: '2026-11-24T01:00:00Z',
    received_at: '2026-11-24T01:00:01Z',
    ...change,
  }
}

export function panel(state: Partial<PanelState> | null, change: Partial<Panel> = {}): Panel {
  return {
    id: 1,
    site: { id: 1, name: 'Apteka Rynek', address: 'Rynek 11', city: 'Zgierz' },
    name: 'INTEGRA 64',
    host: 'panel',
    port: 7094,
    enabled: true,
    encrypted: false,
    link_grace_s: 30,
    version: 1,
    state: state && { panel_id: 1, link: 'up', clock_offset_ms: 0, service_mode: false, ...state },
    ...change,
  }
}

export const operator: Me = { id: 7, login: 'nowak', name: 'A. Nowak', role: 'operator', orders: ['arm', 'clear_alarm', 'disarm'] }
export const supervisor: Me = { id: 8, login: 'gaj', name: 'M. Gaj', role: 'supervisor', orders: ['arm', 'bypass', 'clear_alarm', 'disarm', 'force_arm'] }
export const kos = { id: 9, name: 'J. Kos' }

/** An answer of the server, as fetch gives it. */
export function answer(status: number, body?: unknown): Response {
  return new Response(body === undefined ? null : JSON.stringify(body), { status })
}
