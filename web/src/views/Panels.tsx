// All panels with what they are seen to do now. Places are fixed by name.
import { memo, useCallback, useEffect, useState, useSyncExternalStore } from 'react'
import type { Panel } from '../api/types'
import { useWords } from '../i18n'
import { since } from '../i18n/format'
import { href } from '../route'
import { useHere, useLive } from '../ui/hooks'
import { Failure } from '../ui/parts'
import { panelWord, usePanelLook } from './PanelSummary'

export function Panels() {
  const { station } = useHere()
  const words = useWords()
  const live = useLive()
  const panels = useSyncExternalStore(station.panels.subscribe, station.panels.list)
  const [state, setState] = useState<'loading' | 'ready' | 'failed'>('loading')
  const [search, setSearch] = useState('')
  useEffect(() => station.watchPanels('all'), [station])

  const load = useCallback(
    (signal: AbortSignal) =>
      station.loadPanels(signal).then(
        () => setState('ready'),
        () => {
          if (!signal.aborted) setState('failed')
        },
      ),
    [station],
  )
  useEffect(() => {
    if (!live) return
    const abort = new AbortController()
    void load(abort.signal)
    return () => abort.abort()
  }, [load, live])

  const wanted = search.trim().toLocaleLowerCase(words.code)
  const shown = panels.filter((panel) => `${panel.site.name} ${panel.site.city} ${panel.name}`.toLocaleLowerCase(words.code).includes(wanted))
  return (
    <section className="pane panels" aria-label={words.panels.title}>
      <div className="pane-head">
        <h2>{words.panels.title}</h2>
        <span className="faint num">{words.panels.found(shown.length)}</span>
        <span className="grow" />
        <input type="search" className="search" placeholder={words.panels.search} aria-label={words.panels.search} value={search} onChange={(event) => setSearch(event.target.value)} />
      </div>
      <div className="panel-grid">
        {shown.map((panel) => <PanelCell key={panel.id} panel={panel} />)}
        {panels.length === 0 && state === 'loading' && <p className="empty">{words.panels.loading}</p>}
        {panels.length === 0 && state === 'ready' && <p className="empty">{words.panels.empty}</p>}
        {state === 'failed' && <Failure text={words.panels.failed} retry={() => void load(new AbortController().signal)} />}
      </div>
    </section>
  )
}

const PanelCell = memo(function PanelCell({ panel }: { panel: Panel }) {
  const words = useWords()
  const look = usePanelLook(panel, undefined)
  const violated = panel.state?.zones_violated?.length ?? 0
  return (
    <a className={`panel-cell ${look.glyph}${look.fresh ? '' : ' old'}`} href={href({ page: 'panels', id: panel.id })} data-panel={panel.id} data-glyph={look.glyph}>
      <i className={`state ${look.glyph}`} aria-hidden="true" />
      <span className="panel-name">
        <b className="cut">{panel.site.name}</b>
        <span className="cut faint">{panel.site.city} · {panel.name}</span>
      </span>
      <span className="panel-word">
        <span className="cut">{panelWord(words, panel, look)}</span>
        <span className="faint num">{look.age === undefined ? '–' : since(words, look.age)}</span>
      </span>
      <span className="panel-violated faint">{violated > 0 ? words.panels.violatedCount(violated) : ''}</span>
    </a>
  )
})
