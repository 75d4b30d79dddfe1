import { Menu as Base } from '@base-ui/react/menu'
import type { ReactNode } from 'react'

export interface MenuEntry {
  key: string
  text: ReactNode
  onChoose: () => void
  disabled?: boolean
}

interface Props {
  label: string
  button: ReactNode
  entries: readonly MenuEntry[]
  /** What it is about, said above the entries. */
  head?: ReactNode
  disabled?: boolean
}

/** A button with a list of what it can do. */
export function Menu({ label, button, entries, head, disabled = false }: Props) {
  return (
    <Base.Root modal={false}>
      <Base.Trigger className="button quiet icon-button" aria-label={label} disabled={disabled}>{button}</Base.Trigger>
      <Base.Portal>
        <Base.Positioner className="menu-place" align="end" sideOffset={4}>
          <Base.Popup className="menu">
            {head && <p className="menu-head">{head}</p>}
            {entries.map((entry) => (
              <Base.Item key={entry.key} className="menu-item" disabled={entry.disabled ?? false} onClick={entry.onChoose}>{entry.text}</Base.Item>
            ))}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}
