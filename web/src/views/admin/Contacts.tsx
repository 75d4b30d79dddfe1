// Whom to call, in order, as those see it who keep the list.
import { type FormEvent, useState } from 'react'
import { type ContactBody, newerVersion } from '../../api/admin'
import type { Contact } from '../../api/alarms'
import { queries } from '../../api/queries'
import { useWords } from '../../i18n'
import { full } from '../../i18n/format'
import { Dialog } from '../../ui/Dialog'
import { TextField } from '../../ui/Field'
import { Mutating } from '../../ui/Mutating'
import { Numbers } from '../alarm/Numbers'
import { Ask } from './Ask'
import { Foot } from './UsersPage'
import { sentence, useAdmin } from './admin'

const refresh = () => queries.invalidateQueries({ queryKey: ['sites'] })

export function Contacts({ site, contacts, keeps }: { site: number; contacts: Contact[]; keeps: boolean }) {
  const w = useWords().areas.admin
  const admin = useAdmin()
  const [asking, setAsking] = useState<{ what: 'add' } | { what: 'edit' | 'remove'; contact: Contact }>()
  const close = () => setAsking(undefined)
  const move = (from: number, to: number) => {
    const ids = contacts.map((contact) => contact.id)
    ids.splice(to, 0, ...ids.splice(from, 1))
    void admin.orderContacts(site, ids).finally(refresh)
  }
  return (
    <section className="detail-part">
      <h3>{w.contacts.title}</h3>
      <p className="hint">{w.contacts.hint}</p>
      {contacts.length === 0 && <p className="faint">{w.contacts.none}</p>}
      <ol className="plain">
        {contacts.map((contact, i) => (
          <li key={contact.id} className="line keeps">
            <span className="num faint">{i + 1}</span>
            <span className="grow">
              {contact.name} <span className="faint">{contact.role}</span>
              {contact.notes && <span className="faint"> · {contact.notes}</span>}{' '}
              <span className="faint">{contact.checked_at ? w.contacts.checked(full(contact.checked_at)) : w.contacts.unchecked}</span>
            </span>
            <Numbers contact={contact} reason="check" />
            {keeps && (
              <Mutating>
                <span className="line-acts">
                  <button type="button" className="button quiet" disabled={i === 0} aria-label={w.contacts.up(contact.name)} onClick={() => move(i, i - 1)}>↑</button>
                  <button type="button" className="button quiet" disabled={i === contacts.length - 1} aria-label={w.contacts.down(contact.name)} onClick={() => move(i, i + 1)}>↓</button>
                  <button type="button" className="button quiet" aria-label={`${w.edit}: ${contact.name}`} onClick={() => setAsking({ what: 'edit', contact })}>{w.edit}</button>
                  <button type="button" className="button quiet" aria-label={w.contacts.remove(contact.name)} onClick={() => setAsking({ what: 'remove', contact })}>{w.remove}</button>
                </span>
              </Mutating>
            )}
          </li>
        ))}
      </ol>
      {keeps && <Mutating><button type="button" className="button" onClick={() => setAsking({ what: 'add' })}>{w.contacts.add}</button></Mutating>}
      {asking?.what === 'add' && <ContactForm site={site} onClose={close} />}
      {asking?.what === 'edit' && <ContactForm site={site} contact={asking.contact} onClose={close} />}
      {asking?.what === 'remove' && (
        <Ask title={w.remove} hint={w.contacts.removeAsk(asking.contact.name)} onClose={close} onDo={() => admin.removeContact(asking.contact).then(refresh)} />
      )}
    </section>
  )
}

interface NumberDraft {
  label: string
  number: string
}

function ContactForm({ site, contact, onClose }: { site: number; contact?: Contact; onClose: () => void }) {
  const words = useWords()
  const w = words.areas.admin
  const admin = useAdmin()
  const [seen, setSeen] = useState(contact)
  const [name, setName] = useState(contact?.name ?? '')
  const [role, setRole] = useState(contact?.role ?? '')
  const [notes, setNotes] = useState(contact?.notes ?? '')
  const [phones, setPhones] = useState<NumberDraft[] | undefined>(contact ? undefined : [{ label: '', number: '' }])
  const [problem, setProblem] = useState<string>()
  const [busy, setBusy] = useState(false)
  const set = (at: number, change: Partial<NumberDraft>) => setPhones(phones?.map((phone, i) => (i === at ? { ...phone, ...change } : phone)))
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setBusy(true)
    const body: Partial<ContactBody> & Omit<ContactBody, 'phones'> = { name: name.trim(), role: role.trim(), notes: notes.trim() }
    if (phones) body.phones = phones.filter((phone) => phone.number.trim())
    const saving = seen ? admin.editContact(seen, body) : admin.addContact(site, { ...body, phones: body.phones ?? [] })
    saving.then(
      async () => {
        await refresh()
        onClose()
      },
      (error: unknown) => {
        const newer = newerVersion<Contact>(error, 'contact')
        if (newer) setSeen(newer)
        setProblem(newer ? w.newer(`${newer.name}, ${newer.role}`) : sentence(words, error))
        setBusy(false)
      },
    )
  }
  return (
    <Dialog title={contact ? w.contacts.edit : w.contacts.add} onClose={onClose}>
      <form onSubmit={submit} autoComplete="off">
        <TextField label={w.contacts.name} value={name} required maxLength={200} onChange={(event) => setName(event.target.value)} />
        <TextField label={w.contacts.role} hint={w.contacts.roleHint} value={role} maxLength={200} onChange={(event) => setRole(event.target.value)} />
        {phones ? phones.map((phone, i) => (
          <div key={i} className="fields">
            <TextField label={w.contacts.phone} value={phone.number} inputMode="tel" maxLength={40} onChange={(event) => set(i, { number: event.target.value })} />
            <TextField label={w.contacts.phoneLabel} value={phone.label} maxLength={40} onChange={(event) => set(i, { label: event.target.value })} />
            <button type="button" className="button quiet" onClick={() => setPhones(phones.filter((_, at) => at !== i))}>{w.contacts.dropPhone}</button>
          </div>
        )) : <p className="hint">{w.contacts.phonesKept}</p>}
        {phones
          ? <p><button type="button" className="button" onClick={() => setPhones([...phones, { label: '', number: '' }])}>{w.contacts.addPhone}</button></p>
          : <p><button type="button" className="button" onClick={() => setPhones([{ label: '', number: '' }])}>{w.contacts.changePhones}</button></p>}
        <TextField label={w.contacts.notes} value={notes} maxLength={1000} onChange={(event) => setNotes(event.target.value)} />
        {problem && <p className="problem" role="alert">{problem}</p>}
        <Foot save={w.save} busy={busy} onClose={onClose} />
      </form>
    </Dialog>
  )
}
