// What the window's title says: how many wait, and for a P1 what it is, in turns of a
// second each, so that the title never changes faster than 1 Hz.
import type { Alarm } from '../api/types'
import { type Catalogue } from '../i18n/pl'
import { wordFor } from '../i18n'
import { mostUrgent } from '../live/rules'

export function titleFor(queue: readonly Alarm[], words: Catalogue, second: number): string {
  const waiting = queue.filter((alarm) => alarm.state === 'new').length
  const most = mostUrgent(queue)
  if (most?.priority === 1 && second % 2 === 1) return `▲ P1 ${wordFor(words.kinds, most.kind).toUpperCase()}`
  return waiting > 0 ? `(${waiting}) dozor` : 'dozor'
}
