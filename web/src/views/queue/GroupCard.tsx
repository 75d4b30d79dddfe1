// Many alarms of one kind in a flood, as one card: how many, where, how fast, since when.
import { memo } from 'react'
import { useWords } from '../../i18n'
import { age } from '../../i18n/format'
import { useMe, useNow } from '../../ui/hooks'
import { Mutating } from '../../ui/Mutating'
import { Badge } from '../../ui/parts'
import { kindText } from '../alarm/text'
import { actOf } from './batchwork'
import { perMinute } from './burst'
import type { Group } from './items'

interface Props {
  group: Group
  unfolded: boolean
  onFold: (key: string) => void
  onBatch: (key: string) => void
}

const shownMinutes = 8
const shownPlaces = 3

export const GroupCard = memo(function GroupCard({ group, unfolded, onFold, onBatch }: Props) {
  const words = useWords()
  const me = useMe()
  const now = useNow()
  const text = words.areas.desk.group
  const times = group.alarms.map((alarm) => Date.parse(alarm.opened_at))
  const counts = perMinute(times, now, shownMinutes)
  const waiting = group.alarms.filter((alarm) => alarm.state === 'new').length
  const work = group.priority >= 4 ? actOf(group.alarms, me) : undefined
  return (
    <div className={`card p${group.priority}${waiting ? ' waiting' : ''}`} data-testid="group" data-group={group.key} data-count={group.alarms.length}>
      <Badge priority={group.priority} waiting={waiting > 0} />
      <b className="card-count num">{group.alarms.length}</b>
      <button type="button" className="card-main" aria-expanded={unfolded} onClick={() => onFold(group.key)}>
        <span className="card-kind cut"><b className="kind">{kindText(words, group.kind)}</b> {waiting ? text.waiting(waiting) : text.none}</span>
        <span className="card-places cut">{places(group, text.more)}</span>
        <span className="card-oldest cut">{text.oldest(age(words, now - Math.min(...times)))} · {unfolded ? text.close : text.open}</span>
      </button>
      <div className="card-side">
        <span className="card-rate num" title={text.rateLabel(counts.at(-1) ?? 0)}>{text.rate(Math.max(...counts))}<Bars counts={counts} /></span>
        {work ? (
          <Mutating>
            <button type="button" className="button" data-act={work.act} onClick={() => onBatch(group.key)}>{text.act[work.act](work.alarms.length)}</button>
          </Mutating>
        ) : (
          group.priority < 4 && <span className="faint">{text.single}</span>
        )}
      </div>
    </div>
  )
})

/** The towns, those with the most alarms first. */
function places(group: Group, more: (n: number) => string): string {
  const counts = new Map<string, number>()
  for (const { site } of group.alarms) counts.set(site.city || site.name, (counts.get(site.city || site.name) ?? 0) + 1)
  const sorted = [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0], 'pl'))
  const rest = sorted.slice(shownPlaces).reduce((sum, [, count]) => sum + count, 0)
  return [...sorted.slice(0, shownPlaces).map(([name, count]) => `${name} ${count}`), rest > 0 && more(rest)].filter(Boolean).join(' · ')
}

function Bars({ counts }: { counts: readonly number[] }) {
  const most = Math.max(1, ...counts)
  return (
    <svg className="bars" viewBox={`0 0 ${counts.length * 4} 10`} aria-hidden="true">
      {counts.map((count, i) => {
        const height = Math.max(0.6, (count / most) * 10)
        return <rect key={i} x={i * 4} y={10 - height} width="3" height={height} />
      })}
    </svg>
  )
}
