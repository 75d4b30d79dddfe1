// The head of an alarm: what, since when, where, whose.
import { useSyncExternalStore } from 'react'
import type { Alarm, AlarmEvent } from '../../api/types'
import { useWords } from '../../i18n'
import { short } from '../../i18n/format'
import type { Detail } from '../../live/details'
import { claimLimit, isMine } from '../../live/rules'
import { href, useRoute } from '../../route'
import { useHere, useMe, useNow } from '../../ui/hooks'
import { Age, Badge, Owner } from '../../ui/parts'
import { fullKind, ownText, zoneText } from './text'
import { usePresent } from './presence'

const life = ['new', 'claimed', 'acknowledged', 'resolved', 'closed'] as const

export function AlarmHead({ alarm, detail }: { alarm: Alarm; detail: Detail | undefined }) {
  const { station } = useHere()
  const words = useWords()
  const route = useRoute()
  const now = useNow()
  const at = life.indexOf(alarm.state)
  const text = words.areas.desk.head
  const rang = useSyncExternalStore((listener) => station.alarms.subscribeRow(alarm.id, listener), () => station.alarms.rang(alarm.id))
  const provisional = station.alarms.isProvisional(alarm.id)
  const back = href({ page: route.page, ...(route.query && { query: route.query }) })
  return (
    <header className="alarm-head">
      <a className="back-link" href={back}>← {words.alarm.back}</a>
      <h1>
        <Badge priority={alarm.priority} waiting={alarm.state === 'new'} large />
        <span className="kind">{fullKind(words, alarm)}</span>
      </h1>
      {alarm.closed_at ? <span className="run" /> : <Age since={alarm.opened_at} className="run" />}
      <div className="alarm-what">
        <ZonePath alarm={alarm} detail={detail} />
        <p className="alarm-site">
          <a className="site-link" href={href({ page: 'sites', id: alarm.site.id })}>{alarm.site.name}</a>
          {[alarm.site.address, alarm.site.city, detail?.site.district].filter(Boolean).map((part) => `, ${part}`).join('')}
        </p>
        <p className="alarm-marks">
          {rang && <span className="tag strong" role="status">{text[rang]}</span>}
          {alarm.paused_until && <span className="tag strong num">{text.pausedUntil(short(alarm.paused_until, now))}</span>}
          {alarm.confirmed_at && <span className="tag">{words.alarm.confirmedAt(short(alarm.confirmed_at, now))}</span>}
          {alarm.restored_at && <span className="tag">{words.alarm.restoredAt(short(alarm.restored_at, now))}</span>}
          {alarm.historic && <span className="tag">{words.alarm.historic}</span>}
          {provisional && <span className="tag dashed">{words.alarm.provisional}</span>}
          {alarm.previous_id && <a className="tag" href={href({ page: 'alarms', id: alarm.previous_id })}>{words.alarm.previous(alarm.previous_id)}</a>}
          <Present id={alarm.id} />
        </p>
      </div>
      <div className="alarm-whose">
        <ol className="life">
          {life.map((state, i) => (
            <li key={state} className={i === at ? 'on' : i < at ? 'past' : ''} aria-current={i === at ? 'step' : undefined}>{words.states[state]}</li>
          ))}
        </ol>
        <Whose alarm={alarm} />
      </div>
    </header>
  )
}

function Whose({ alarm }: { alarm: Alarm }) {
  const words = useWords()
  const me = useMe()
  const text = words.areas.desk.head
  const limit = alarm.historic ? undefined : claimLimit(alarm.priority)
  const seconds = (ms: number) => words.time.seconds(String(Math.round(ms / 1000)))
  const after = alarm.claimed_at ? Date.parse(alarm.claimed_at) - Date.parse(alarm.opened_at) : undefined
  return (
    <p className="alarm-owner">
      <span className="faint num">{words.alarm.number(alarm.id)} ·</span>
      {alarm.owner ? <Owner name={alarm.owner.name} me={isMine(alarm, me)} /> : alarm.state === 'new' && <b>{text.waits}</b>}
      {alarm.state !== 'new' && after !== undefined && after >= 0 && after < 3_600_000 && <b className="num">{text.claimedAfter(seconds(after))}</b>}
      {limit !== undefined && (alarm.state === 'new' || after !== undefined) && <span className="faint num">{text.ofLimit(seconds(limit))}</span>}
    </p>
  )
}

/** The zones in the order they spoke, as far as the events are there. */
export function zonesOf(alarm: Alarm, events: readonly AlarmEvent[]): { zone: number; name: string | undefined }[] {
  const seen = new Map<number, string | undefined>()
  for (const event of events) {
    if (event.restore || !event.zone || event.priority > 3) continue
    if (!seen.get(event.zone)) seen.set(event.zone, event.zone_name)
  }
  if (seen.size === 0 && alarm.zone) seen.set(alarm.zone, alarm.zone_name)
  return [...seen].map(([zone, name]) => ({ zone, name }))
}

const mostZones = 4

function ZonePath({ alarm, detail }: { alarm: Alarm; detail: Detail | undefined }) {
  const words = useWords()
  const zones = zonesOf(alarm, detail?.events ?? [])
  const rest = zones.length - mostZones
  return (
    <p className="alarm-zone">
      {zones.slice(0, mostZones).map(({ zone, name }, i) => (
        <span key={zone}>{i > 0 && <span className="faint"> → </span>}<b>{zoneText(words, zone, name)}</b></span>
      ))}
      {rest > 0 && <span className="faint"> +{rest}</span>}
      <span className="faint"> {[zones.length > 0 ? '·' : '', [alarm.partition_name, ownText(words, alarm), words.alarm.events(alarm.event_count)].filter(Boolean).join(' · ')].filter(Boolean).join(' ')}</span>
    </p>
  )
}

/** Who else has this alarm open. */
function Present({ id }: { id: number }) {
  const words = useWords()
  const names = usePresent(id)
  if (names.length === 0) return null
  return <span className="tag" data-testid="present">{words.areas.desk.head.present(names.join(', '))}</span>
}
