// What was recorded, newest first, narrowed by what the address says. It is a record:
// it says as of when it was read, and never looks live.
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Admin } from '../../api/admin'
import { queries } from '../../api/queries'
import { type EventFilter, findEvents } from '../../api/records'
import type { AlarmEvent } from '../../api/types'
import { useWords, wordFor } from '../../i18n'
import { clockTime, full, panelMinute } from '../../i18n/format'
import { go, href, useRoute } from '../../route'
import { Select, TextField } from '../../ui/Field'
import { useHere, useNow } from '../../ui/hooks'
import { EmptyState, Page, PageHead } from '../../ui/page'
import { Badge, Failure } from '../../ui/parts'
import { Table } from '../../ui/Table'
import { instantOf } from './instant'

const sources = ['panel', 'station', 'hand', 'sms'] as const satisfies EventFilter['source'][]

export function EventsPage() {
  const { station } = useHere()
  const words = useWords()
  const w = words.areas.records.events
  const now = useNow()
  const query = useRoute().query ?? {}
  const filter = filterOf(query)
  const set = (name: string, value: string) => {
    const { [name]: _, ...rest } = query
    go({ page: 'events', query: value ? { ...rest, [name]: value } : rest })
  }
  const found = useInfiniteQuery({
    queryKey: ['events', filter],
    queryFn: ({ signal, pageParam }) => findEvents(station.client, filter, pageParam || undefined, { signal }),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: (before) => before,
    refetchOnWindowFocus: false,
  }, queries)
  const site = useQuery({
    queryKey: ['sites', 'one', filter.site], enabled: filter.site !== undefined,
    queryFn: ({ signal }) => new Admin(station.client).site(filter.site!, { signal }),
  }, queries)
  const events = found.data?.pages.flatMap((page) => page.events) ?? []
  const text = (event: AlarmEvent) => (words.code === 'pl' ? event.text_pl : event.text_en) || wordFor(words.kinds, event.kind)
  const where = (event: AlarmEvent) => [event.zone_name ?? (event.zone ? words.alarm.zone(event.zone) : ''), event.partition ? words.alarm.partition(event.partition) : '', event.user_name ?? ''].filter(Boolean).join(' · ')

  return (
    <Page label={w.title}>
      <PageHead title={w.title} note={found.dataUpdatedAt ? w.asOf(clockTime(found.dataUpdatedAt)) : undefined}>
        <button type="button" className="button" onClick={() => void found.refetch()}>{w.refresh}</button>
      </PageHead>
      <form className="event-filter" onSubmit={(event) => event.preventDefault()}>
        <p className="event-of">
          {filter.site !== undefined ? w.ofSite(site.data?.site.name ?? String(filter.site)) : filter.panel !== undefined ? w.ofPanel(String(filter.panel)) : w.allSites}
        </p>
        <Select label={w.kind} value={filter.kind ?? ''} onChoose={(kind) => set('kind', kind)}
          choices={[{ value: '', label: w.anyKind }, ...Object.entries(words.kinds).map(([value, label]) => ({ value, label: String(label) }))]} />
        <Select label={w.source} value={filter.source ?? ''} onChoose={(source) => set('source', source)}
          choices={[{ value: '', label: w.anySource }, ...sources.map((value) => ({ value, label: w.sources[value] }))]} />
        <Select label={w.priority} value={query.priority ?? ''} onChoose={(priority) => set('priority', priority)}
          choices={[{ value: '', label: w.anyPriority }, ...['1', '2', '3', '4', '5'].map((value) => ({ value, label: `P${value}` }))]} />
        <TextField label={w.from} type="datetime-local" value={query.from ?? ''} onChange={(event) => set('from', event.target.value)} />
        <TextField label={w.to} type="datetime-local" value={query.to ?? ''} onChange={(event) => set('to', event.target.value)} />
        {Object.keys(query).length > 0 && <button type="button" className="button quiet" onClick={() => go({ page: 'events' })}>{w.clear}</button>}
      </form>
      {found.isError && <Failure text={w.failed} retry={() => void found.refetch()} />}
      {found.isPending && !found.isError && <p className="empty">{w.loading}</p>}
      {found.data && events.length === 0 && <EmptyState title={w.none} />}
      {events.length > 0 && (
        <Table<AlarmEvent>
          label={w.title} rows={events} rowKey={(event) => event.id}
          columns={[
            { key: 'received', head: w.received, kind: 'time', cell: (event) => full(event.received_at) },
            { key: 'panel', head: w.panelTime, kind: 'time', only: 'wide', cell: (event) => event.panel_time && panelMinute(event.panel_time, now) },
            { key: 'site', head: w.site, cell: (event) => <a href={href({ page: 'sites', id: event.site_id })}>{event.site_name ?? event.site_id}</a> },
            { key: 'priority', head: '', cell: (event) => <Badge priority={event.priority} /> },
            { key: 'what', head: w.what, cell: (event) => <>{text(event)} {event.historic && <span className="tag">{words.queue.historic}</span>}{event.provisional && <span className="tag dashed">{words.queue.provisional}</span>}</> },
            { key: 'where', head: w.where, only: 'mid', cell: where },
            { key: 'source', head: w.source, only: 'wide', cell: (event) => wordFor(w.sources, event.source) },
            { key: 'alarm', head: w.alarm, kind: 'number', cell: (event) => event.alarm_id && <a href={href({ page: 'alarms', id: event.alarm_id })}>{event.alarm_id}</a> },
          ]}
        />
      )}
      {found.hasNextPage && <p className="more"><button type="button" className="button" disabled={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>{w.older}</button></p>}
    </Page>
  )
}

function filterOf(query: Record<string, string>): EventFilter {
  const filter: EventFilter = { kind: query.kind, source: sources.find((source) => source === query.source) }
  for (const name of ['site', 'panel'] as const) if (/^\d{1,15}$/.test(query[name] ?? '')) filter[name] = Number(query[name])
  if (/^[1-5](,[1-5])*$/.test(query.priority ?? '')) filter.priority = query.priority?.split(',').map(Number)
  for (const name of ['from', 'to'] as const) {
    const at = instantOf(query[name] ?? '')
    if (at) filter[name] = at
  }
  return filter
}
