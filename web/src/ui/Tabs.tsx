import { Tabs as Base } from '@base-ui/react/tabs'
import type { ReactNode } from 'react'

export interface Tab<T extends string> {
  value: T
  label: string
  /** Shown beside the label. */
  count?: number
}

interface Props<T extends string> {
  label: string
  tabs: readonly Tab<T>[]
  value: T
  onChoose: (value: T) => void
  /** What the chosen tab shows. */
  children?: ReactNode
}

/** Tabs; arrows move between them, and what they show follows. */
export function Tabs<T extends string>({ label, tabs, value, onChoose, children }: Props<T>) {
  return (
    <Base.Root className="tabs" value={value} onValueChange={(next) => onChoose(next as T)}>
      <Base.List className="tab-list" aria-label={label} activateOnFocus>
        {tabs.map((tab) => (
          <Base.Tab key={tab.value} className="tab" value={tab.value}>
            {tab.label} {tab.count !== undefined && <span className="num faint">{tab.count}</span>}
          </Base.Tab>
        ))}
      </Base.List>
      <Base.Panel className="tab-panel" value={value}>{children}</Base.Panel>
    </Base.Root>
  )
}
