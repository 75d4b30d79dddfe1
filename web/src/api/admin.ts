// Sites, contacts, panels and people, as those who keep them see them.
import type { Contact } from './alarms'
import type { Client, Options } from './client'
import { ApiError } from './client'
import type { Panel, PanelObject, Role, Site } from './types'
import { uuid } from '../live/uuid'

export type SiteBody = Pick<Site, 'name' | 'address' | 'city' | 'district' | 'provider' | 'risk' | 'notes'> & {
  contract?: string
  latitude?: number
  longitude?: number
}

export type KeptSite = Site & { contract?: string; retired_at?: string; own?: boolean }

export type ListedSite = KeptSite & { panels: number; open_alarms: number }

export interface ContactBody {
  name: string
  role: string
  notes: string
  phones?: { label: string; number: string }[]
}

export type KeptPanel = Panel & { link_grace_s?: number; retired_at?: string; replaces_id?: number; model?: string; firmware?: string }

export interface SiteDetail {
  site: KeptSite
  panels: KeptPanel[]
  contacts: Contact[]
}

export interface PanelBody {
  name?: string
  host?: string
  port?: number
  code?: string
  link_grace_s?: number
  enabled?: boolean
}

export interface Probe {
  model: string
  firmware: string
  module: string
  objects: PanelObject[]
  counts: { partitions: number; zones: number; outputs: number; users: number }
  clock_offset_s?: number
}

export interface User {
  id: number
  login: string
  name: string
  role: Role
  disabled_at?: string
  created_at: string
  last_seen_at?: string
  version: number
}

export interface Session {
  id: string
  user: { id: number; name: string }
  user_agent: string
  created_at: string
  last_seen_at: string
  expires_at: string
  current: boolean
}

/** The object as it is now, when somebody else has edited it meanwhile. */
export function newerVersion<T>(error: unknown, member: string): T | undefined {
  if (!(error instanceof ApiError) || error.status !== 412) return undefined
  return (error.problem[member] ?? undefined) as T | undefined
}

/** How long a module may take to answer all that a probe asks. */
const probeTimeout = 20_000

export class Admin {
  constructor(private readonly client: Client) {}

  sites(find: { q?: string; retired?: boolean; cursor?: string }, options?: Options) {
    const query = new URLSearchParams({ limit: '100' })
    if (find.q) query.set('q', find.q)
    if (find.retired) query.set('retired', 'true')
    if (find.cursor) query.set('cursor', find.cursor)
    return this.client.call<{ sites: ListedSite[]; next_cursor?: string }>('GET', `/api/sites?${query}`, options)
  }

  site(id: number, options?: Options) {
    return this.client.call<SiteDetail>('GET', `/api/sites/${id}`, options)
  }

  addSite(body: SiteBody) {
    return this.client.call<{ site: KeptSite }>('POST', '/api/sites', { body, idempotency: uuid() })
  }

  editSite(id: number, version: number, body: SiteBody) {
    return this.client.call<{ site: KeptSite }>('PUT', `/api/sites/${id}`, { body, ifMatch: version })
  }

  retireSite(id: number, version: number, reason: string) {
    return this.client.call<{ site: KeptSite }>('POST', `/api/sites/${id}/retire`, { body: { reason }, ifMatch: version, idempotency: uuid() })
  }

  addContact(site: number, body: ContactBody) {
    return this.client.call<{ contact: Contact }>('POST', `/api/sites/${site}/contacts`, { body, idempotency: uuid() })
  }

  editContact(contact: Contact, body: Partial<ContactBody>) {
    return this.client.call<{ contact: Contact }>('PATCH', `/api/contacts/${contact.id}`, { body, ifMatch: contact.version })
  }

  removeContact(contact: Contact) {
    return this.client.call<void>('DELETE', `/api/contacts/${contact.id}`, { ifMatch: contact.version })
  }

  orderContacts(site: number, ids: number[]) {
    return this.client.call<{ contacts: Contact[] }>('PUT', `/api/sites/${site}/contacts/order`, { body: { ids } })
  }

  probe(body: { host: string; port: number; code: string }) {
    return this.client.call<Probe>('POST', '/api/panels/probe', { body, timeout: probeTimeout })
  }

  addPanel(site: number, body: PanelBody) {
    return this.client.call<{ panel: KeptPanel }>('POST', `/api/sites/${site}/panels`, { body, idempotency: uuid(), timeout: probeTimeout })
  }

  editPanel(panel: number, version: number, body: PanelBody) {
    return this.client.call<{ panel: KeptPanel }>('PATCH', `/api/panels/${panel}`, { body, ifMatch: version })
  }

  retirePanel(panel: number, version: number, reason: string) {
    return this.client.call<{ panel: KeptPanel }>('POST', `/api/panels/${panel}/retire`, { body: { reason }, ifMatch: version, idempotency: uuid() })
  }

  replacePanel(panel: number, version: number, body: { host: string; port: number; code: string; name?: string; reason: string }) {
    return this.client.call<{ panel: KeptPanel }>('POST', `/api/panels/${panel}/replace`, { body, ifMatch: version, idempotency: uuid() })
  }

  users(state: 'active' | 'disabled' | 'all', q: string, options?: Options) {
    const query = new URLSearchParams({ state })
    if (q) query.set('q', q)
    return this.client.call<{ users: User[] }>('GET', `/api/users?${query}`, options)
  }

  user(id: number, options?: Options) {
    return this.client.call<{ user: User }>('GET', `/api/users/${id}`, options)
  }

  addUser(body: { login: string; name: string; role: Role; password: string }) {
    return this.client.call<{ user: User }>('POST', '/api/users', { body, idempotency: uuid() })
  }

  editUser(user: User, body: { name?: string; role?: Role }) {
    return this.client.call<{ user: User }>('PATCH', `/api/users/${user.id}`, { body, ifMatch: user.version })
  }

  turnUser(user: User, act: 'disable' | 'enable') {
    return this.client.call<{ user: User }>('POST', `/api/users/${user.id}/${act}`, { ifMatch: user.version, idempotency: uuid() })
  }

  resetPassword(user: number, password: string) {
    return this.client.call<void>('POST', `/api/users/${user}/password`, { body: { password } })
  }

  sessions(user: number, options?: Options) {
    return this.client.call<{ sessions: Session[] }>('GET', `/api/sessions?user=${user}`, options)
  }

  endSession(id: string) {
    return this.client.call<void>('DELETE', `/api/sessions/${id}`)
  }
}
