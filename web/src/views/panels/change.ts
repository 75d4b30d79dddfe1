// A change on a panel in words.
import type { Schemas } from '../../api/schema'
import type { Catalogue } from '../../i18n/pl'

type Change = Omit<Schemas.Change, 'id' | 'at'>

/** What changed, of which object, and from what to what. */
export function changeText(words: Catalogue, change: Change): { what: string; where: string; detail: string } {
  const area = words.areas.panels.changes
  const what = change.what === 'function' ? area.functions[change.kind as keyof typeof area.functions] ?? area.functions.zone : area.what[change.what]
  const where = change.kind === 'panel' ? '' : [area.objects[change.kind](change.number ?? 0), change.name].filter(Boolean).join(' · ')
  const polish = words.code === 'pl'
  const was = (polish ? change.was_pl : change.was_en) || change.was || ''
  const is = (polish ? change.is_pl : change.is_en) || change.is || ''
  // Of what came or went its name says enough.
  const detail = change.what === 'appeared' || change.what === 'vanished' ? '' : `${was || area.nothing} → ${is || area.nothing}`
  return { what, where, detail }
}
