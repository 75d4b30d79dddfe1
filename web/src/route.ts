// Where in the client somebody is: the part of the address behind #.
import { useSyncExternalStore } from 'react'

export type Route =
  | { page: 'alarms'; id?: number }
  | { page: 'panels'; id?: number }
  | { page: 'history'; id?: number }

export function parseRoute(hash: string): Route {
  const [page, id] = hash.replace(/^#\/?/, '').split('/')
  const number = id && /^\d{1,15}$/.test(id) ? Number(id) : undefined
  const found = page === 'panels' || page === 'history' ? page : 'alarms'
  return number === undefined ? { page: found } : { page: found, id: number }
}

export function href(route: Route): string {
  return `#/${route.page}${route.id === undefined ? '' : `/${route.id}`}`
}

export function go(route: Route): void {
  location.hash = href(route)
}

const subscribe = (listener: () => void) => {
  addEventListener('hashchange', listener)
  return () => removeEventListener('hashchange', listener)
}

export function useRoute(): Route {
  return parseRoute(useSyncExternalStore(subscribe, () => location.hash))
}
