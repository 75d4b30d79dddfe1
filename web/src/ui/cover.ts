// How many dialogs lie over the page. The page below is dead then; the bands never are.
import { useEffect } from 'react'
import { Value } from '../live/value'

export const covers = new Value(0)

/** Covers the page for as long as the caller is on the screen. */
export function useCover(): void {
  useEffect(() => {
    covers.set(covers.get() + 1)
    return () => covers.set(covers.get() - 1)
  }, [])
}
