// All panels with what they are seen to do now, and beside them the one that is open.
// Places are fixed by name.
import { useCallback, useDeferredValue, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import { panelSnapshot } from '../api/panels'
import { useWords } from '../i18n'
import { serverClock } from '../live/clock'
import { gate } from '../live/gate'
import { type Glyph, lookOf } from '../live/panelview'
import type { Station } from '../live/station'
import { useHere, useLive } from '../ui/hooks'
import { Failure } from '../ui/parts'
import { PanelGrid } from './panels/PanelGrid'
import { type Places, keepPlaces } from './panels/places'
import { onPulse } from './panels/pulse'
import { PanelView } from './PanelView'

/** In the order of the legend: what is usual, then what is not. */
const usual: readonly Glyph[] = ['armed', 'partial', 'disarmed', 'exit']
const unusual: readonly Glyph[] = ['alarm', 'entry', 'trouble', 'no-link', 'stale', 'unknown', 'off']

export type StateFilter = 'all' | 'unusual' | Glyph

export function Panels({ open }: { open: number | undefined }) {
  return (
    <div className={open === undefined ? 'panels-frame' : 'panels-frame with-panel'}>
      <PanelsPane open={open} />
      {open !== undefined && <PanelView key={open} id={open} />}
    </div>
  )
}

function PanelsPane({ open }: { open: number | undefined }) {
  const { station } = useHere()
  const words = useWords()
  const area = words.areas.panels
  const live = useLive()
  const order = useSyncExternalStore(station.panels.subscribe, station.panels.order)
  const [state, setState] = useState<'loading' | 'ready' | 'failed'>('loading')
  const [filter, setFilter] = useState<StateFilter>('all')
  const [city, setCity] = useState('')
  const [text, setText] = useState('')
  const search = useDeferredValue(text.trim().toLocaleLowerCase('pl'))
  useEffect(() => station.watchPanels('all'), [station])

  const load = useCallback(
    async (signal?: AbortSignal) => {
      try {
        station.panels.replace(await panelSnapshot(station.client, signal && { signal }))
        setState('ready')
      } catch {
        if (!signal?.aborted) setState('failed')
      }
    },
    [station],
  )
  useEffect(() => {
    if (!live) return
    const abort = new AbortController()
    void load(abort.signal)
    return () => abort.abort()
  }, [load, live])

  const glyphs = useGlyphs(station)
  const cities = useMemo(
    () => [...new Set(order.flatMap((id) => station.panels.get(id)?.site.city || []))].sort((a, b) => a.localeCompare(b, 'pl')),
    [station, order],
  )
  const matches = (id: number): boolean => {
    const panel = station.panels.get(id)
    if (!panel || (city !== '' && panel.site.city !== city)) return false
    if (!isChosen(filter, glyphs.of.get(id))) return false
    return `${panel.site.name} ${panel.site.address} ${panel.site.city} ${panel.name}`.toLocaleLowerCase('pl').includes(search)
  }
  const kept = useRef<Places>(undefined)
  const places = keepPlaces(kept.current, `${filter}/${city}/${search}/${order.length}`, order, matches)
  kept.current = places

  const ofGlyph = (glyph: Glyph) => glyphs.counts[glyph] ?? 0
  const strange = unusual.reduce((sum, glyph) => sum + ofGlyph(glyph), 0)
  const toggle = (glyph: Glyph) => setFilter((now) => (now === glyph ? 'all' : glyph))
  const legend = (glyph: Glyph) =>
    (ofGlyph(glyph) > 0 || filter === glyph || usual.includes(glyph)) && (
      <button key={glyph} type="button" className="legend" aria-pressed={filter === glyph} data-legend={glyph} onClick={() => toggle(glyph)}>
        <i className={`state ${glyph}`} aria-hidden="true" />{area.glyphs[glyph]} <b className="num">{ofGlyph(glyph)}</b>
      </button>
    )
  return (
    <section className="pane panels" aria-label={words.panels.title}>
      <div className="panels-head">
        <h1>{words.panels.title}</h1>
        <span className="faint"><span className="num" data-testid="panels-count">{area.shown(places.ids.length, order.length)}</span> · {area.ageHint}</span>
        <div className="legends" role="group" aria-label={area.byState}>
          {usual.map(legend)}
          <span className="divider" aria-hidden="true" />
          {unusual.map(legend)}
        </div>
        <div className="panels-filters">
          <button type="button" className="legend" aria-pressed={filter === 'all'} onClick={() => setFilter('all')}>{area.all}</button>
          <button type="button" className="legend" aria-pressed={filter === 'unusual'} onClick={() => setFilter('unusual')}>{area.unusual} <b className="num">{strange}</b></button>
          <select aria-label={area.city} value={city} onChange={(event) => setCity(event.target.value)}>
            <option value="">{area.everyCity}</option>
            {cities.map((name) => <option key={name}>{name}</option>)}
          </select>
          <input type="search" placeholder={words.panels.search} aria-label={words.panels.search} value={text} onChange={(event) => setText(event.target.value)} />
        </div>
      </div>
      {state === 'failed' && order.length > 0 && <Failure text={area.notRenewed} retry={() => void load()} />}
      <PanelGrid ids={places.ids} open={open} matches={matches} />
      {order.length === 0 && state === 'loading' && <p className="empty">{words.panels.loading}</p>}
      {order.length === 0 && state === 'ready' && <p className="empty">{words.panels.empty}</p>}
      {order.length === 0 && state === 'failed' && <Failure text={words.panels.failed} retry={() => void load()} />}
      {order.length > 0 && places.ids.length === 0 && <p className="empty" role="status">{area.noneMatches}</p>}
    </section>
  )
}

function isChosen(filter: StateFilter, glyph: Glyph | undefined): boolean {
  if (filter === 'all') return true
  if (glyph === undefined) return false
  return filter === 'unusual' ? unusual.includes(glyph) : filter === glyph
}

interface Glyphs {
  of: ReadonlyMap<number, Glyph>
  counts: Partial<Record<Glyph, number>>
}

/** How all panels look, counted twice a second; the same object while nothing looks different. */
function useGlyphs(station: Station): Glyphs {
  const [glyphs, setGlyphs] = useState<Glyphs>(() => countGlyphs(station, undefined))
  const order = useSyncExternalStore(station.panels.subscribe, station.panels.order)
  useEffect(() => {
    const count = () => setGlyphs((was) => countGlyphs(station, was))
    count()
    return onPulse(count)
  }, [station, order])
  return glyphs
}

function countGlyphs(station: Station, was: Glyphs | undefined): Glyphs {
  const now = serverClock.now()
  const connected = gate.get()
  const of = new Map<number, Glyph>()
  const counts: Partial<Record<Glyph, number>> = {}
  let same = was !== undefined
  for (const panel of station.panels.list()) {
    const { glyph } = lookOf(panel, panel.partitions, now, connected)
    of.set(panel.id, glyph)
    counts[glyph] = (counts[glyph] ?? 0) + 1
    if (was?.of.get(panel.id) !== glyph) same = false
  }
  return same && was!.of.size === of.size ? was! : { of, counts }
}
