// Whom to call, in order.
import { useEffect, useRef, useState } from 'react'
import type { Contact } from '../../api/alarms'
import type { Alarm } from '../../api/types'
import { useWords } from '../../i18n'
import { date } from '../../i18n/format'
import { useHere } from '../../ui/hooks'
import { Key } from '../../ui/parts'
import { Numbers } from './Numbers'

/** Nobody calls the site while somebody may stand there with a weapon. */
const never = new Set(['panic', 'duress'])

export function Contacts({ alarm, contacts }: { alarm: Alarm; contacts: readonly Contact[] }) {
  const { desk } = useHere()
  const text = useWords().areas.desk.contacts
  const list = useRef<HTMLOListElement>(null)
  const [called, setCalled] = useState<ReadonlySet<number>>(new Set())
  const withPhone = contacts.filter((contact) => contact.phones.length > 0)
  // Down the list, and from its top again when nobody could be reached.
  const next = (withPhone.find((contact) => !called.has(contact.id)) ?? withPhone[0])?.id
  const holdUp = never.has(alarm.kind)
  useEffect(() => desk.dial.subscribe(() => {
    const button = list.current?.querySelector<HTMLButtonElement>('[data-next] button')
    button?.focus()
    button?.click()
  }), [desk])
  const onShown = (id: number) => setCalled((was) => (withPhone.every((contact) => was.has(contact.id)) ? new Set([id]) : new Set([...was, id])))
  return (
    <section className="section contacts">
      <h3>{text.title} <span className="faint">{holdUp ? text.holdUp : text.hint}</span></h3>
      {contacts.length === 0 && <p className="faint">{text.none}</p>}
      <ol className="plain" ref={list}>
        {contacts.map((contact, i) => (
          <li key={contact.id} className="line" data-next={contact.id === next || undefined}>
            <span className="num faint">{i + 1}</span>
            <span className="grow"><b>{contact.name}</b> <span className="faint">{[contact.role, contact.notes].filter(Boolean).join(' · ')}</span></span>
            <Numbers contact={contact} reason="call" alarm={alarm.id} next={contact.id === next && !holdUp} onShown={() => onShown(contact.id)}>
              {contact.id === next && !holdUp && <Key>D</Key>}
            </Numbers>
            <span className="faint num checked">{contact.checked_at ? text.checked(date(Date.parse(contact.checked_at))) : text.unchecked}</span>
          </li>
        ))}
      </ol>
    </section>
  )
}
