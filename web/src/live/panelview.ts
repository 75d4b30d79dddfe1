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

export type ZoneLook = 'alarm' | 'tampered' | 'violated' | 'bypassed' | 'memory' | 'quiet'

export function zoneLook(state: PanelState, number: number): ZoneLook {
  const has = (list: number[] | undefined) => list?.includes(number) ?? false
  if (has(state.zones_alarm)) return 'alarm'
  if (has(state.zones_tampered) || has(state.zones_tamper_alarm)) return 'tampered'
  if (has(state.zones_bypassed)) return 'bypassed'
  if (has(state.zones_violated)) return 'violated'
  return has(state.zones_alarm_memory) ? 'memory' : 'quiet'
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

function some(list: readonly unknown[] | undefined): boolean {
  return list !== undefined && list.length > 0
}
