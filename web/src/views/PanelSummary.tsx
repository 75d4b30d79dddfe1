// A panel in a few lines: link, what is armed, what is violated, how old that is.
import type { Panel, PanelObject } from '../api/types'
import { useWords, wordFor } from '../i18n'
import type { Catalogue } from '../i18n/pl'
import { since } from '../i18n/format'
import { lookOf, type PanelLook } from '../live/panelview'
import { useLive, useNow } from '../ui/hooks'

export function usePanelLook(panel: Panel, objects: readonly PanelObject[] | undefined): PanelLook {
  const now = useNow()
  const live = useLive()
  return lookOf(panel, objects?.filter((object) => object.kind === 'partition').length || undefined, now, live)
}

export function panelWord(words: Catalogue, panel: Panel, look: PanelLook): string {
  const state = panel.state
  switch (look.glyph) {
    case 'off':
      return words.panels.disabled
    case 'unknown':
      return state ? words.panels.link[state.link] : words.panels.unknown
    case 'no-link':
      return [words.panels.link.down, wordFor(words.panels.reasons, state?.link_reason)].filter(Boolean).join(': ')
    case 'stale':
      return words.panels.stale
    case 'alarm':
      return state?.partitions_fire?.length ? words.panels.fire : words.panels.alarm
    case 'entry':
      return words.panels.entry
    case 'exit':
      return words.panels.exit
    case 'trouble':
      return look.armed > 0 ? `${words.panels.armed}, ${words.panels.troubles}` : words.panels.troubles
    case 'armed':
      return words.panels.armed
    case 'partial':
      return words.panels.partial
    case 'disarmed':
      return words.panels.disarmed
  }
}

export function answeredText(words: Catalogue, look: PanelLook): string {
  return look.age === undefined ? words.panels.neverAnswered : words.panels.answered(since(words, look.age))
}

export function PanelSummary({ panel, objects }: { panel: Panel; objects: readonly PanelObject[] | undefined }) {
  const words = useWords()
  const look = usePanelLook(panel, objects)
  const state = panel.state
  const nameOf = (kind: 'zone' | 'partition', number: number) =>
    objects?.find((object) => object.kind === kind && object.number === number)?.name || (kind === 'zone' ? words.alarm.zone(number) : words.alarm.partition(number))
  return (
    <div className={look.fresh ? 'summary' : 'summary old'} data-fresh={look.fresh}>
      <p className="summary-head">
        <i className={`state ${look.glyph}`} aria-hidden="true" /> <b>{panelWord(words, panel, look)}</b>
        <span className="faint num">{answeredText(words, look)}</span>
      </p>
      {state?.armed && state.armed.length > 0 && <p>{words.panels.armed}: {state.armed.map((number) => nameOf('partition', number)).join(', ')}</p>}
      {state?.zones_violated && state.zones_violated.length > 0 && <p>{words.panels.violated}: {state.zones_violated.map((number) => nameOf('zone', number)).join(', ')}</p>}
      {state?.service_mode && <p className="strong">{words.panels.service}</p>}
      {state?.troubles && state.troubles.length > 0 && <p className="trouble">{words.panels.troubles}: {state.troubles.join(', ')}</p>}
    </div>
  )
}
