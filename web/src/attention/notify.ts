// Notifications of the system, for a window that is not seen: one alarm, one notification,
// at most two in a second, gone when somebody has claimed it.
import type { Alarm } from '../api/types'
import { wordFor } from '../i18n'
import type { Catalogue } from '../i18n/pl'
import { timers } from '../live/timers'

const apart = 500

export interface Notice {
  tag: string
  title: string
  body: string
  /** Where it leads. */
  hash: string
}

/** What a notification may say: the desk may stand where others see it, so no address. */
export function noticeFor(alarm: Alarm, words: Catalogue): Notice {
  return {
    tag: tagOf(alarm.id),
    title: `P${alarm.priority} ${wordFor(words.kinds, alarm.kind).toUpperCase()}`,
    body: alarm.site.name,
    hash: `#/alarms/${alarm.id}`,
  }
}

const tagOf = (id: number) => `alarm-${id}`

const calls = (alarm: Alarm) => alarm.state === 'new' && alarm.priority <= 2 && !alarm.historic

export type Show = (notice: Notice) => Promise<() => void>

export class Notifier {
  #shown = new Map<number, { ring: number; close: Promise<() => void> }>()
  #waiting: Alarm[] = []
  #last = -Infinity
  #timer: (() => void) | undefined
  #show: Show

  constructor(show: Show = showNotice) {
    this.#show = show
  }

  /** Shows what calls and was not shown yet, if asked to; takes back what no longer calls. */
  look(queue: readonly Alarm[], words: Catalogue, wanted: boolean): void {
    const calling = new Map(queue.filter(calls).map((alarm) => [alarm.id, alarm]))
    for (const [id, { close }] of [...this.#shown]) {
      if (calling.has(id)) continue
      this.#shown.delete(id)
      void close.then((end) => end(), () => {})
    }
    this.#waiting = wanted ? [...calling.values()].filter((alarm) => this.#shown.get(alarm.id)?.ring !== alarm.ring) : []
    this.#next(words)
  }

  #next(words: Catalogue): void {
    const alarm = this.#waiting[0]
    if (!alarm || this.#timer) return
    const wait = this.#last + apart - performance.now()
    if (wait > 0) {
      this.#timer = timers.after(wait, () => {
        this.#timer = undefined
        this.#next(words)
      })
      return
    }
    this.#waiting.shift()
    this.#last = performance.now()
    const close = this.#show(noticeFor(alarm, words))
    close.catch(() => {})
    this.#shown.set(alarm.id, { ring: alarm.ring, close })
    this.#next(words)
  }
}

/** Shows it through the service worker, or by the page where there is none. */
async function showNotice({ tag, title, body, hash }: Notice): Promise<() => void> {
  const options = { tag, body, requireInteraction: true, renotify: true, icon: '/favicon.svg', data: { hash } } as NotificationOptions
  const registration = await navigator.serviceWorker?.getRegistration()
  if (registration?.active) {
    await registration.showNotification(title, options)
    return () => void registration.getNotifications({ tag }).then((all) => all.forEach((one) => one.close()))
  }
  const notification = new Notification(title, options)
  notification.onclick = () => {
    window.focus()
    location.hash = hash
    notification.close()
  }
  return () => notification.close()
}

export type Permission = 'granted' | 'denied' | 'default' | 'missing'

export function notificationPermission(): Permission {
  return typeof Notification === 'undefined' ? 'missing' : Notification.permission
}
