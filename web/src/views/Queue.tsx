// The queue of open alarms: no page, no window of time, all of them. Closed ones are a
// tab of it.
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import type { Alarm } from '../api/types'
import { useWords } from '../i18n'
import { clockTime, short } from '../i18n/format'
import { ticker } from '../live/clock'
import { mostUrgent, nextWaiting } from '../live/rules'
import { Value } from '../live/value'
import { go, href, useRoute } from '../route'
import { useHere, useMe, useNow, useQueue, useValue } from '../ui/hooks'
import { Mutating } from '../ui/Mutating'
import { Failure, Key } from '../ui/parts'
import { searchText } from './alarm/text'
import { BatchDialog } from './queue/BatchDialog'
import { actOf, type BatchWork } from './queue/batchwork'
import { type Burst, burstAt } from './queue/burst'
import { type Closed, useClosed } from './queue/closed'
import { GroupCard } from './queue/GroupCard'
import { inTab, type Item, itemsOf, matcher, type Tab, tabOf, tabs } from './queue/items'
import { OpenByHand } from './queue/OpenByHand'
import { ClosedRow, Row } from './queue/Row'
import { Rows } from './queue/Rows'
import { type Above, SteadyList } from './steady'

export function Queue({ open }: { open: number | undefined }) {
  const { desk } = useHere()
  const words = useWords()
  const me = useMe()
  const route = useRoute()
  const queue = useQueue()
  const cursor = useValue(desk.cursor)
  const home = useValue(desk.home)
  const text = words.areas.desk.queue
  const tab = tabOf(route.query?.tab)

  const [filter, setFilter] = useState('')
  const [unfolded, setUnfolded] = useState<ReadonlySet<string>>(new Set())
  const [byHand, setByHand] = useState(false)
  const [batch, setBatch] = useState<{ kind: string; work: BatchWork }>()
  const [steady] = useState(() => new SteadyList())
  const [above] = useState(() => new Value<Above>(steady.above))
  const burst = useBurst()
  const closed = useClosed(tab === 'closed', filter.trim())
  useLostClaim(queue)

  const priority = Number(route.query?.priority) || undefined
  const matches = useMemo(() => {
    const text = matcher(tab === 'closed' ? '' : filter, (alarm) => searchText(words, alarm))
    return priority === undefined ? text : (alarm: Alarm) => alarm.priority === priority && text(alarm)
  }, [tab, filter, words, priority])
  const fold = burst !== undefined && tab !== 'closed'
  const found = useMemo(() => {
    const pointed = steady.pointed
    const single = new Set([open, cursor, pointed?.startsWith('a') ? Number(pointed.slice(1)) : undefined].filter((id) => id !== undefined))
    const items = itemsOf(queue, { tab, me, matches, fold, unfolded, single })
    return tab === 'closed' ? [...items, ...closedItems(closed, queue)] : items
  }, [queue, tab, me, matches, fold, unfolded, open, cursor, closed, steady])
  const items = useStable(found)

  const ids = useMemo(() => items.flatMap(idOf), [items])
  useEffect(() => desk.rows.set(ids), [desk, ids])
  useEffect(() => () => desk.rows.set(undefined), [desk])

  const onFold = useCallback((key: string) => setUnfolded((was) => {
    const next = new Set(was)
    if (!next.delete(key)) next.add(key)
    return next
  }), [])
  const onBatch = useCallback((key: string) => {
    const group = items.find((item) => item.type === 'group' && item.group.key === key)
    const work = group?.type === 'group' ? actOf(group.group.alarms, me) : undefined
    if (group?.type === 'group' && work) setBatch({ kind: group.group.kind, work })
  }, [items, me])

  const urgent = mostUrgent(queue)?.id
  const cursorKey = cursor === undefined ? undefined : items.find((item) => idOf(item)[0] === cursor)?.key
  const stop = cursorKey === undefined ? ids[0] : cursor
  const draw = (item: Item) => {
    switch (item.type) {
      case 'alarm':
        return <Row id={item.id} tab={tab} open={item.id === open} cursor={item.id === cursor} urgent={item.id === urgent} stop={item.id === stop} />
      case 'closed':
        return <ClosedRow alarm={item.alarm} open={item.alarm.id === open} cursor={item.alarm.id === cursor} stop={item.alarm.id === stop} />
      case 'group':
        return <GroupCard group={item.group} unfolded={item.unfolded} onFold={onFold} onBatch={onBatch} />
      case 'line':
        return <Line line={item.line} filtered={filter.trim() !== '' || priority !== undefined} />
    }
  }

  return (
    <section className="pane queue" aria-label={words.queue.title} data-burst={burst ? true : undefined}>
      <div className="pane-head queue-head">
        <Title burst={burst} count={queue.length} />
        <Newcomers above={above} />
        <span className="grow" />
        <Mutating>
          <button type="button" className="button quiet by-hand" title={text.byHandTitle} aria-label={text.byHandTitle} onClick={() => setByHand(true)}>{text.byHand}</button>
        </Mutating>
      </div>
      <div className="queue-tools">
        <TabLinks tab={tab} queue={queue} open={open} />
        <input
          type="search" className="queue-filter" value={filter} onChange={(event) => setFilter(event.target.value)} autoComplete="off" spellCheck={false}
          aria-label={tab === 'closed' ? text.search : text.filter} placeholder={tab === 'closed' ? words.areas.admin.find : text.filterShort} title="/"
          onKeyDown={(event) => {
            if (event.key !== 'Escape' || event.nativeEvent.isComposing) return
            event.stopPropagation()
            if (filter === '') event.currentTarget.blur()
            setFilter('')
          }}
        />
      </div>
      <Rows
        items={items} scope={`${tab}\n${priority}\n${filter}`} label={words.queue.title} cursor={cursorKey} steady={steady} above={above} home={home} draw={draw}
        {...(tab === 'closed' && { onEnd: closed.loadMore })}
      >
        {tab === 'closed' && closed.state === 'failed' && <Failure text={words.history.failed} retry={closed.retry} />}
        {items.length === 0 && !(tab === 'closed' && closed.state !== 'ready') && (
          <Empty tab={tab} filtered={filter.trim() !== '' || priority !== undefined} clear={() => {
            setFilter('')
            if (priority !== undefined) go({ page: 'alarms', ...(open !== undefined && { id: open }) })
          }} />
        )}
        {tab === 'closed' && closed.state === 'loading' && items.length === 0 && <p className="empty">{words.history.loading}</p>}
      </Rows>
      {fold && items.some((item) => item.type === 'group') && (
        <p className="queue-foot faint">{words.areas.desk.burst.rows(items.filter((item) => item.type !== 'line').length, queue.length)}</p>
      )}
      {byHand && <OpenByHand onClose={() => setByHand(false)} />}
      {batch && <BatchDialog kind={batch.kind} work={batch.work} onClose={() => setBatch(undefined)} />}
    </section>
  )
}

