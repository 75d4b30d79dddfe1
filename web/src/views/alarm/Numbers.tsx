// A contact's numbers: masked until somebody asks, with a reason that the log keeps; then
// here for a quarter of a minute, in no cache, not to be selected, and gone on leaving.
import { useEffect, useState } from 'react'
import { type Contact, type RevealedPhone, revealContact, type RevealReason } from '../../api/alarms'
import { useWords } from '../../i18n'
import { useHere } from '../../ui/hooks'
import { Mutating } from '../../ui/Mutating'

const shownFor = 15 // seconds

export function Numbers({ contact, reason, alarm, primary = false }: { contact: Contact; reason: RevealReason; alarm?: number; primary?: boolean }) {
  const { station } = useHere()
  const text = useWords().areas.desk.contacts
  const [numbers, setNumbers] = useState<RevealedPhone[]>()
  const [left, setLeft] = useState(0)
  const [failed, setFailed] = useState(false)
  const shown = numbers !== undefined
  useEffect(() => {
    if (!shown) return
    const hide = () => setNumbers(undefined)
    const until = performance.now() + shownFor * 1000
    const tick = setInterval(() => {
      const rest = Math.ceil((until - performance.now()) / 1000)
      if (rest <= 0) hide()
      else setLeft(rest)
    }, 250)
    addEventListener('blur', hide)
    return () => {
      clearInterval(tick)
      removeEventListener('blur', hide)
    }
  }, [shown])
  const show = () => {
    setFailed(false)
    revealContact(station.client, contact.id, reason, alarm).then(
      (phones) => {
        setLeft(shownFor)
        setNumbers(phones)
      },
      () => setFailed(true),
    )
  }
  if (contact.phones.length === 0) return <span className="faint">{text.noPhone}</span>
  if (numbers) {
    return (
      <span className="secret num" role="status" data-testid="revealed">
        {numbers.map((phone) => [phone.label, phone.number].filter(Boolean).join(' ')).join(', ')}
        <span className="faint" aria-label={text.leftLabel(left)}> {text.left(left)}</span>
      </span>
    )
  }
  return (
    <>
      <span className="num">{contact.phones.map((phone) => phone.masked).join(', ')}</span>
      <Mutating>
        <button type="button" className={primary ? 'button' : 'button quiet'} aria-label={`${text.show}: ${contact.name}`} onClick={show}>{text.show}</button>
      </Mutating>
      {failed && <span className="problem" role="alert">{text.failed}</span>}
    </>
  )
}
