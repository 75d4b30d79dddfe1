// Small pieces that many views share.
import { type KeyboardEvent, type ReactNode, useEffect, useRef } from 'react'
import { useWords } from '../i18n'
import { age } from '../i18n/format'
import { useNow } from './hooks'

/** Priority by shape and letter; a filled block while nobody has taken it. */
export function Badge({ priority, waiting = false, large = false }: { priority: number; waiting?: boolean; large?: boolean }) {
  return (
    <span className={`badge p${priority}${waiting ? ' waiting' : ''}${large ? ' large' : ''}`}>
      <i className="shape" aria-hidden="true" />P{priority}
    </span>
  )
}

export function Key({ children }: { children: ReactNode }) {
  return <kbd aria-hidden="true">{children}</kbd>
}

/** A running age, counted by the server's clock. */
export function Age({ since, className = 'age' }: { since: string; className?: string }) {
  const words = useWords()
  const now = useNow()
  return (
    <time className={className} dateTime={since}>
      {age(words, now - Date.parse(since))}
    </time>
  )
}

/** Who has an alarm; oneself is inverted. */
export function Owner({ name, me }: { name: string; me: boolean }) {
  const words = useWords()
  return me ? <span className="who me" title={name}>{words.queue.you}</span> : <span className="who">{name}</span>
}

/**
 * A page over the page. It lies below the bands at the top, so that no dialog ever hides
 * what is most urgent or that the connection is lost.
 */
export function Sheet({ title, onClose, children }: { title: string; onClose: () => void; children: ReactNode }) {
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const before = document.activeElement
    if (!box.current?.contains(document.activeElement)) box.current?.focus()
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [])

  // What had the focus may have gone with what was sent: the sheet takes it then.
  useEffect(() => {
    if (document.activeElement === document.body) box.current?.focus()
  })

  // Escape is the sheet's wherever the focus is, and reaches nothing below it.
  useEffect(() => {
    const onEscape = (event: globalThis.KeyboardEvent) => {
      if (event.key !== 'Escape' || event.isComposing) return
      event.stopPropagation()
      onClose()
    }
    addEventListener('keydown', onEscape, { capture: true })
    return () => removeEventListener('keydown', onEscape, { capture: true })
  }, [onClose])

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Tab' || !box.current) return
    const stops = [...box.current.querySelectorAll<HTMLElement>('button, input, select, textarea, a[href]')].filter(
      (element) => !element.matches(':disabled'),
    )
    const first = stops[0]
    const last = stops.at(-1)
    const here = document.activeElement
    if (event.shiftKey && (here === first || here === box.current)) {
      event.preventDefault()
      last?.focus()
    } else if (!event.shiftKey && here === last) {
      event.preventDefault()
      first?.focus()
    }
  }

  return (
    <div className="sheet-ground" onMouseDown={(event) => event.target === event.currentTarget && onClose()}>
      <div className="sheet" role="dialog" aria-label={title} tabIndex={-1} ref={box} onKeyDown={onKeyDown}>
        <h2>{title}</h2>
        {children}
      </div>
    </div>
  )
}

/** A failure that says what still works, with a way to try again. */
export function Failure({ text, retry }: { text: string; retry: () => void }) {
  const words = useWords()
  return (
    <div className="failure" role="alert">
      <p>{text}</p>
      <button type="button" className="button" onClick={retry}>{words.alarm.retry}</button>
    </div>
  )
}
