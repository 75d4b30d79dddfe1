// Title, sign and number of the window: what is seen of it when it is not looked at.
import { useEffect } from 'react'
import { useWords } from '../i18n'
import { useHere, useNow, useQueue, useValue } from '../ui/hooks'
import { useAttention, useStill } from './hooks'
import { badgeFor, signFor, titleFor } from './title'

export function Title() {
  useAttention()
  const { station } = useHere()
  const words = useWords()
  const queue = useQueue()
  const { degraded } = useValue(station.stream.status)
  const still = useStill()
  const second = Math.floor(useNow() / 1000)
  const sight = { queue, lost: degraded, still, second }
  const title = titleFor(sight, words)
  const sign = signFor(sight)
  const count = badgeFor(queue)

  useEffect(() => {
    document.title = title
  }, [title])
  useEffect(() => {
    const link = document.querySelector<HTMLLinkElement>('link[rel~="icon"]')
    if (link) {
      link.type = 'image/svg+xml'
      link.href = `data:image/svg+xml,${encodeURIComponent(sign)}`
    }
  }, [sign])
  useEffect(() => badge(count), [count])
  useEffect(() => () => {
    document.title = 'dozor'
    badge(0)
    const link = document.querySelector<HTMLLinkElement>('link[rel~="icon"]')
    if (link) link.href = '/favicon.svg'
  }, [])
  return null
}

function badge(count: number): void {
  // Only an installed application has a badge; elsewhere it is refused.
  if (count > 0) navigator.setAppBadge?.(count).catch(() => {})
  else navigator.clearAppBadge?.().catch(() => {})
}
