// What stands in the queue, from top to bottom: alarms, and in a flood cards of many
// alarms of one kind. An unclaimed P1 or P2 always has a row of its own, on top, whatever
// tab or filter is chosen.
import type { Alarm, Me } from '../../api/types'
import { isMine } from '../../live/rules'

export const tabs = ['all', 'waiting', 'mine', 'paused', 'closed'] as const
export type Tab = (typeof tabs)[number]

export function tabOf(name: string | undefined): Tab {
  return tabs.find((tab) => tab === name) ?? 'all'
}

export interface Group {
  key: string
  kind: string
  priority: number
  alarms: readonly Alarm[]
}

export type Item =
  | { key: string; type: 'alarm'; id: number; priority: number }
  | { key: string; type: 'closed'; alarm: Alarm; priority: number }
  | { key: string; type: 'group'; group: Group; unfolded: boolean }
  | { key: string; type: 'line'; line: 'pinned' | 'folded' | 'more' }

export interface Wish {
  tab: Tab
  me: Me
  /** Whether an alarm is what the filter asks for. */
  matches: (alarm: Alarm) => boolean
  /** A flood is on: P3 to P5 fold by kind. */
  fold: boolean
  unfolded: ReadonlySet<string>
  /** Alarms that keep their row in a flood: open, or under the cursor or pointer. */
  single: ReadonlySet<number>
}

/** Fewer of a kind than this are shown as they are. */
const fewest = 3

export function inTab(alarm: Alarm, tab: Tab, me: Me): boolean {
  switch (tab) {
    case 'all':
      return true
    case 'waiting':
      return alarm.state === 'new'
    case 'mine':
      return isMine(alarm, me)
    case 'paused':
      return alarm.paused_until !== undefined
    case 'closed':
      return false
  }
}

/** Nobody has it and nothing may cover it. */
export function mustBeSeen(alarm: Alarm): boolean {
  return alarm.state === 'new' && alarm.priority <= 2
}

export function itemsOf(queue: readonly Alarm[], wish: Wish): Item[] {
  const pinned: Alarm[] = []
  const wanted: Alarm[] = []
  for (const alarm of queue) {
    if (inTab(alarm, wish.tab, wish.me) && wish.matches(alarm)) wanted.push(alarm)
    else if (mustBeSeen(alarm)) pinned.push(alarm)
  }
  const items: Item[] = pinned.map(row)
  if (pinned.length > 0) items.push({ key: 'pinned', type: 'line', line: 'pinned' })
  if (wish.fold) items.push(...fold(wanted, wish))
  else for (const alarm of wanted) items.push(row(alarm))
  return items
}

/** What may be written of an alarm, for the filter; in lower case. */
export function matcher(text: string, wordsOf: (alarm: Alarm) => readonly (string | undefined)[]): (alarm: Alarm) => boolean {
  const parts = plain(text).split(/\s+/).filter(Boolean)
  if (parts.length === 0) return () => true
  return (alarm) => {
    const all = plain(wordsOf(alarm).filter(Boolean).join('\n'))
    return parts.every((part) => all.includes(part))
  }
}

/** Without case and accents: on a night shift nobody types them. */
function plain(text: string): string {
  return text.toLocaleLowerCase('pl').normalize('NFD').replaceAll(/\p{M}/gu, '').replaceAll('ł', 'l')
}

function row(alarm: Alarm): Item {
  return { key: `a${alarm.id}`, type: 'alarm', id: alarm.id, priority: alarm.priority }
}

function fold(alarms: readonly Alarm[], wish: Wish): Item[] {
  const groups = new Map<string, Alarm[]>()
  for (const alarm of alarms) {
    const key = `p${alarm.priority}:${alarm.kind}`
    // Out of a card that is unfolded no row is taken: it would move away from the pointer.
    if (alarm.priority <= 2 || (wish.single.has(alarm.id) && !wish.unfolded.has(key))) continue
    const group = groups.get(key)
    if (group) group.push(alarm)
    else groups.set(key, [alarm])
  }
  for (const [key, group] of groups) if (group.length < fewest) groups.delete(key)

  const items: Item[] = []
  const told = new Set<string>()
  let line = groups.size === 0
  let priority = 0
  for (const alarm of alarms) {
    if (alarm.priority > 2 && !line) {
      line = true
      items.push({ key: 'folded', type: 'line', line: 'folded' })
    }
    // The cards of a priority stand before its single rows.
    if (alarm.priority !== priority) {
      priority = alarm.priority
      for (const [key, group] of groups) {
        if (group[0]!.priority !== priority || told.has(key)) continue
        told.add(key)
        const unfolded = wish.unfolded.has(key)
        items.push({ key: `g${key}`, type: 'group', group: { key, kind: group[0]!.kind, priority, alarms: group }, unfolded })
        if (unfolded) for (const one of group) items.push(row(one))
      }
    }
    if (!groups.get(`p${alarm.priority}:${alarm.kind}`)?.includes(alarm)) items.push(row(alarm))
  }
  return items
}
