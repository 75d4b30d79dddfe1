// Whom to call, in order.
import type { Contact } from '../../api/alarms'
import type { Alarm } from '../../api/types'
import { useWords } from '../../i18n'
import { date } from '../../i18n/format'
import { Numbers } from './Numbers'

/** Nobody calls the site while somebody may stand there with a weapon. */
const never = new Set(['panic', 'duress'])

export function Contacts({ alarm, contacts }: { alarm: Alarm; contacts: readonly Contact[] }) {
  const text = useWords().areas.desk.contacts
  return (
    <section className="section contacts">
      <h3>{text.title} <span className="faint">{never.has(alarm.kind) ? text.holdUp : text.hint}</span></h3>
      {contacts.length === 0 && <p className="faint">{text.none}</p>}
      <ol className="plain">
        {contacts.map((contact, i) => (
          <li key={contact.id} className="line">
            <span className="num faint">{i + 1}</span>
            <span className="grow"><b>{contact.name}</b> <span className="faint">{[contact.role, contact.notes].filter(Boolean).join(' · ')}</span></span>
            <Numbers contact={contact} reason="call" alarm={alarm.id} primary={i === 0} />
            <span className="faint num">{contact.checked_at ? text.checked(date(Date.parse(contact.checked_at))) : text.unchecked}</span>
          </li>
        ))}
      </ol>
    </section>
  )
}
