// Pages of a list that grows backwards in time: the newest first, older ones when asked
// for. It never looks live: it says of when it is.
import { useCallback, useEffect, useRef, useState } from 'react'
import { serverClock } from '../../live/clock'

export interface Page<T> {
  rows: T[]
  next: string | undefined
}

export interface Paged<T> {
  rows: readonly T[]
  /** There are older ones. */
  more: boolean
  state: 'loading' | 'ready' | 'failed'
  /** When the newest page was read, by the server's clock; 0 is never. */
  asOf: number
  loadMore(): void
  /** Reads the newest page again. What is shown stays until it is there. */
  reload(): void
}

/** fetch must change when, and only when, other rows are asked for. */
export function usePaged<T extends { id: string }>(fetch: (cursor: string | undefined, signal: AbortSignal) => Promise<Page<T>>): Paged<T> {
  const [held, setHeld] = useState<{ fetch: unknown; rows: readonly T[]; next: string | undefined; asOf: number }>()
  const [state, setState] = useState<'loading' | 'ready' | 'failed'>('loading')
  const running = useRef<AbortController>(undefined)

  const load = useCallback(
    async (cursor: string | undefined) => {
      running.current?.abort()
      const abort = new AbortController()
      running.current = abort
      setState('loading')
      try {
        const asOf = serverClock.now()
        const page = await fetch(cursor, abort.signal)
        if (abort.signal.aborted) return
        setHeld((was) => (cursor && was?.fetch === fetch ? { ...was, rows: join(was.rows, page.rows), next: page.next } : { fetch, rows: page.rows, next: page.next, asOf }))
        setState('ready')
      } catch {
        if (!abort.signal.aborted) setState('failed')
      }
    },
    [fetch],
  )
  useEffect(() => {
    void load(undefined)
    return () => running.current?.abort()
  }, [load])

  // Rows that answer another question are not shown under this one.
  const mine = held?.fetch === fetch ? held : undefined
  const next = mine?.next
  return {
    rows: mine?.rows ?? none,
    more: next !== undefined,
    state,
    asOf: mine?.asOf ?? 0,
    loadMore: useCallback(() => void (next !== undefined && state !== 'loading' && load(next)), [load, next, state]),
    reload: useCallback(() => void load(undefined), [load]),
  }
}

const none: readonly never[] = []

/** Older rows after those that are there; one that is there already is not repeated. */
function join<T extends { id: string }>(rows: readonly T[], older: readonly T[]): readonly T[] {
  const known = new Set(rows.map((row) => row.id))
  return [...rows, ...older.filter((row) => !known.has(row.id))]
}
