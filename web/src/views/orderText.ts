import type { Command, PanelObject } from '../api/types'
import { wordFor } from '../i18n'
import { clockTime } from '../i18n/format'
import type { Catalogue } from '../i18n/pl'
import { troubleText } from './panels/trouble'

/** What came of an order, in a few words. */
export function orderText(words: Catalogue, command: Command): string {
  const state = wordFor(words.order.states, command.state)
  // What is known of an order that was carried out says that it was.
  const result = command.result && command.result !== 'ok' ? wordFor(words.order.results, command.result) : ''
  return [command.state === 'done' && result ? '' : state, result, command.late ? words.order.late : ''].filter(Boolean).join(', ')
}

/** What an order is for: its partitions, zones, outputs or expanders by their numbers, with the names that are known. */
export function orderTargets(words: Catalogue, command: Command, nameOf: (kind: PanelObject['kind'], number: number) => string = () => ''): string {
  const list = (numbers: readonly number[], kind: PanelObject['kind'], called: (n: number) => string) =>
    numbers.map((number) => [called(number), nameOf(kind, number)].filter(Boolean).join(' '))
  return [
    ...list(command.partitions, 'partition', words.alarm.partition),
    ...list(command.zones, 'zone', words.alarm.zone),
    ...list(command.outputs, 'output', words.areas.panels.output),
    ...command.expanders.map(words.areas.panels.expander),
  ].join(', ')
}

/** What stood in the way of arming, in sentences; empty where nothing is known to have. */
export function obstacleText(words: Catalogue, command: Command): string {
  const { sentences } = words.areas.panels.result
  const zones = command.in_the_way.filter((found) => found.what !== 'trouble')
  const troubles = command.in_the_way.filter((found) => found.what === 'trouble')
  return [
    zones.length > 0 && sentences.inTheWay(zones.map(({ zone = 0, name, what }) => `${[words.alarm.zone(zone), name].filter(Boolean).join(' ')} (${what === 'tampered' ? words.panels.tampered : words.panels.violated})`).join(', ')),
    troubles.length > 0 && sentences.troubles(troubles.map(({ name = '' }) => troubleText(words, name)).join(', ')),
  ].filter(Boolean).join(' ')
}

const notSent: readonly (string | undefined)[] = ['link_down', 'no_object', 'no_code']

/** The same as a sentence, for whoever waits for it. where names what it is for. */
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
      return [command.result === 'accepted' ? sentences.accepted(words.order.titles[command.kind], where) : sentences.done(did[command.kind], where, at), command.late && sentences.late(secondsLate(command))].filter(Boolean).join(' ')
    case 'refused':
      if (notSent.includes(command.result)) return sentences.notSent(why)
      return [sentences.refused(why), obstacleText(words, command), command.result === 'force_possible' && sentences.forcePossible].filter(Boolean).join(' ')
    case 'expired':
      return sentences.expired(why)
    case 'unknown':
      if (command.result === 'no_effect') return sentences.noEffect(words.order.titles[command.kind], where)
      return [sentences.unknown(why), command.late && sentences.late(secondsLate(command))].filter(Boolean).join(' ')
  }
}

/** Whole seconds between the deadline and the end; at least one. */
function secondsLate({ deadline_at, finished_at }: Command): number {
  return Math.max(1, Math.ceil((Date.parse(finished_at ?? deadline_at) - Date.parse(deadline_at)) / 1000))
}
