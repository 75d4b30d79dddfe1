// Which steps the screen offers. The server decides; this only keeps dead keys away.
import type { Alarm, Me, Step } from '../api/types'

export function leads(me: Me): boolean {
  return me.role === 'admin' || me.role === 'supervisor'
}

export function isMine(alarm: Alarm, me: Me): boolean {
  return alarm.owner?.id === me.id
}

export function allows(alarm: Alarm, step: Step, me: Me): boolean {
  const worked = alarm.state === 'claimed' || alarm.state === 'acknowledged'
  switch (step) {
    case 'claim':
      return alarm.state === 'new'
    case 'release':
      return worked && (isMine(alarm, me) || leads(me))
    case 'takeover':
      return worked && !isMine(alarm, me) && leads(me)
    case 'ack':
      return alarm.state === 'claimed' && isMine(alarm, me)
    case 'resolve':
      return alarm.state === 'acknowledged' && isMine(alarm, me)
    case 'reopen':
    case 'close':
      return alarm.state === 'resolved'
  }
}

/** The step that leads on, if this person may take it. */
export function nextStep(alarm: Alarm, me: Me): Step | undefined {
  return (['claim', 'ack', 'resolve', 'close'] as const).find((step) => allows(alarm, step, me))
}

/** The alarm that waits and presses most; the list is in the order of the queue. */
export function mostUrgent(queue: readonly Alarm[]): Alarm | undefined {
  return queue.find((alarm) => alarm.state === 'new')
}
