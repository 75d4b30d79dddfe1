// Which panels the grid shows, and where. Nothing moves under a pointer: while a filter
// stands, a panel that no longer matches keeps its place, and newcomers come last.

export interface Places {
  /** What the choice was made by; another choice begins anew. */
  key: string
  ids: readonly number[]
}

/** order is all panels by name; the same object comes back when nothing changed. */
export function keepPlaces(was: Places | undefined, key: string, order: readonly number[], matches: (id: number) => boolean): Places {
  if (was?.key !== key) return { key, ids: order.filter(matches) }
  const shown = new Set(was.ids)
  const newcomers = order.filter((id) => !shown.has(id) && matches(id))
  return newcomers.length === 0 ? was : { key, ids: [...was.ids, ...newcomers] }
}

/** Where a key leads from a cell; undefined when it is none of the grid's keys. */
export function neighbour(at: number, key: string, columns: number, count: number): number | undefined {
  const step: Record<string, number> = {
    ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, PageUp: -5 * columns, PageDown: 5 * columns,
  }
  if (count === 0) return undefined
  if (key === 'Home') return 0
  if (key === 'End') return count - 1
  const by = step[key]
  if (by === undefined) return undefined
  const to = at + by
  if (key.startsWith('Page')) return Math.min(count - 1, Math.max(0, to))
  return to < 0 || to >= count ? at : to
}
