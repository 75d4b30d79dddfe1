// The closed alarms, newest first, page by page as far as somebody scrolls.
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { closedAlarms } from '../../api/alarms'
import type { Alarm } from '../../api/types'
import { useHere } from '../../ui/hooks'

export type ClosedState = 'loading' | 'ready' | 'failed'

export interface Closed {
  alarms: readonly Alarm[]
  state: ClosedState
  /** There are older ones. */
  more: boolean
  loadMore: () => void
  retry: () => void
}

const none: readonly Alarm[] = []
const pauseBeforeSearch = 200

/** Puts a newly read first page over what was known: each alarm once, newest first. */
export function joinPages(known: readonly Alarm[], first: readonly Alarm[]): readonly Alarm[] {
  const fresh = new Set(first.map((alarm) => alarm.id))
  return [...first, ...known.filter((alarm) => !fresh.has(alarm.id))]
}

export function useClosed(active: boolean, search: string): Closed {
  const { station } = useHere()
  const [alarms, setAlarms] = useState<readonly Alarm[]>(none)
  const [cursor, setCursor] = useState<string>()
  const [state, setState] = useState<ClosedState>('loading')
  const [round, setRound] = useState(0)
  const abort = useRef<AbortController>(undefined)
  // What is closed while the list is open belongs on top of it.
  const last = useSyncExternalStore(station.alarms.subscribe, () => station.alarms.lastClosed()?.id)
  const shown = useRef('')

  const load = useCallback(async (from: string | undefined, over: readonly Alarm[]) => {
    abort.current?.abort()
    const own = (abort.current = new AbortController())
    setState('loading')
    try {
      const page = await closedAlarms(station.client, search, from, { signal: own.signal })
      if (own.signal.aborted) return
      setAlarms(from === undefined ? joinPages(over, page.alarms) : joinPages(page.alarms, over))
      if (from !== undefined || over.length === 0) setCursor(page.next_cursor)
      setState('ready')
    } catch {
      if (!own.signal.aborted) setState('failed')
    }
  }, [station, search])

  const known = useRef(alarms)
  known.current = alarms
  useEffect(() => {
    if (!active) return
    const again = shown.current === search && known.current.length > 0
    shown.current = search
    if (!again) {
      setAlarms(none)
      setCursor(undefined)
    }
    const timer = setTimeout(() => void load(undefined, again ? known.current : none), again || search === '' ? 0 : pauseBeforeSearch)
    return () => {
      clearTimeout(timer)
      abort.current?.abort()
    }
  }, [active, search, last, round, load])

  const loadMore = useCallback(() => {
    if (state === 'ready' && cursor) void load(cursor, known.current)
  }, [state, cursor, load])
  const retry = useCallback(() => setRound((was) => was + 1), [])
  return { alarms, state, more: cursor !== undefined, loadMore, retry }
}
