// Work on many alarms at once: P4 and P5 only, and only one kind of step for all.
import { type BatchAct, batchAlarms, type BatchResult } from '../../api/alarms'
import type { Client } from '../../api/client'
import type { Alarm, Me, Outcome } from '../../api/types'
import { allows, inBatch } from '../../live/rules'

/** How many alarms go in one request at most. */
export const batchMost = 200

export interface BatchWork {
  act: BatchAct
  alarms: readonly Alarm[]
}

/** The step that is next for most of them by this person: what nobody has comes first. */
export function actOf(alarms: readonly Alarm[], me: Me): BatchWork | undefined {
  for (const act of ['claim', 'ack', 'resolve', 'close'] as const) {
    const ready = alarms.filter((alarm) => inBatch(alarm) && allows(alarm, act, me))
    if (ready.length > 0) return { act, alarms: ready }
  }
  return undefined
}

export interface BatchOutcome {
  done: Alarm[]
  refused: { id: number; code: string }[]
}

/**
 * Does the step for all of them. Claiming goes on to the acknowledgement: taking many at
 * once means that they were read in the list.
 */
export async function workBatch(
  client: Client, work: BatchWork, more: { outcome?: Outcome; text?: string }, key: string, learn: (alarm: Alarm) => void,
): Promise<BatchOutcome> {
  const sort = (results: readonly BatchResult[]): BatchOutcome => {
    const done = results.flatMap((result) => (result.alarm && !result.code ? [result.alarm] : []))
    for (const { alarm } of results) if (alarm) learn(alarm)
    return { done, refused: results.flatMap((result) => (result.code ? [{ id: result.id, code: result.code }] : [])) }
  }
  const body = work.alarms.slice(0, batchMost).map(({ id, version }) => ({ id, version }))
  const first = sort(await batchAlarms(client, { act: work.act, alarms: body, ...more }, key))
  if (work.act !== 'claim' || first.done.length === 0) return first
  const claimed = first.done.map(({ id, version }) => ({ id, version }))
  const second = sort(await batchAlarms(client, { act: 'ack', alarms: claimed }, `${key}-ack`))
  return { done: second.done, refused: [...first.refused, ...second.refused] }
}
