import type { Command } from '../api/types'
import { wordFor } from '../i18n'
import { clockTime } from '../i18n/format'
import type { Catalogue } from '../i18n/pl'

/** What came of an order, in a few words. */
export function orderText(words: Catalogue, command: Command): string {
  const state = wordFor(words.order.states, command.state)
  const result = command.result && command.result !== 'ok' ? wordFor(words.order.results, command.result) : ''
  return [state, result, command.late ? words.order.late : ''].filter(Boolean).join(', ')
}

/** The same as a sentence, for whoever waits for it. where names the partitions. */
export function orderSentence(words: Catalogue, command: Command, where: string): string {
  const { sentences, did } = words.areas.panels.result
  const why = command.result ? wordFor(words.order.results, command.result) : ''
  const at = command.finished_at ? clockTime(new Date(command.finished_at)) : ''
  switch (command.state) {
    case 'queued':
      return sentences.queued(words.order.titles[command.kind], where)
    case 'executing':
      return sentences.executing(words.order.titles[command.kind], where)
    case 'done':
      return [command.result === 'accepted' ? sentences.accepted(where) : sentences.done(did[command.kind], where, at), command.late && sentences.late(secondsLate(command))].filter(Boolean).join(' ')
    case 'refused':
      return sentences.refused(why)
    case 'expired':
      return sentences.expired(why)
    case 'unknown':
      return [sentences.unknown(why), command.late && sentences.late(secondsLate(command))].filter(Boolean).join(' ')
  }
}

/** Whole seconds between the deadline and the end; at least one. */
function secondsLate({ deadline_at, finished_at }: Command): number {
  return Math.max(1, Math.ceil((Date.parse(finished_at ?? deadline_at) - Date.parse(deadline_at)) / 1000))
}