function idOf(item: Item): number[] {
  if (item.type === 'alarm') return [item.id]
  return item.type === 'closed' ? [item.alarm.id] : []
}

function closedItems(closed: Closed, queue: readonly Alarm[]): Item[] {
  // One that is open is in the queue, whatever an older page says.
  const open = new Set(queue.map((alarm) => alarm.id))
  const items: Item[] = closed.alarms
    .filter((alarm) => !open.has(alarm.id))
    .map((alarm) => ({ key: `a${alarm.id}`, type: 'closed', alarm, priority: alarm.priority }))
  if (closed.more) items.push({ key: 'more', type: 'line', line: 'more' })
  return items
}

/** The same list as long as the same rows stand in it: then only rows draw themselves anew. */
function useStable(items: readonly Item[]): readonly Item[] {
  const kept = useRef(items)
  const was = kept.current
  const same = was.length === items.length && items.every((item, i) => {
    const other = was[i]!
    return item.key === other.key && (item.type === 'line' || (item.type === 'alarm' && other.type === 'alarm' && item.priority === other.priority))
  })
  if (!same) kept.current = items
  return kept.current
}

/** The flood that is on; looked at anew with each change and every few seconds. */
function useBurst(): Burst | undefined {
  const { station } = useHere()
  const times = useSyncExternalStore(station.alarms.subscribe, station.alarms.arrivals)
  const now = useSyncExternalStore(ticker.subscribe, () => Math.floor(ticker.get() / 5) * 5_000)
  return useMemo(() => burstAt(times, Math.max(now, times.at(-1) ?? 0)), [times, now])
}

