// The band that never moves: what is most urgent, or that the connection is lost, and how
// much of what waits.
import { useRef } from 'react'
import type { Alarm } from '../api/types'
import { useWords } from '../i18n'
import { age, clockTime } from '../i18n/format'
import { claimNext } from '../keys/perform'
import { serverClock } from '../live/clock'
import { isMine, mostUrgent } from '../live/rules'
import { href, useRoute } from '../route'
import { useHere, useMe, useNow, useQueue, useStepState, useValue } from '../ui/hooks'
import { Mutating } from '../ui/Mutating'
import { Age, Badge, Key } from '../ui/parts'
import { Place } from './alarm/Place'
import { kindText } from './alarm/text'

export function StateBand() {
  const { station } = useHere()
  const { degraded } = useValue(station.stream.status)
  return (
    <div className="band">
      {degraded ? <Lost /> : <Urgent />}
      <Counters lost={degraded} />
      <Announcer />
    </div>
  )
}

function Lost() {
  const { station } = useHere()
  const words = useWords()
  const { liveAt, attempt } = useValue(station.stream.status)
  useNow()
  return (
    <div className="urgent lost">
      <i className="icon warn" aria-hidden="true" />
      <p className="urgent-lines" role="alert" data-testid="banner">
        <b>{words.link.banner}</b>
        <span>{liveAt > 0 ? `${words.link.since(clockTime(liveAt))}. ${words.areas.shell.urgent.stale}` : words.link.never}</span>
      </p>
      <p className="urgent-lines num end">
        {liveAt > 0 && <b>{age(words, Date.now() - liveAt)}</b>}
        <span>{words.areas.shell.urgent.try(attempt + 1)}</span>
      </p>
    </div>
  )
}

function Urgent() {
  const { station, desk } = useHere()
  const words = useWords()
  const queue = useQueue()
  const route = useRoute()
  const alarm = mostUrgent(queue)
  const pending = useStepState(alarm?.id ?? 0)?.kind === 'pending'
  const calmSince = useCalmSince(queue, station.alarms.loaded)
  if (!alarm) {
    return (
      <div className="urgent calm" role="status">
        <span className="dot" aria-hidden="true" />
        <span>{station.alarms.loaded ? words.urgent.none : words.urgent.loading}</span>
        {calmSince !== undefined && <span className="faint num">{words.areas.shell.urgent.since(clockTime(calmSince))}</span>}
      </div>
    )
  }
  return (
    <div className={`urgent waiting p${alarm.priority}`} data-testid="urgent" data-id={alarm.id}>
      <Badge priority={alarm.priority} waiting />
      <Age since={alarm.opened_at} />
      <p className="urgent-what">
        <b className="kind cut">{kindText(words, alarm.kind)}</b>
        <a className="urgent-site" href={href({ page: 'alarms', id: alarm.id })}>
          <b><Place name={alarm.site.name} /></b> <span className="urgent-zone cut">{alarm.zone_name}</span>
        </a>
      </p>
      <Mutating>
        <button type="button" className={pending ? 'button pending' : 'button'} disabled={pending} onClick={() => claimNext({ station, desk, route })}>
          {pending ? words.link.sending : (
            <>
              <span className="wide">{alarm.priority === 1 ? words.steps.claim : words.urgent.claim}</span>
              <span className="narrow">{words.steps.claim}</span>
            </>
          )} <Key>{words.keys.space}</Key>
        </button>
      </Mutating>
    </div>
  )
}

/** Since when nothing waits: the last claim that is known, else since this window has looked. */
function useCalmSince(queue: readonly Alarm[], loaded: boolean): number | undefined {
  const since = useRef<number | undefined>(undefined)
  if (!loaded || mostUrgent(queue)) since.current = undefined
  else since.current ??= Math.max(0, ...queue.map((alarm) => Date.parse(alarm.claimed_at ?? '') || 0)) || serverClock.now()
  return since.current
}

function Counters({ lost }: { lost: boolean }) {
  const { station } = useHere()
  const words = useWords()
  const me = useMe()
  const route = useRoute()
  const queue = useQueue()
  const noLink = useNoLink()
  const { liveAt } = useValue(station.stream.status)
  const { urgent } = words.areas.shell
  // What is open stays open while the queue beside it is filtered.
  const to = (query: Record<string, string>) => href({ page: 'alarms', query, ...(route.page === 'alarms' && route.id !== undefined && { id: route.id }) })
  const under = (text: string) => (lost && liveAt > 0 ? urgent.as(clockTime(liveAt)) : text)
  const mine = queue.filter((alarm) => isMine(alarm, me) && alarm.state !== 'resolved').length
  const paused = queue.filter((alarm) => alarm.paused_until).length
  return (
    <ul className={lost ? 'counters dim' : 'counters'} aria-label={urgent.counters}>
      {[1, 2, 3, 4].map((priority) => {
        const all = queue.filter((alarm) => alarm.priority === priority)
        const waiting = all.filter((alarm) => alarm.state === 'new').length
        return (
          <li key={priority}>
            <a href={to({ priority: String(priority) })} data-count={`p${priority}`}>
              <span className={`counter p${priority}`}>
                <i className="shape" aria-hidden="true" />P{priority} <b className={all.length ? '' : 'zero'}>{all.length}</b>
              </span>
              <span className={waiting && !lost && priority < 4 ? `counter-waits block p${priority}` : 'counter-waits'}>
                {under(waiting ? words.urgent.waiting(waiting) : all.length ? words.urgent.handled : '–')}
              </span>
            </a>
          </li>
        )
      })}
      <Plain link={to({ tab: 'mine' })} name="mine" count={mine} text={words.urgent.mine} />
      <Plain link={to({ tab: 'paused' })} name="paused" count={paused} text={urgent.paused} />
      <Plain link={href({ page: 'panels', query: { filter: 'no-link' } })} name="no-link" count={noLink} text={urgent.noLink} />
    </ul>
  )
}

function Plain({ link, name, count, text }: { link: string; name: string; count: number | undefined; text: string }) {
  return (
    <li className="plain">
      <a href={link} data-count={name}>
        <span className="counter"><b className={count ? 'plain' : 'plain zero'}>{count ?? '–'}</b></span>
        <span className="counter-waits">{text}</span>
      </a>
    </li>
  )
}

/** How many panels have no link now; undefined until they are known. Counted once a second. */
function useNoLink(): number | undefined {
  const { station } = useHere()
  useNow()
  const panels = station.panels.list()
  return panels.length === 0 ? undefined : panels.filter((panel) => panel.enabled && panel.state?.link === 'down').length
}

/** Tells a screen reader how many wait and what is most urgent, not every row. */
function Announcer() {
  const words = useWords()
  const queue = useQueue()
  const waiting = queue.filter((alarm) => alarm.state === 'new').length
  const most = mostUrgent(queue)
  const text = waiting === 0 ? words.urgent.none : words.urgent.announce(waiting, most ? `P${most.priority} ${kindText(words, most.kind)}, ${most.site.name}` : '')
  return <p className="unseen" aria-live={most?.priority === 1 ? 'assertive' : 'polite'}>{text}</p>
}
