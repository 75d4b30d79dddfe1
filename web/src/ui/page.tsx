// The frame of a page: a head that stays, and what it says when there is nothing.
import type { ReactNode } from 'react'

/** A page beside the bands. What it shows scrolls inside of it. */
export function Page({ children, label }: { children: ReactNode; label: string }) {
  return <main className="pane" aria-label={label}>{children}</main>
}

interface HeadProps {
  title: string
  /** How many there are, or a few words. */
  note?: ReactNode
  /** Filters and buttons, to the right. */
  children?: ReactNode
}

export function PageHead({ title, note, children }: HeadProps) {
  return (
    <header className="pane-head">
      <h1>{title}</h1>
      {note !== undefined && <span className="faint num">{note}</span>}
      <span className="grow" />
      {children}
    </header>
  )
}

/** Nothing here, said so that nobody takes it for a failure. */
export function EmptyState({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty" role="status">
      <b>{title}</b>
      {children}
    </div>
  )
}
