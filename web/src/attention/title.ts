// What is seen of a window that nobody looks at: title, sign and number. Nothing changes
// faster than once a second.
import type { Alarm } from '../api/types'
import { wordFor } from '../i18n'
import { type Catalogue } from '../i18n/pl'
import { mostUrgent } from '../live/rules'

export interface Sight {
  queue: readonly Alarm[]
  /** What is shown is not what the server knows. */
  lost: boolean
  /** Nothing may flash. */
  still: boolean
  second: number
}

export function titleFor({ queue, lost, still, second }: Sight, words: Catalogue): string {
  const waiting = queue.filter((alarm) => alarm.state === 'new').length
  const most = mostUrgent(queue)
  const count = waiting > 0 ? `(${waiting}) dozor` : 'dozor'
  const away = lost ? `⚠ ${words.link.lost} · ` : ''
  if (most?.priority !== 1) return away + count
  const alarm = `▲ P1 ${wordFor(words.kinds, most.kind).toUpperCase()}`
  if (still) return `${away}${alarm} ${count}`
  return away + (second % 2 === 1 ? alarm : count)
}

const shapes: Record<number, string> = {
  1: '<path d="M16 1 31 30H1z"/>',
  2: '<path d="M16 0 32 16 16 32 0 16z"/>',
  3: '<rect x="1" y="1" width="30" height="30" rx="2"/>',
  4: '<circle cx="16" cy="16" r="13" stroke-width="5"/>',
}
const colours: Record<number, [ground: string, ink: string, edge: string]> = {
  1: ['#d32b23', '#fff', '#ff7268'],
  2: ['#f59a23', '#1a0f00', '#7d3f00'],
  3: ['#e3c83c', '#171300', '#5e4b00'],
  4: ['none', '#8fb6da', '#8fb6da'],
}
const mark = '<rect width="32" height="32" rx="6" fill="#15191d"/><circle cx="16" cy="16" r="10" fill="none" stroke="#e6eaee" stroke-width="3"/><circle cx="16" cy="16" r="4.5" fill="#e6eaee"/>'

/** The sign of the window as SVG: shape and number of what waits, the plain mark otherwise. */
export function signFor({ queue, lost, still, second }: Sight): string {
  const most = mostUrgent(queue)
  const priority = most ? Math.min(4, most.priority) : 0
  let drawn = mark
  if (most) {
    const count = queue.filter((alarm) => alarm.state === 'new' && Math.min(4, alarm.priority) === priority).length
    const [ground, ink, edge] = colours[priority]!
    const dim = priority === 1 && !still && second % 2 === 1 ? ' opacity="0.6"' : ''
    const rim = priority === 4 ? `stroke="${edge}"` : priority === 1 && still ? `stroke="${edge}" stroke-width="4"` : ''
    const y = priority === 1 ? 27 : 22
    drawn = `<g${dim} fill="${ground}" ${rim}>${shapes[priority]}</g><text x="16" y="${y}" text-anchor="middle" font-family="sans-serif" font-weight="700" font-size="${count > 9 ? 13 : 17}" fill="${ink}">${count > 99 ? '99' : count}</text>`
  }
  const away = lost ? '<path d="M2 30 30 2" stroke="#000" stroke-width="7"/><path d="M2 30 30 2" stroke="#e3c83c" stroke-width="4"/>' : ''
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">${drawn}${away}</svg>`
}

/** How many wait for somebody: the number on the icon of the application. */
export function badgeFor(queue: readonly Alarm[]): number {
  return queue.filter((alarm) => alarm.state === 'new' && alarm.priority <= 3).length
}
