import { useSyncExternalStore } from 'react'
import { useHere, useValue } from '../ui/hooks'
import { type Attention, attentionOf } from './attention'

/** The attention of this window; the first who asks begins it. */
export function useAttention(): Attention {
  return attentionOf(useHere().station)
}

const reduced = typeof matchMedia === 'undefined' ? undefined : matchMedia('(prefers-reduced-motion: reduce)')

/** Whether nothing may flash. */
export function useStill(): boolean {
  return useSyncExternalStore(
    (listener) => {
      reduced?.addEventListener('change', listener)
      return () => reduced?.removeEventListener('change', listener)
    },
    () => reduced?.matches ?? false,
  )
}

/** The answer that whoever is signed in gave last. */
export function useMyCheck() {
  const attention = useAttention()
  useValue(attention.check)
  useValue(useHere().station.session)
  return attention.myCheck
}
