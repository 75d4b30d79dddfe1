// Who is at the desks: oneself first, whoever cannot be called by sound marked.
import type { Me } from '../api/types'
import { useWords } from '../i18n'
import type { DeskView } from '../live/desks'
import { useHere, useLive, useMe, useValue } from '../ui/hooks'
import { useAttention } from './hooks'
import { Speaker } from './Speaker'

export interface Person {
  id: number
  name: string
  me: boolean
  canSound: boolean
  /** No window of theirs is looked at. */
  hidden: boolean
  alarms: number[]
}

const shown = 4

/** One entry for each person, whatever the number of their windows. */
export function peopleOf(desks: readonly DeskView[], me: Pick<Me, 'id' | 'name'>, iCanSound: boolean): Person[] {
  const people = new Map<number, Person>([[me.id, { id: me.id, name: me.name, me: true, canSound: iCanSound, hidden: false, alarms: [] }]])
  for (const desk of desks) {
    const person = people.get(desk.user.id) ?? { id: desk.user.id, name: desk.user.name, me: false, canSound: false, hidden: true, alarms: [] }
    person.canSound ||= desk.can_sound
    person.hidden &&= !desk.visible
    if (desk.alarm_id !== undefined && !person.alarms.includes(desk.alarm_id)) person.alarms.push(desk.alarm_id)
    people.set(person.id, person)
  }
  return [...people.values()].sort((a, b) => Number(b.me) - Number(a.me) || a.name.localeCompare(b.name, 'pl'))
}

export function People() {
  const { station } = useHere()
  const me = useMe()
  const attention = useAttention()
  const live = useLive()
  const words = useWords()
  const { people: say } = words.areas.attention
  const desks = useValue(station.desks.list)
  useValue(attention.player.output)
  useValue(attention.check)
  const people = peopleOf(desks ?? [], me, station.desks.report.can_sound)
  const more = people.slice(shown)
  const told = (person: Person) =>
    [person.name, person.canSound ? '' : say.mute, person.hidden ? say.hidden : '', ...person.alarms.map((id) => say.at(id)), live ? '' : say.stale].filter(Boolean).join(', ')
  return (
    <ul className={live ? 'people' : 'people stale'} aria-label={say.label} data-testid="people">
      {people.slice(0, shown).map((person) => (
        <li key={person.id} title={told(person)} data-user={person.id} data-can-sound={person.canSound}>
          <span className={`who${person.me ? ' me' : ''}${person.canSound ? '' : ' mute'}`}>
            {!person.canSound && <Speaker off />}
            <span className="cut">{person.name}</span>
            {person.me && <span className="unseen">({say.you})</span>}
            {!person.canSound && <span className="unseen">, {say.mute}</span>}
          </span>
        </li>
      ))}
      {more.length > 0 && (
        <li title={more.map(told).join('\n')}>
          <span className={more.every((person) => person.canSound) ? 'who' : 'who mute'}>{say.more(more.length)}<span className="unseen">: {more.map(told).join('; ')}</span></span>
        </li>
      )}
    </ul>
  )
}
