import { wordFor } from '../../i18n'
import type { Catalogue } from '../../i18n/pl'

/**
 * A trouble of the panel in words: "system.batt" is one of the panel itself,
 * "expander_ac.12" one of the thing with that number.
 */
export function troubleText(words: Catalogue, name: string): string {
  const { system, groups, gsm } = words.areas.panels.troubleWords
  const [group = '', item = '', more = ''] = name.split('.')
  if (group === 'system') return wordFor(system, item)
  if (group === 'int_gsm') return `${groups.int_gsm} ${item}: ${wordFor(gsm, more) || more}`
  return [wordFor(groups, group), item].filter(Boolean).join(' ')
}