/** A claim that somebody else got first: the keys go on to the next alarm that waits. */
function useLostClaim(queue: readonly Alarm[]): void {
  const { station, desk } = useHere()
  const known = useRef(station.steps.states.get())
  const states = useValue(station.steps.states)
  useEffect(() => {
    const before = known.current
    known.current = states
    for (const [id, state] of states) {
      if (state.kind !== 'lost' || state.step !== 'claim' || before.get(id) === state) continue
      if (desk.cursor.get() !== id) continue
      const next = nextWaiting(queue, id)
      if (next) desk.cursor.set(next.id)
    }
  }, [station, desk, states, queue])
}

function Title({ burst, count }: { burst: Burst | undefined; count: number }) {
  const words = useWords()
  const text = words.areas.desk
  if (!burst) return <><h2>{words.queue.title}</h2><span className="num faint">{count}</span></>
  return (
    <>
      <h2 className="flood" data-testid="flood">{text.burst.since(clockTime(burst.since))}</h2>
      <span className="num faint cut">{text.burst.figures(text.queue.alarms(burst.total), burst.peak)}</span>
    </>
  )
}

/** How many came above what is seen. */
function Newcomers({ above }: { above: Value<Above> }) {
  const { desk } = useHere()
  const words = useWords()
  const { all, fresh } = useValue(above)
  const { newcomers, above: others } = words.areas.desk.queue
  if (all === 0) return null
  const count = [...fresh.values()].reduce((sum, n) => sum + n, 0)
  const each = [...fresh].sort(([a], [b]) => a - b).map(([priority, n]) => `${n} × P${priority}`).join(', ')
  return (
    <button type="button" className={count > 0 ? 'button quiet above fresh' : 'button quiet above'} onClick={() => desk.home.set(desk.home.get() + 1)} data-testid="above" title={each}>
      <b>{count > 0 ? newcomers(count) : others(all)}</b> <Key>Home</Key>
    </button>
  )
}

function TabLinks({ tab, queue, open }: { tab: Tab; queue: readonly Alarm[]; open: number | undefined }) {
  const words = useWords()
  const me = useMe()
  const text = words.areas.desk.tabs
  const to = (name: Tab) => ({ page: 'alarms' as const, ...(open !== undefined && { id: open }), ...(name !== 'all' && { query: { tab: name } }) })
  return (
    <nav className="queue-tabs" aria-label={text.label}>
      {tabs.map((name) => {
        const count = name === 'all' || name === 'closed' ? 0 : queue.filter((alarm) => inTab(alarm, name, me)).length
        return (
          <a
            key={name} href={href(to(name))} aria-current={name === tab ? 'page' : undefined} data-tab={name}
            onKeyDown={(event) => {
              if (event.key !== ' ') return
              event.preventDefault()
              event.stopPropagation()
              go(to(name))
            }}
          >
            {text[name]}{count > 0 && <span className="num"> {count}</span>}
          </a>
        )
      })}
    </nav>
  )
}

function Line({ line, filtered }: { line: 'pinned' | 'folded' | 'more'; filtered: boolean }) {
  const words = useWords()
  const text = words.areas.desk.queue
  if (line === 'pinned') return <p className="queue-line">{filtered ? text.pinned : text.pinnedTab}</p>
  if (line === 'more') return <p className="queue-line">{text.loadingMore}</p>
  return <p className="queue-line"><span>{text.folded}</span><span>{text.foldedHint}</span></p>
}

function Empty({ tab, filtered, clear }: { tab: Tab; filtered: boolean; clear: () => void }) {
  const { station } = useHere()
  const words = useWords()
  const now = useNow()
  const text = words.areas.desk.queue
  if (!station.alarms.loaded) return <p className="empty">{words.urgent.loading}</p>
  const last = station.alarms.lastClosed()?.closed_at
  return (
    <div className="empty" role="status">
      <b>{filtered && tab !== 'closed' ? text.noMatch : text.empty[tab]}</b>
      {filtered && <p><button type="button" className="button" onClick={clear}>{text.clear}</button></p>}
      {!filtered && tab !== 'closed' && <p>{last && text.lastClosed(short(last, now))} {text.alive}</p>}
    </div>
  )
}
