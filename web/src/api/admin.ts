// Sites, contacts, panels and people, as those who keep them see them.
import type { Contact } from './alarms'
import type { Client, Options } from './client'
import { ApiError } from './client'
import type { Schemas } from './schema'
import type { Role } from './types'
import { uuid } from '../live/uuid'

export type { Panel as KeptPanel, Site as KeptSite } from './types'
export type ListedSite = Schemas.ListedSite
export type SiteBody = Schemas.SiteBody
export type SiteDetail = Schemas.SiteDetailOutputBody
export type ContactBody = Schemas.NewContactInputBody
export type PanelBody = Schemas.PanelEditInputBody
export type Probe = Schemas.Findings
export type User = Schemas.User
export type Session = Schemas.Session

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
    return this.client.call('GET /api/sites', { ...options, query: { limit: 100, q: find.q, retired: find.retired || undefined, cursor: find.cursor } })
  }

  site(id: number, options?: Options) {
    return this.client.call('GET /api/sites/{id}', { ...options, id })
  }

  addSite(body: SiteBody) {
    return this.client.call('POST /api/sites', { body, idempotency: uuid() })
  }

  editSite(id: number, version: number, body: SiteBody) {
    return this.client.call('PUT /api/sites/{id}', { id, body, ifMatch: version })
  }

  retireSite(id: number, reason: string) {
    return this.client.call('POST /api/sites/{id}/retire', { id, body: { reason }, idempotency: uuid() })
  }

  addContact(site: number, body: ContactBody) {
    return this.client.call('POST /api/sites/{id}/contacts', { id: site, body, idempotency: uuid() })
  }

  editContact(contact: Contact, body: Partial<ContactBody>) {
    return this.client.call('PATCH /api/contacts/{id}', { id: contact.id, body, ifMatch: contact.version })
  }

  removeContact(contact: Contact) {
    return this.client.call('DELETE /api/contacts/{id}', { id: contact.id, ifMatch: contact.version })
  }

  orderContacts(site: number, ids: number[]) {
    return this.client.call('PUT /api/sites/{id}/contacts/order', { id: site, body: { ids } })
  }

  probe(body: { host: string; port: number; code: string; key?: string }) {
    return this.client.call('POST /api/panels/probe', { body, timeout: probeTimeout })
  }

  addPanel(site: number, body: Schemas.NewPanelInputBody) {
    return this.client.call('POST /api/sites/{id}/panels', { id: site, body, idempotency: uuid(), timeout: probeTimeout })
  }

  editPanel(panel: number, version: number, body: PanelBody) {
    return this.client.call('PATCH /api/panels/{id}', { id: panel, body, ifMatch: version })
  }

  retirePanel(panel: number, reason: string) {
    return this.client.call('POST /api/panels/{id}/retire', { id: panel, body: { reason }, idempotency: uuid() })
  }

  replacePanel(panel: number, body: Schemas.ReplacePanelInputBody) {
    return this.client.call('POST /api/panels/{id}/replace', { id: panel, body, idempotency: uuid() })
  }

  users(state: 'active' | 'disabled' | 'all', q: string, options?: Options) {
    return this.client.call('GET /api/users', { ...options, query: { state, q } })
  }

  user(id: number, options?: Options) {
    return this.client.call('GET /api/users/{id}', { ...options, id })
  }

  addUser(body: { login: string; name: string; role: Role; password: string }) {
    return this.client.call('POST /api/users', { body, idempotency: uuid() })
  }

  editUser(user: User, body: { name?: string; role?: Role }) {
    return this.client.call('PATCH /api/users/{id}', { id: user.id, body, ifMatch: user.version })
  }

  turnUser(user: User, act: 'disable' | 'enable') {
    return this.client.call(`POST /api/users/{id}/${act}`, { id: user.id, ifMatch: user.version, idempotency: uuid() })
  }

  resetPassword(user: number, password: string) {
    return this.client.call('POST /api/users/{id}/password', { id: user, body: { password } })
  }

  sessions(user: number, options?: Options) {
    return this.client.call('GET /api/sessions', { ...options, query: { user: String(user) } })
  }

  endSession(id: string) {
    return this.client.call('DELETE /api/sessions/{id}', { id })
  }
}
