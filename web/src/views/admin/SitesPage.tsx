// Guarded sites: the list, and beside it the card of one.
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useDeferredValue, useState } from 'react'
import type { ListedSite } from '../../api/admin'
import { queries } from '../../api/queries'
import { useWords } from '../../i18n'
import { leads } from '../../live/rules'
import { go, href, useRoute } from '../../route'
import { Check } from '../../ui/Field'
import { useMe } from '../../ui/hooks'
import { Mutating } from '../../ui/Mutating'
import { EmptyState, Page, PageHead } from '../../ui/page'
import { Failure } from '../../ui/parts'
import { Table } from '../../ui/Table'
import { SiteCard } from './SiteCard'
import { SiteForm } from './SiteForm'
import { useAdmin } from './admin'

export function SitesPage() {
  const words = useWords()
  const w = words.areas.admin
  const admin = useAdmin()
  const me = useMe()
  const route = useRoute()
  const [text, setText] = useState('')
  const [retired, setRetired] = useState(false)
  const [adding, setAdding] = useState(false)
  const q = useDeferredValue(text.trim())
  const list = useInfiniteQuery({
    queryKey: ['sites', 'list', q, retired],
    queryFn: ({ signal, pageParam }) => admin.sites({ q, retired, ...(pageParam && { cursor: pageParam }) }, { signal }),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: (before) => before,
  }, queries)
  const sites = list.data?.pages.flatMap((page) => page.sites) ?? []
  const open = useQuery({
    queryKey: ['sites', 'one', route.id], enabled: route.id !== undefined,
    queryFn: ({ signal }) => admin.site(route.id!, { signal }),
  }, queries)

  return (
    <Page label={w.sites.title}>
      <PageHead title={w.sites.title} note={list.data && `${sites.length}${list.hasNextPage ? '+' : ''}`}>
        <input type="search" aria-label={w.find} placeholder={w.find} value={text} onChange={(event) => setText(event.target.value)} />
        <Check label={w.sites.showRetired} checked={retired} onChange={(event) => setRetired(event.target.checked)} />
        {leads(me) && <Mutating><button type="button" className="button primary" onClick={() => setAdding(true)}>{w.sites.add}</button></Mutating>}
      </PageHead>
      <div className={route.id === undefined ? 'beside' : 'beside with-detail'}>
        <div className="beside-list">
          {list.isError && <Failure text={w.failed} retry={() => void list.refetch()} />}
          {list.data && sites.length === 0 && <EmptyState title={q ? w.nothing : w.sites.none} />}
          {sites.length > 0 && (
            <Table<ListedSite>
              label={w.sites.title} rows={sites} rowKey={(site) => site.id} current={route.id}
              rowHref={(site) => href({ page: 'sites', id: site.id })}
              columns={[
                { key: 'name', head: w.sites.name, cell: (site) => <>{site.name} {site.retired_at && <span className="tag">{w.sites.retired}</span>}</> },
                { key: 'address', head: w.sites.address, cell: (site) => site.address, only: 'wide' },
                { key: 'city', head: w.sites.city, cell: (site) => site.city, only: 'mid' },
                { key: 'risk', head: w.sites.risk, cell: (site) => w.sites.risks[site.risk], only: 'wide' },
                { key: 'panels', head: w.sites.panels, kind: 'number', cell: (site) => site.panels, only: 'mid' },
                { key: 'alarms', head: w.sites.alarms, kind: 'number', cell: (site) => site.open_alarms || '' },
              ]}
            />
          )}
          {list.hasNextPage && <p className="more"><button type="button" className="button" onClick={() => void list.fetchNextPage()}>{w.more}</button></p>}
        </div>
        <aside className="beside-detail" aria-label={open.data?.site.name ?? w.sites.pick}>
          {route.id === undefined && <EmptyState title={w.sites.pick} />}
          {open.isError && <Failure text={w.failed} retry={() => void open.refetch()} />}
          {route.id !== undefined && open.data && <SiteCard key={open.data.site.id} detail={open.data} />}
        </aside>
      </div>
      {adding && <SiteForm onClose={() => setAdding(false)} onSaved={(site) => go({ page: 'sites', id: site.id })} />}
    </Page>
  )
}
