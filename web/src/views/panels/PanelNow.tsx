// The parts of a panel as it says they are now. When that is old, all of it is hatched.
import { memo } from 'react'
import type { PanelInfo } from '../../api/panels'
import type { PanelObject, PanelState } from '../../api/types'
import { useWords } from '../../i18n'
import { numbered, type PanelLook, partitionLook, type ZoneLook, zoneLook } from '../../live/panelview'
import { Mutating } from '../../ui/Mutating'
import type { OrderWish } from '../PanelView'
import { answeredText } from '../PanelSummary'
import { useNow } from '../../ui/hooks'
import { troubleText } from './trouble'

interface Props {
  panel: PanelInfo
  objects: readonly PanelObject[]
  look: PanelLook
  orderable: boolean
  onOrder: (wish: OrderWish) => void
}

const glyphs: Record<string, string> = {
  fire: 'alarm', alarm: 'alarm', entry: 'entry', exit: 'exit', armed: 'armed', memory: 'memory', disarmed: 'disarmed',
}

export function PanelNow({ panel, objects, look, orderable, onOrder }: Props) {
  const words = useWords()
  const now = useNow()
  return (
    <div className={look.fresh ? 'panel-now' : 'panel-now old'}>
      {!look.fresh && <p className="stale-note" role="status">{words.areas.panels.old(answeredText(words, look, now))}</p>}
      <Parts state={panel.state} objects={objects} orderable={orderable} onOrder={onOrder} />
    </div>
  )
}

/** Drawn when the panel says something else, not when it only says it again. */
const Parts = memo(
  function Parts({ state, objects, orderable, onOrder }: { state: PanelState | null; objects: readonly PanelObject[]; orderable: boolean; onOrder: (wish: OrderWish) => void }) {
    const words = useWords()
    const area = words.areas.panels
    const partitions = numbered(objects, 'partition', state?.armed, state?.partitions_alarm, state?.partitions_fire)
    const zones = numbered(objects, 'zone', state?.zones_violated, state?.zones_tampered, state?.zones_alarm, state?.zones_bypassed)
    const outputs = numbered(objects, 'output', state?.outputs_on)
    const looks = zones.map((zone) => (state ? zoneLook(state, zone.number) : undefined))
    const count = (look: ZoneLook) => looks.filter((other) => other === look).length
    const summary = [
      String(zones.length),
      ...(['alarm', 'violated', 'tampered', 'bypassed', 'memory'] as const).flatMap((look) => (count(look) > 0 ? area.zoneCounts[look](count(look)) : [])),
    ].join(' · ')
    const troubles = state?.troubles ?? []
    return (
      <>
        <section className="section">
          <h2>{words.panels.partitions}</h2>
          <ul className="parts partitions">
            {partitions.map(({ number, name }) => {
              const look = state ? partitionLook(state, number) : undefined
              const remembers = state?.alarm_memory?.includes(number) && look !== 'memory'
              const armed = look === 'armed' || look === 'exit' || look === 'entry' || look === 'alarm' || look === 'fire'
              const kind = armed ? 'disarm' : 'arm'
              return (
                <li key={number} className={`part ${look ?? 'unknown'}`} data-partition={number} data-look={look}>
                  <i className={`state ${look ? glyphs[look] : 'unknown'}`} aria-hidden="true" />
                  <span className="faint num">{words.alarm.partition(number)}</span>
                  <b className="cut">{name}</b>
                  <span className="part-word">{look ? words.panels[look] : words.panels.unknown}{look === 'armed' && armedMode(state, number, area.modes)}{remembers && `, ${words.panels.memory}`}</span>
                  <Mutating>
                    <button type="button" className="button small" disabled={!orderable} onClick={() => onOrder({ kind, partitions: [number] })} aria-label={`${words.order[kind]} ${name || words.alarm.partition(number)}`}>{words.order[kind]}</button>
                  </Mutating>
                </li>
              )
            })}
          </ul>
          {objects.length === 0 && <p className="faint">{words.panels.noObjects}</p>}
        </section>
        <section className="section">
          <h2>{words.panels.zones} <span className="faint num">{summary}</span></h2>
          <ul className="parts zones">
            {zones.map(({ number, name }, i) => {
              const look = looks[i]
              const remembers = state?.zones_alarm_memory?.includes(number) && look !== 'memory' && look !== 'alarm'
              return (
                <li key={number} className={`part zone ${look ?? 'unknown'}`} data-zone={number} data-look={look}>
                  <span className="faint num">{words.alarm.zone(number)}</span>
                  <span className="cut">{name}</span>
                  <span className="zone-word">{look ? (look === 'quiet' ? '' : words.panels[look]) : words.panels.unknown}{remembers && ` ${words.panels.memory}`}</span>
                </li>
              )
            })}
          </ul>
        </section>
        <div className="panel-two">
          <section className="section">
            <h2>{area.outputs}</h2>
            <ul className="lines">
              {outputs.map(({ number, name }) => {
                const on = state?.outputs_on?.includes(number)
                return (
                  <li key={number} className={on ? 'on' : undefined} data-output={number} data-on={on ?? false}>
                    <i className={on ? 'dot on' : 'dot'} aria-hidden="true" /><span className="faint num">{area.output(number)}</span>
                    <span className="cut">{name}</span><span>{state ? (on ? area.outputOn : area.outputOff) : words.panels.unknown}</span>
                  </li>
                )
              })}
              {outputs.length === 0 && <li className="faint">{area.noOutputs}</li>}
            </ul>
          </section>
          <section className="section">
            <h2>{area.troubles}</h2>
            <ul className="lines">
              {troubles.map((name) => <li key={name} className="trouble" data-trouble={name}><i className="state trouble" aria-hidden="true" /><span>{troubleText(words, name)}</span></li>)}
              {troubles.length === 0 && <li className="faint">{state ? area.noTroubles : words.panels.unknown}</li>}
            </ul>
          </section>
        </div>
      </>
    )
  },
  (was, is) => was.objects === is.objects && was.orderable === is.orderable && was.onOrder === is.onOrder && sameState(was.state, is.state),
)

function sameState(a: PanelState | null, b: PanelState | null): boolean {
  const said = (state: PanelState | null) => JSON.stringify({ ...state, answered_at: '', clock_offset_ms: 0 })
  return a === b || said(a) === said(b)
}

function armedMode(state: PanelState | null, number: number, modes: readonly string[]): string {
  const mode = ([state?.armed_mode1, state?.armed_mode2, state?.armed_mode3] as const).findIndex((list) => list?.includes(number))
  return mode < 0 ? '' : `, ${modes[mode + 1] ?? ''}`
}
