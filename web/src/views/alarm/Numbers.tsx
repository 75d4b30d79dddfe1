// A contact's numbers: masked until somebody asks, with a reason that the log keeps; then
// here for a quarter of a minute, in no cache, not to be selected, and gone on leaving.
import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { type Contact, type RevealedPhone, revealContact, type RevealReason } from '../../api/alarms'
import { useWords } from '../../i18n'
import { useHere } from '../../ui/hooks'
import { Mutating } from '../../ui/Mutating'

const shownFor = 15 // seconds

interface Props {
  contact: Contact
  reason: RevealReason
  alarm?: number
  /** The one that is called next. */
  next?: boolean
  /** Beside the word of the button: its key. */
  children?: ReactNode
  onShown?: () => void
}

/** What a telephone dials of a number as people write it. */
const dialled = (number: string) => number.replaceAll(/[^+\d]/g, '')

export function Numbers({ contact, reason, alarm, next = false, children, onShown }: Props) {
  const { station } = useHere()
  const text = useWords().areas.desk.contacts
  const [numbers, setNumbers] = useState<RevealedPhone[]>()
  const [left, setLeft] = useState(0)
  const [failed, setFailed] = useState(false)
  const place = useRef<HTMLSpanElement>(null)
  const shown = numbers !== undefined
  // Whoever asked by key goes on by key: what takes the place of the button has its focus.
  const focused = useRef(false)
  useLayoutEffect(() => {
    if (focused.current) place.current?.querySelector<HTMLElement>('a, button')?.focus()
    focused.current = false
  }, [shown])
  useEffect(() => {
    if (!shown) return
    const hide = () => {
      focused.current = place.current?.contains(document.activeElement) ?? false
      setNumbers(undefined)
    }
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
        focused.current = place.current?.contains(document.activeElement) ?? false
        setLeft(shownFor)
        setNumbers(phones)
        onShown?.()
      },
      () => setFailed(true),
    )
  }
  if (contact.phones.length === 0) return <span className="faint">{text.noPhone}</span>
  return (
    <span className="numbers" ref={place}>
      {numbers ? (
        <span className="secret num" role="status" data-testid="revealed">
          {numbers.map((phone, i) => (
            <span key={i}>{phone.label} <a href={`tel:${dialled(phone.number)}`} aria-label={text.call(`${contact.name} ${phone.number}`)}>{phone.number}</a></span>
          ))}
          <span className="faint" aria-label={text.leftLabel(left)}>{text.left(left)}</span>
        </span>
      ) : (
        <>
          <span className="num">{contact.phones.map((phone) => phone.masked).join(', ')}</span>
          <Mutating>
            <button type="button" className={next ? 'button' : 'button quiet'} onClick={show}>
              <span>{text.show}<span className="unseen">: {contact.name}</span></span>{children}
            </button>
          </Mutating>
        </>
      )}
      {failed && <span className="problem" role="alert">{text.failed}</span>}
    </span>
  )
}
