// The cells of the grid. React draws each of them once; what changes in them is painted.
import { type KeyboardEvent, memo, useEffect, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import { useWords } from '../../i18n'
import { serverClock } from '../../live/clock'
import { gate } from '../../live/gate'
import type { Station } from '../../live/station'
import { href } from '../../route'
import { useHere } from '../../ui/hooks'
import { faceOf, paint, shortName } from './face'
import { neighbour } from './places'
import { onPulse } from './pulse'

interface Props {
  ids: readonly number[]
  open: number | undefined
  /** Whether a panel that keeps its place still matches. */
  matches: (id: number) => boolean
}

export function PanelGrid({ ids, open, matches }: Props) {
  const { station } = useHere()
  const words = useWords()
  const grid = useRef<HTMLDivElement>(null)
  const [cursor, setCursor] = useState<number | undefined>(open)
  const order = useSyncExternalStore(station.panels.subscribe, station.panels.order)
  const names = useMemo(() => namesOf(station, order), [station, order])
  // One cell can be reached by Tab; arrows lead from it to the others.
  const reachable = cursor !== undefined && ids.includes(cursor) ? cursor : ids[0]

  // Whoever closes a panel is where it was opened.
  const was = useRef(open)
  useEffect(() => {
    const closed = was.current
    was.current = open
    if (closed === undefined || open !== undefined || document.activeElement !== document.body) return
    grid.current?.querySelector<HTMLElement>(`[data-panel="${closed}"]`)?.focus({ preventScroll: false })
  }, [open])

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !grid.current) return
    const cell = (event.target as HTMLElement).closest<HTMLElement>('[data-panel]')
    const at = ids.indexOf(Number(cell?.dataset.panel))
    if (at < 0) return
    const columns = getComputedStyle(grid.current).gridTemplateColumns.split(' ').length
    const to = neighbour(at, event.key, columns, ids.length)
    if (to === undefined) return
    event.preventDefault()
    const next = grid.current.querySelector<HTMLElement>(`[data-panel="${ids[to]}"]`)
    next?.focus()
  }
  return (
    <div
      className="panel-grid" ref={grid} role="group" aria-label={words.areas.panels.grid} onKeyDown={onKeyDown}
      onFocus={(event) => setCursor(Number((event.target as HTMLElement).dataset.panel))}
    >
      {ids.map((id) => (
        <Cell key={id} id={id} name={names.get(id) ?? ''} open={id === open} reachable={id === reachable} faded={!matches(id)} />
      ))}
    </div>
  )
}

/** Short names; where a site has several panels, those of the panels. */
function namesOf(station: Station, order: readonly number[]): Map<number, string> {
  const panels = order.flatMap((id) => station.panels.get(id) ?? [])
  const bySite = new Map<number, number>()
  for (const panel of panels) bySite.set(panel.site.id, (bySite.get(panel.site.id) ?? 0) + 1)
  return new Map(panels.map((panel) => [panel.id, shortName(bySite.get(panel.site.id) === 1 ? panel.site.name : panel.name)]))
}

interface CellProps {
  id: number
  name: string
  open: boolean
  reachable: boolean
  faded: boolean
}

const Cell = memo(function Cell({ id, name, open, reachable, faded }: CellProps) {
  const { station } = useHere()
  const words = useWords()
  const cell = useRef<HTMLAnchorElement>(null)
  useLayoutEffect(() => {
    const draw = () => {
      const panel = station.panels.get(id)
      if (panel && cell.current) paint(cell.current, faceOf(words, panel, serverClock.now(), gate.get(), alarmOf(station, id)))
    }
    draw()
    const leave = [station.panels.watch(id, draw), onPulse(draw)]
    return () => leave.forEach((end) => end())
  }, [station, id, words])
  const panel = station.panels.get(id)
  return (
    <a
      ref={cell} className="cell" href={href({ page: 'panels', id })} data-panel={id} data-faded={faded || undefined} tabIndex={reachable ? 0 : -1}
      aria-current={open || undefined} title={panel && `${panel.site.name}, ${panel.site.city} · ${panel.name}`}
    >
      <i aria-hidden="true" /><span className="cell-name cut">{name}</span><span className="unseen" /><span className="cell-age num" />
    </a>
  )
})

/** The highest priority of a panel's open alarms. */
function alarmOf(station: Station, panel: number): number | undefined {
  return priorities(station.alarms.list()).get(panel)
}

let counted: { list: readonly { panel_id?: number; priority: number }[]; found: Map<number, number> } | undefined

function priorities(list: readonly { panel_id?: number; priority: number }[]): Map<number, number> {
  if (counted?.list === list) return counted.found
  const found = new Map<number, number>()
  for (const { panel_id, priority } of list) {
    if (panel_id !== undefined) found.set(panel_id, Math.min(priority, found.get(panel_id) ?? priority))
  }
  counted = { list, found }
  return found
}
