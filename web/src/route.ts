// Where in the client somebody is: the part of the address behind #.
import { useSyncExternalStore } from 'react'
import type { Me } from './api/types'

export const pages = ['alarms', 'panels', 'sites', 'events', 'users', 'letters', 'status', 'settings'] as const

export type Page = (typeof pages)[number]

const adminsOnly: ReadonlySet<Page> = new Set(['users', 'letters'])

/** The pages that somebody may open. */
export function pagesFor(me: Me): readonly Page[] {
  return pages.filter((page) => !adminsOnly.has(page) || me.role === 'admin')
}

/** Pages that are opened now and then: their place is the desk's menu. */
export const inMenu: ReadonlySet<Page> = new Set(['letters', 'settings'])

export interface Route {
  page: Page
  /** Which one of them is open. */
  id?: number
  /** What is chosen on that page: a tab, filters. */
  query?: Record<string, string>
}

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?')
  const [name, id] = path.split('/')
  const route: Route = { page: pages.find((page) => page === name) ?? 'alarms' }
  if (id && /^\d{1,15}$/.test(id)) route.id = Number(id)
  if (query) route.query = Object.fromEntries(new URLSearchParams(query))
  return route
}

export function href({ page, id, query }: Route): string {
  const tail = new URLSearchParams(query).toString()
  return `#/${page}${id === undefined ? '' : `/${id}`}${tail && `?${tail}`}`
}

export function go(route: Route): void {
  location.hash = href(route)
}

const subscribe = (listener: () => void) => {
  addEventListener('hashchange', listener)
  return () => removeEventListener('hashchange', listener)
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => location.hash)
  return parseRoute(hash)
}
