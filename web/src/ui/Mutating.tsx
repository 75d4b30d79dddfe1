import type { ReactNode } from 'react'
import { useLive } from './hooks'

/**
 * The one place that turns controls off while the window does not know what the server
 * knows. Every control that changes something stands inside of one.
 */
export function Mutating({ children }: { children: ReactNode }) {
  const live = useLive()
  return (
    <fieldset className="mutating" disabled={!live} data-testid="mutating">
      {children}
    </fieldset>
  )
}
