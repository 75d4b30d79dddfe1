import { useEffect, useMemo } from 'react'
import { useWords } from '../i18n'
import { useNow, useQueue } from '../ui/hooks'
import { titleFor } from './title'
import { ringing, Tone } from './tone'

const gestures = ['pointerdown', 'keydown'] as const

/** The sound of this window: unlocked by any gesture, ringing by the queue. */
export function useTone(): Tone {
  const tone = useMemo(() => new Tone(), [])
  const queue = useQueue()
  useEffect(() => {
    for (const gesture of gestures) addEventListener(gesture, tone.unlock, { capture: true })
    // Whoever signed in by hand has made a gesture already.
    if (navigator.userActivation?.hasBeenActive) tone.unlock()
    return () => {
      for (const gesture of gestures) removeEventListener(gesture, tone.unlock, { capture: true })
      tone.stop()
    }
  }, [tone])
  useEffect(() => tone.ring(ringing(queue)), [tone, queue])
  return tone
}

/** Keeps the window's title. */
export function Title() {
  const words = useWords()
  const queue = useQueue()
  const second = Math.floor(useNow() / 1000)
  const title = titleFor(queue, words, second)
  useEffect(() => {
    document.title = title
  }, [title])
  useEffect(() => () => void (document.title = 'dozor'), [])
  return null
}
