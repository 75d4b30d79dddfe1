// A panel in a few lines: link, what is armed, what is violated, how old that is.
import type { PanelInfo } from '../api/panels'
import type { PanelObject } from '../api/types'
import { useWords, wordFor } from '../i18n'
import type { Catalogue } from '../i18n/pl'
import { clockTime, short, since } from '../i18n/format'
import { lookOf, type PanelLook } from '../live/panelview'
import { useLive, useNow } from '../ui/hooks'
import { troubleText } from './panels/trouble'

export function usePanelLook(panel: PanelInfo, objects: readonly PanelObject[] | undefined): PanelLook {
  const now = useNow()
  const live = useLive()
  return lookOf(panel, objects?.filter((object) => object.kind === 'partition').length || panel.partitions, now, live)
}

export function panelWord(words: Catalogue, panel: PanelInfo, look: PanelLook): string {
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

/** How old the state is, and when it is old, since when. */
export function answeredText(words: Catalogue, look: PanelLook, now: number): string {
  if (look.age === undefined) return words.panels.neverAnswered
  const answered = words.panels.answered(since(words, look.age))
  return look.fresh ? answered : `${answered}, ${words.areas.panels.stateOf(short(now - look.age, now))}`
}

/** The connection in a sentence, with its reason and what it means. */
export function linkSentence(words: Catalogue, panel: PanelInfo, live: boolean): string {
  const area = words.areas.panels
  const state = panel.state
  if (!panel.enabled) return area.links.disabled
  if (!live) return area.links.ownLost
  if (!state || state.link === 'none') return area.links.none
  if (state.link === 'connecting') return area.links.connecting
  if (state.link === 'up') return area.links.up
  const why = wordFor(area.reasons, state.link_reason) || area.links.down
  return state.changed_at ? `${why} ${area.links.since(clockTime(new Date(state.changed_at)))}` : why
}

/** How the attempts to connect go, while they fail. */
export function triesText(words: Catalogue, panel: PanelInfo, live: boolean): string {
  const area = words.areas.panels.links
  const state = panel.state
  if (!panel.enabled || !live || state?.link !== 'down' || !state.trying) return ''
  const { failures, next_at, quarantine } = state.trying
  return `${quarantine ? `${area.quarantine}. ` : ''}${area.tries(failures)}, ${area.next(clockTime(new Date(next_at)))}.`
}

export function PanelSummary({ panel, objects }: { panel: PanelInfo; objects: readonly PanelObject[] | undefined }) {
  const words = useWords()
  const now = useNow()
  const live = useLive()
  const look = usePanelLook(panel, objects)
  const state = panel.state
  const nameOf = (kind: 'zone' | 'partition', number: number) =>
    objects?.find((object) => object.kind === kind && object.number === number)?.name || (kind === 'zone' ? words.alarm.zone(number) : words.alarm.partition(number))
  const violated = state?.zones_violated ?? []
  return (
    <div className={look.fresh ? 'summary' : 'summary old'} data-fresh={look.fresh}>
      <p className="summary-head">
        <i className={`state ${look.glyph}`} aria-hidden="true" /> <b>{panelWord(words, panel, look)}</b>
        <span className="faint num">{answeredText(words, look, now)}</span>
      </p>
      {state?.link !== 'up' && <p>{linkSentence(words, panel, live)} <span className="faint">{triesText(words, panel, live)}</span></p>}
      {state?.armed && state.armed.length > 0 && <p>{words.panels.armed}: {state.armed.map((number) => nameOf('partition', number)).join(', ')}</p>}
      {violated.length > 0 && <p>{words.panels.violatedCount(violated.length)}: {violated.map((number) => nameOf('zone', number)).join(', ')}</p>}
      {state?.service_mode && <p className="strong">{words.panels.service}</p>}
      {state?.troubles && state.troubles.length > 0 && <p className="trouble">{words.panels.troubles}: {state.troubles.map((name) => troubleText(words, name, objects, state.model)).join(', ')}</p>}
    </div>
  )
}
