// The band that never moves: what is most urgent, or that the connection is lost.
import { useWords, wordFor } from '../i18n'
import { clockTime } from '../i18n/format'
import { claimNext } from '../keys/perform'
import { isMine, mostUrgent } from '../live/rules'
import { useRoute } from '../route'
import { useHere, useMe, useQueue, useStepState, useValue } from '../ui/hooks'
import { Mutating } from '../ui/Mutating'
import { Age, Badge, Key } from '../ui/parts'

export function StateBand() {
  const { station } = useHere()
  const words = useWords()
  const status = useValue(station.stream.status)
  return (
    <div className="band">
      {status.degraded ? (
        <div className="urgent lost" role="alert" data-testid="banner">
          <b>{words.link.banner}</b>
          <span>{status.liveAt > 0 ? words.link.since(clockTime(status.liveAt)) : words.link.never}</span>
        </div>
      ) : (
        <Urgent />
      )}
      <Counters dim={status.degraded} />
      <Announcer />
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
  if (!alarm) {
    return (
      <div className="urgent calm" role="status">
        <span className="dot" aria-hidden="true" />
        {station.alarms.loaded ? words.urgent.none : words.urgent.loading}
      </div>
    )
  }
  return (
    <div className={`urgent waiting p${alarm.priority}`} data-testid="urgent">
      <Badge priority={alarm.priority} waiting />
      <Age since={alarm.opened_at} />
      <b className="kind">{wordFor(words.kinds, alarm.kind)}</b>
      <span className="urgent-site cut">
        <b>{alarm.site.name}</b> {alarm.zone_name}
      </span>
      <Mutating>
        <button type="button" className={pending ? 'button pending' : 'button'} disabled={pending} onClick={() => claimNext({ station, desk, route })}>
          {pending ? words.link.sending : (
            <>
              <span className="wide">{words.urgent.claim}</span>
              <span className="narrow">{words.steps.claim}</span>
            </>
          )} <Key>{words.keys.space}</Key>
        </button>
      </Mutating>
    </div>
  )
}

function Counters({ dim }: { dim: boolean }) {
  const words = useWords()
  const me = useMe()
  const queue = useQueue()
  return (
    <ul className={dim ? 'counters dim' : 'counters'}>
      {[1, 2, 3, 4].map((priority) => {
        const all = queue.filter((alarm) => alarm.priority === priority)
        const waiting = all.filter((alarm) => alarm.state === 'new').length
        return (
          <li key={priority}>
            <span className={`counter p${priority}`}>
              <i className="shape" aria-hidden="true" />P{priority} <b className={all.length ? '' : 'zero'}>{all.length}</b>
            </span>
            <span className={waiting && priority < 4 ? `counter-waits block p${priority}` : 'counter-waits'}>
              {waiting ? words.urgent.waiting(waiting) : all.length ? words.urgent.handled : '–'}
            </span>
          </li>
        )
      })}
      <li>
        <span className="counter"><b className="plain">{queue.filter((alarm) => isMine(alarm, me) && alarm.state !== 'resolved').length}</b></span>
        <span className="counter-waits">{words.urgent.mine}</span>
      </li>
    </ul>
  )
}

/** Tells a screen reader how many wait and what is most urgent, not every row. */
function Announcer() {
  const words = useWords()
  const queue = useQueue()
  const waiting = queue.filter((alarm) => alarm.state === 'new').length
  const most = mostUrgent(queue)
  const text = waiting === 0 ? words.urgent.none : words.urgent.announce(waiting, most ? `P${most.priority} ${wordFor(words.kinds, most.kind)}, ${most.site.name}` : '')
  return <p className="unseen" aria-live={most?.priority === 1 ? 'assertive' : 'polite'}>{text}</p>
}
