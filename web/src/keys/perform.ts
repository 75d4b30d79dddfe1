// Does what a key means on this desk. Every step goes through Steps, which refuses while
// the gate is closed.
import type { Alarm, Me, Step } from '../api/types'
import type { Desk, Form } from '../live/desk'
import { allows, isMine, mostUrgent } from '../live/rules'
import type { Station } from '../live/station'
import { go, type Page, pagesFor, type Route } from '../route'
import type { KeyAction } from './keymap'

interface Place {
  station: Station
  desk: Desk
  me: Me
  route: Route
  /** A sheet lies over the page: only what cannot wait gets through. */
  covered: boolean
  /** Silences this desk for a while. */
  mute?: (() => void) | undefined
}

const steps: Partial<Record<KeyAction, Step>> = {
  claim: 'claim', ack: 'ack', close: 'close', release: 'release', takeover: 'takeover',
}

/** Says whether the key was used. */
export function perform(action: KeyAction, place: Place): boolean {
  const { station, desk, me, route } = place
  switch (action) {
    case 'claim-next':
      return claimNext(place)
    case 'mute':
      place.mute?.()
      return place.mute !== undefined
    case 'palette':
      desk.palette.set(!desk.palette.get())
      return true
  }
  // What lies over the page closes itself on Escape.
  if (place.covered) return false
  if (action === 'back') return back(place)
  if (action === 'search') return search(desk)
  if (action.startsWith('go-')) {
    const page = action.slice(3) as Page
    if (!pagesFor(me).includes(page)) return false
    go({ page })
    return true
  }
  if (action === 'help') {
    desk.help.set(true)
    return true
  }
  if (action === 'down' || action === 'up') return move(place, action === 'down' ? 1 : -1)
  if (action === 'home') {
    if (route.page !== 'alarms') return false
    desk.home.set(desk.home.get() + 1)
    return true
  }
  if (action === 'open') {
    const id = desk.cursor.get()
    if (route.page !== 'alarms' || id === undefined || id === route.id) return false
    desk.drawer.set(false)
    go(alarmRoute(route, id))
    return true
  }

  const alarm = target(place)
  if (!alarm) return false
  if (action === 'dial') {
    if (route.id === undefined) return false
    desk.dial.set(desk.dial.get() + 1)
    return true
  }
  if (action === 'note') {
    openForm(place, alarm, 'note')
    return true
  }
  if (action === 'pause') {
    if (!isMine(alarm, me) || (alarm.state !== 'claimed' && alarm.state !== 'acknowledged')) return false
    openForm(place, alarm, 'pause')
    return true
  }
  if (action === 'resolve') {
    if (!allows(alarm, 'resolve', me)) return false
    openForm(place, alarm, 'resolve')
    return true
  }
  const step = steps[action]
  if (!step || !allows(alarm, step, me)) return false
  if (step === 'claim' || step === 'takeover') show(place, alarm.id)
  void station.steps.take(alarm, step as Exclude<Step, 'resolve'>)
  return true
}

export function claimNext({ station, desk, route }: Pick<Place, 'station' | 'desk' | 'route'>): boolean {
  const alarm = mostUrgent(station.alarms.list())
  if (!alarm) return false
  show({ desk, route }, alarm.id)
  void station.steps.take(alarm, 'claim')
  return true
}

function show({ desk, route }: Pick<Place, 'desk' | 'route'>, id: number): void {
  desk.cursor.set(id)
  desk.drawer.set(false)
  if (route.page === 'alarms' && route.id === id) return
  desk.form.set(undefined)
  go(alarmRoute(route, id))
}

/** An alarm beside the queue as it is: the tab stays. */
function alarmRoute(route: Route, id: number): Route {
  return { page: 'alarms', id, ...(route.page === 'alarms' && route.query && { query: route.query }) }
}

function openForm(place: Place, alarm: Alarm, form: Form): void {
  show(place, alarm.id)
  place.desk.form.set(form)
}

/** The page's own search, or the one for everything. */
function search(desk: Desk): boolean {
  const field = document.querySelector<HTMLInputElement>('.page input[type=search]')
  if (field) field.focus()
  else desk.palette.set(true)
  return true
}

function back({ desk, route }: Place): boolean {
  if (desk.help.get()) desk.help.set(false)
  else if (desk.drawer.get()) desk.drawer.set(false)
  else if (desk.form.get()) desk.form.set(undefined)
  else if (route.id !== undefined) go({ page: route.page, ...(route.query && { query: route.query }) })
  else return false
  return true
}

function move({ station, desk, route }: Place, by: number): boolean {
  if (route.page !== 'alarms') return false
  const queue = desk.rows.get() ?? station.alarms.list().map((alarm) => alarm.id)
  if (queue.length === 0) return false
  const at = queue.indexOf(desk.cursor.get() ?? route.id ?? 0)
  const next = at < 0 ? (by > 0 ? 0 : queue.length - 1) : Math.min(queue.length - 1, Math.max(0, at + by))
  desk.cursor.set(queue[next])
  // Beside an alarm on a narrow desk the queue comes out, so that the cursor is seen.
  if (route.id !== undefined) desk.drawer.set(true)
  return true
}

function target({ station, desk, route }: Place): Alarm | undefined {
  if (route.page !== 'alarms') return undefined
  const id = route.id ?? desk.cursor.get()
  if (id === undefined) return undefined
  return station.alarms.get(id) ?? station.details.get(id)?.alarm
}
