// Small pieces that many views share.
import type { ReactNode } from 'react'
import { useWords } from '../i18n'
import { age } from '../i18n/format'
import { singleKeys } from '../shell/prefs'
import { useNow, useValue } from './hooks'

/** Priority by shape and letter; a filled block while nobody has taken it. */
export function Badge({ priority, waiting = false, large = false }: { priority: number; waiting?: boolean; large?: boolean }) {
  return (
    <span className={`badge p${priority}${waiting ? ' waiting' : ''}${large ? ' large' : ''}`}>
      <i className="shape" aria-hidden="true" />P{priority}
    </span>
  )
}

/** The key for what it stands beside; a single letter only while letters are commands here. */
export function Key({ children }: { children: ReactNode }) {
  const words = useWords()
  const off = useValue(singleKeys) === 'off'
  if (off && typeof children === 'string' && (/^[\p{L}/?]$/u.test(children) || children === words.keys.space)) return null
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
