// Closed alarms, newest first, page by page.
import { useCallback, useEffect, useState } from 'react'
import type { Alarm } from '../api/types'
import { useWords, wordFor } from '../i18n'
import { full } from '../i18n/format'
import { href } from '../route'
import { useHere } from '../ui/hooks'
import { Badge, Failure } from '../ui/parts'

export function History({ open }: { open: number | undefined }) {
  const { station } = useHere()
  const words = useWords()
  const [alarms, setAlarms] = useState<readonly Alarm[]>([])
  const [cursor, setCursor] = useState<string | undefined>()
  const [state, setState] = useState<'loading' | 'ready' | 'failed'>('loading')

  const load = useCallback(
    async (from: string | undefined, signal?: AbortSignal) => {
      setState('loading')
      try {
        const page = await station.client.alarms('closed', from, { limit: 50, ...(signal && { signal }) })
        setAlarms((known) => (from ? [...known, ...page.alarms] : page.alarms))
        setCursor(page.next_cursor)
        setState('ready')
      } catch {
        if (!signal?.aborted) setState('failed')
      }
    },
    [station],
  )
  useEffect(() => {
    const abort = new AbortController()
    void load(undefined, abort.signal)
    return () => abort.abort()
  }, [load])

  return (
    <section className="pane queue" aria-label={words.history.title}>
      <div className="pane-head"><h2>{words.history.title}</h2></div>
      <div className="rows">
        {alarms.map((alarm) => (
          <a key={alarm.id} href={href({ page: 'alarms', id: alarm.id })} className={alarm.id === open ? 'row two past open' : 'row two past'}>
            <Badge priority={alarm.priority} />
            <span className="kind cut">{wordFor(words.kinds, alarm.kind)}</span>
            <span className="site cut">{alarm.site.name}</span>
            <span className="detail cut">
              {alarm.closed_at && `${words.history.closed} ${full(alarm.closed_at)}`} · {wordFor(words.outcomes, alarm.outcome)}
            </span>
            <span className="count num">{alarm.event_count > 1 ? `×${alarm.event_count}` : ''}</span>
          </a>
        ))}
        {state === 'failed' && <Failure text={words.history.failed} retry={() => void load(cursor)} />}
        {state === 'loading' && <p className="empty">{words.history.loading}</p>}
        {state === 'ready' && alarms.length === 0 && <p className="empty">{words.history.empty}</p>}
        {state === 'ready' && cursor && (
          <button type="button" className="button more" onClick={() => void load(cursor)}>{words.history.more}</button>
        )}
      </div>
    </section>
  )
}
