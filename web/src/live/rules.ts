// Which steps the screen offers. The server decides; this only keeps dead keys away.
import type { Alarm, Me, Step } from '../api/types'

/** All that somebody can do with an alarm but write a note. */
export type Act = Step | 'pause' | 'resume'

export function leads(me: Me): boolean {
  return me.role === 'admin' || me.role === 'supervisor'
}

export function isMine(alarm: Alarm, me: Me): boolean {
  return alarm.owner?.id === me.id
}

export function allows(alarm: Alarm, act: Act, me: Me): boolean {
  const worked = alarm.state === 'claimed' || alarm.state === 'acknowledged'
  switch (act) {
    case 'claim':
      return alarm.state === 'new'
    case 'release':
      return worked && (isMine(alarm, me) || leads(me))
    case 'takeover':
      return worked && !isMine(alarm, me) && leads(me)
    case 'ack':
      return alarm.state === 'claimed' && isMine(alarm, me)
    case 'pause':
      return worked && isMine(alarm, me)
    case 'resume':
      return worked && isMine(alarm, me) && alarm.paused_until !== undefined
    case 'resolve':
      return alarm.state === 'acknowledged' && isMine(alarm, me)
    case 'reopen':
    case 'close':
      return alarm.state === 'resolved'
  }
}

/** The step that leads on, if this person may take it. */
export function nextStep(alarm: Alarm, me: Me): Exclude<Act, 'pause'> | undefined {
  return (['resume', 'claim', 'ack', 'resolve', 'close'] as const).find((step) => allows(alarm, step, me))
}

/** What an alarm lacks before it can be closed by this person. */
export type Lack = 'claim' | 'owner' | 'ack' | 'outcome'

export function lackOf(alarm: Alarm, me: Me): Lack | undefined {
  if (alarm.state === 'resolved' || alarm.state === 'closed') return undefined
  if (alarm.state === 'new') return 'claim'
  if (!isMine(alarm, me)) return 'owner'
  return alarm.state === 'claimed' ? 'ack' : 'outcome'
}

/** Within how many milliseconds somebody should have claimed; P4 and P5 have no such limit. */
export function claimLimit(priority: number): number | undefined {
  if (priority <= 1) return 30_000
  return priority <= 3 ? 90_000 : undefined
}

/** The alarm that waits and presses most; the list is in the order of the queue. */
export function mostUrgent(queue: readonly Alarm[]): Alarm | undefined {
  return queue.find((alarm) => alarm.state === 'new')
}

/** Where to go on after an alarm was lost to somebody: the next that waits, from the top when none does below. */
export function nextWaiting(queue: readonly Alarm[], id: number): Alarm | undefined {
  const at = queue.findIndex((alarm) => alarm.id === id)
  const waits = (alarm: Alarm) => alarm.state === 'new' && alarm.id !== id
  return queue.slice(at + 1).find(waits) ?? queue.find(waits)
}

/** Whether an alarm may be worked on together with others. */
export function inBatch(alarm: Alarm): boolean {
  return alarm.priority >= 4
}
