import type { Command } from '../api/types'
import { wordFor } from '../i18n'
import type { Catalogue } from '../i18n/pl'

/** What came of an order, in words. */
export function orderText(words: Catalogue, command: Command): string {
  const state = wordFor(words.order.states, command.state)
  const result = command.result && command.result !== 'ok' ? wordFor(words.order.results, command.result) : ''
  return [state, result, command.late ? words.order.late : ''].filter(Boolean).join(', ')
}
