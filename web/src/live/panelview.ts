// What can be said of a panel's state, and whether it still can: a value older than ten
// seconds, or behind a lost link, is never shown as if it were live.
import type { PanelInfo } from '../api/panels'
import type { PanelObject, PanelState } from '../api/types'

export const freshFor = 10_000

export type Glyph = 'alarm' | 'no-link' | 'stale' | 'unknown' | 'off' | 'trouble' | 'entry' | 'exit' | 'armed' | 'partial' | 'disarmed'

export interface PanelLook {
  glyph: Glyph
  /** Milliseconds since the panel last answered; undefined when it never did. */
  age: number | undefined
  /** The states of partitions and zones are what the panel says now. */
  fresh: boolean
  armed: number
}

/** How a panel looks at an instant of the server's clock; connected is this window's own link. */
export function lookOf(panel: PanelInfo, partitions: number | undefined, now: number, connected: boolean): PanelLook {
  const state = panel.state
  const age = ageOf(state, now)
  const fresh = connected && panel.enabled && state?.link === 'up' && age !== undefined && age < freshFor
  const armed = state?.armed?.length ?? 0
  return { glyph: glyphOf(panel, state, fresh, partitions), age, fresh, armed }
}

function ageOf(state: PanelState | null, now: number): number | undefined {
  const at = Date.parse(state?.answered_at ?? '')
  return Number.isNaN(at) ? undefined : Math.max(0, now - at)
}

function glyphOf(panel: PanelInfo, state: PanelState | null, fresh: boolean, partitions: number | undefined): Glyph {
  if (!panel.enabled) return 'off'
  if (!state || state.link === 'none' || state.link === 'connecting') return 'unknown'
  if (state.link === 'down') return 'no-link'
  if (!fresh) return 'stale'
  if (some(state.partitions_alarm) || some(state.partitions_fire) || some(state.zones_alarm)) return 'alarm'
  if (some(state.entry_time)) return 'entry'
  if (some(state.exit_time)) return 'exit'
  if (some(state.troubles)) return 'trouble'
  if (!some(state.armed)) return 'disarmed'
  return partitions !== undefined && state.armed!.length < partitions ? 'partial' : 'armed'
}

export type PartitionLook = 'fire' | 'alarm' | 'entry' | 'exit' | 'armed' | 'memory' | 'disarmed'

export function partitionLook(state: PanelState, number: number): PartitionLook {
  const has = (list: number[] | undefined) => list?.includes(number) ?? false
  if (has(state.partitions_fire)) return 'fire'
  if (has(state.partitions_alarm)) return 'alarm'
  if (has(state.entry_time)) return 'entry'
  if (has(state.exit_time)) return 'exit'
  if (has(state.armed)) return 'armed'
  return has(state.alarm_memory) ? 'memory' : 'disarmed'
}

/** What else is to be known of a partition, beside how it looks. */
export type PartitionNote = 'verified' | 'warning' | 'blocked' | 'firstCode' | 'memory' | 'fireMemory'

export function partitionNotes(state: PanelState, number: number): PartitionNote[] {
  const look = partitionLook(state, number)
  const lists: [PartitionNote, number[] | undefined][] = [
    ['verified', state.partitions_verified], ['warning', state.partitions_warning], ['blocked', state.blocked], ['firstCode', state.first_code],
    ['memory', look === 'memory' || look === 'alarm' || look === 'fire' ? undefined : state.alarm_memory], ['fireMemory', look === 'fire' ? undefined : state.fire_memory],
  ]
  return notesOf(lists, number)
}

export type ZoneLook = 'alarm' | 'tampered' | 'masked' | 'isolated' | 'bypassed' | 'violated' | 'memory' | 'quiet'

export function zoneLook(state: PanelState, number: number): ZoneLook {
  const has = (list: number[] | undefined) => list?.includes(number) ?? false
  if (has(state.zones_alarm)) return 'alarm'
  if (has(state.zones_tampered) || has(state.zones_tamper_alarm)) return 'tampered'
  if (has(state.zones_masked)) return 'masked'
  if (has(state.zones_isolated)) return 'isolated'
  if (has(state.zones_bypassed)) return 'bypassed'
  if (has(state.zones_violated)) return 'violated'
  return has(state.zones_alarm_memory) ? 'memory' : 'quiet'
}

/** What else is to be known of a zone, beside how it looks. */
export type ZoneNote = 'longViolation' | 'noViolation' | 'memory' | 'tamperMemory' | 'maskedMemory'

export function zoneNotes(state: PanelState, number: number): ZoneNote[] {
  const look = zoneLook(state, number)
  const lists: [ZoneNote, number[] | undefined][] = [
    ['longViolation', state.zones_long_violation], ['noViolation', state.zones_no_violation],
    ['memory', look === 'memory' || look === 'alarm' ? undefined : state.zones_alarm_memory],
    ['tamperMemory', look === 'tampered' ? undefined : state.zones_tamper_memory], ['maskedMemory', look === 'masked' ? undefined : state.zones_masked_memory],
  ]
  return notesOf(lists, number)
}

function notesOf<Note>(lists: readonly [Note, readonly number[] | undefined][], number: number): Note[] {
  return lists.flatMap(([note, numbers]) => (numbers?.includes(number) ? [note] : []))
}

/** What stands in the way of arming: zones of these partitions that are open or tampered with, and not bypassed. */
export function zonesInTheWay(state: PanelState, objects: readonly PanelObject[], partitions: readonly number[]): PanelObject[] {
  return objects.filter((object) => {
    if (object.kind !== 'zone' || object.partition === undefined || !partitions.includes(object.partition)) return false
    const look = zoneLook(state, object.number)
    return look === 'violated' || look === 'tampered' || look === 'alarm'
  })
}

/** Objects of a kind by number, also those that only the state speaks of. */
export function numbered(objects: readonly PanelObject[], kind: PanelObject['kind'], ...spoken: (readonly number[] | undefined)[]): PanelObject[] {
  const named = objects.filter((object) => object.kind === kind)
  const known = new Set(named.map((object) => object.number))
  const others = [...new Set(spoken.flatMap((numbers) => numbers ?? []))].filter((number) => !known.has(number))
  return [...named, ...others.map((number) => ({ kind, number, name: '', function: 0 }))].sort((a, b) => a.number - b.number)
}

export interface ClockLook {
  ahead: boolean
  text: string
  /** So far off that the times of events mislead. */
  grave: boolean
  /** Off by an hour: a change between summer and winter time was missed. */
  hour: boolean
}

const minute = 60

/** How far a panel's clock is off; undefined when it is right to the second. */
export function clockLook(state: PanelState | null): ClockLook | undefined {
  const seconds = Math.round((state?.clock_offset_ms ?? 0) / 1000)
  const far = Math.abs(seconds)
  if (far === 0) return undefined
  const units: [number, string][] = [[24 * 60 * minute, 'd'], [60 * minute, 'h'], [minute, 'min'], [1, 's']]
  let rest = far
  const text: string[] = []
  for (const [size, unit] of units) {
    const n = Math.floor(rest / size)
    rest -= n * size
    if (n > 0 && text.length < 2) text.push(`${n} ${unit}`)
  }
  return { ahead: seconds > 0, text: text.join(' '), grave: far > 5 * minute, hour: Math.abs(far - 60 * minute) <= 2 * minute }
}

function some(list: readonly unknown[] | undefined): boolean {
  return list !== undefined && list.length > 0
}
