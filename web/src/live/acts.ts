// The newest acts of the station, as the stream tells them: who took what, what was armed
// where, which link went or came back. Only what a frame proves is said: a frame does not
// tell who closed an alarm, so no name stands there.
import type { Alarm, CommandKind, Frame, UserRef } from '../api/types'
import { Batch } from './batch'
import { Value } from './value'

export type ActWhat =
  | { kind: 'new' | 'claim' | 'ack' | 'resolve' | 'close' | 'release' | 'pause'; alarm: Alarm }
  | { kind: 'armed' | 'disarmed' | 'linkUp' | 'linkDown'; panel: number }
  | { kind: 'order'; order: CommandKind; panel: number }

export interface Act {
  key: string
  at: string
  by: UserRef | undefined
  what: ActWhat
}

const keep = 12

export class Acts {
  /** Newest first; told once per frame of the screen, however many came. */
  readonly list = new Value<readonly Act[]>([])
  #newest: readonly Act[] = []
  #batch = new Batch(() => this.list.set(this.#newest))
  /** Links seen down: one that was not did not come back either. */
  #lost = new Set<number>()

  /** Takes a frame; known is the alarm of it as it was before. */
  take(frame: Frame, known: Alarm | undefined): void {
    const what = this.#whatOf(frame, known)
    if (what) this.#add(`${frame.epoch}.${frame.position}`, frame.at, byOf(what, frame), what)
  }

  /** Takes an alarm that an answer brought before the stream did. */
  learn(alarm: Alarm, known: Alarm | undefined, at: string): void {
    const what = known && alarmAct(known, alarm)
    if (what) this.#add(`${alarm.id}v${alarm.version}`, at, byOf(what), what)
  }

  /** Tells now instead of with the next frame. */
  flush(): void {
    this.#batch.flush()
  }

  clear(): void {
    this.#lost.clear()
    this.#newest = []
    this.#batch.schedule()
  }

  #add(key: string, at: string, by: UserRef | undefined, what: ActWhat): void {
    this.#newest = [{ key, at, by, what }, ...this.#newest].slice(0, keep)
    this.#batch.schedule()
  }

  #whatOf(frame: Frame, known: Alarm | undefined): ActWhat | undefined {
    switch (frame.type) {
      case 'alarm.new':
        return { kind: 'new', alarm: frame.data.alarm }
      case 'alarm.updated':
        return alarmAct(known, frame.data.alarm)
      case 'panel.armed':
      case 'panel.disarmed':
        return frame.data.panel_id === undefined ? undefined : { kind: frame.type === 'panel.armed' ? 'armed' : 'disarmed', panel: frame.data.panel_id }
      case 'panel.link':
        return this.#link(frame.data.panel_id, frame.data.link)
      case 'command.result':
        return frame.data.command.state === 'done' ? { kind: 'order', order: frame.data.command.kind, panel: frame.data.command.panel_id } : undefined
      default:
        return undefined
    }
  }

  #link(panel: number, link: string): ActWhat | undefined {
    if (link === 'down') {
      if (this.#lost.has(panel)) return undefined
      this.#lost.add(panel)
      return { kind: 'linkDown', panel }
    }
    return link === 'up' && this.#lost.delete(panel) ? { kind: 'linkUp', panel } : undefined
  }
}

function alarmAct(known: Alarm | undefined, alarm: Alarm): ActWhat | undefined {
  if (known && alarm.version <= known.version) return undefined
  if (alarm.state === 'closed') return { kind: 'close', alarm }
  if (!known) return undefined
  if (alarm.paused_until && alarm.paused_until !== known.paused_until) return { kind: 'pause', alarm }
  if (alarm.state === known.state && alarm.owner?.id === known.owner?.id) return undefined
  switch (alarm.state) {
    case 'new':
      return { kind: 'release', alarm }
    case 'claimed':
      return { kind: 'claim', alarm }
    case 'acknowledged':
      return known.state === 'resolved' ? undefined : { kind: 'ack', alarm }
    case 'resolved':
      return { kind: 'resolve', alarm }
  }
}

/** Only the owner can have done it, or it is said whose order it was. */
function byOf(what: ActWhat, frame?: Frame): UserRef | undefined {
  if (what.kind === 'order' && frame?.type === 'command.result') return frame.data.command.requested_by
  if (what.kind === 'claim' || what.kind === 'ack' || what.kind === 'resolve' || what.kind === 'pause') return what.alarm.owner
  return undefined
}
