// The parts of a panel as it says they are now. When that is old, all of it is hatched.
import { memo } from 'react'
import type { PanelInfo } from '../../api/panels'
import type { CommandKind, PanelObject, PanelState } from '../../api/types'
import { useWords } from '../../i18n'
import { numbered, type PanelLook, partitionLook, partitionNotes, type ZoneLook, zoneLook, zoneNotes } from '../../live/panelview'
import { Menu } from '../../ui/Menu'
import { Mutating } from '../../ui/Mutating'
import type { OrderWish } from '../PanelView'
import { answeredText } from '../PanelSummary'
import { useMe, useNow } from '../../ui/hooks'
import { doorFunction, switched } from './outputs'
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
    const me = useMe()
    const order = (kind: CommandKind, number: number, name: string) => me.orders.includes(kind) && (
      <Mutating>
        <button type="button" className="button small" data-order={kind} disabled={!orderable} onClick={() => onOrder({ kind, chosen: [number] })} aria-label={`${words.order[kind]} ${name}`}>{words.order[kind]}</button>
      </Mutating>
    )
    const partitions = numbered(objects, 'partition', state?.armed, state?.partitions_alarm, state?.partitions_fire, state?.partitions_warning, state?.blocked)
    const zones = numbered(objects, 'zone', state?.zones_violated, state?.zones_tampered, state?.zones_alarm, state?.zones_bypassed, state?.zones_isolated, state?.zones_masked)
    const outputs = numbered(objects, 'output', state?.outputs_on)
    const looks = zones.map((zone) => (state ? zoneLook(state, zone.number) : undefined))
    const count = (look: ZoneLook) => looks.filter((other) => other === look).length
    const summary = [
      String(zones.length),
      ...(['alarm', 'violated', 'tampered', 'masked', 'bypassed', 'isolated', 'memory'] as const).flatMap((look) => (count(look) > 0 ? area.zoneCounts[look](count(look)) : [])),
    ].join(' · ')
    const troubles = state?.troubles ?? []
    const remembered = (state?.trouble_memory ?? []).filter((name) => !troubles.includes(name))
    const trouble = (name: string) => troubleText(words, name, objects, state?.model)
    const doors = numbered([], 'expander', state?.doors_open, state?.doors_long)
    return (
      <>
        <section className="section">
          <h2>{words.panels.partitions}</h2>
          <ul className="parts partitions">
            {partitions.map(({ number, name }) => {
              const look = state ? partitionLook(state, number) : undefined
              const notes = state ? partitionNotes(state, number) : []
              const armed = look === 'armed' || look === 'exit' || look === 'entry' || look === 'alarm' || look === 'fire'
              const kind = armed ? 'disarm' : 'arm'
              return (
                <li key={number} className={`part ${look ?? 'unknown'}`} data-partition={number} data-look={look}>
                  <i className={`state ${look ? glyphs[look] : 'unknown'}`} aria-hidden="true" />
                  <span className="faint num">{words.alarm.partition(number)}</span>
                  <b className="cut">{name}</b>
                  <span className="part-word">{look ? words.panels[look] : words.panels.unknown}{look === 'armed' && armedMode(state, number, area.modes)}</span>
                  <Mutating>
                    <button type="button" className="button small" disabled={!orderable} onClick={() => onOrder({ kind, chosen: [number] })} aria-label={`${words.order[kind]} ${name || words.alarm.partition(number)}`}>{words.order[kind]}</button>
                  </Mutating>
                  {notes.length > 0 && <span className="part-notes">{notes.map((note) => area.partitionNotes[note]).join(', ')}</span>}
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
              const notes = state ? zoneNotes(state, number) : []
              const called = name || words.alarm.zone(number)
              return (
                <li key={number} className={`part zone ${look ?? 'unknown'}`} data-zone={number} data-look={look}>
                  <span className="faint num">{words.alarm.zone(number)}</span>
                  <span className="cut">{name}</span>
                  <span className="zone-word">{look ? (look === 'quiet' ? '' : words.panels[look]) : words.panels.unknown}</span>
                  {look && me.orders.includes('bypass') && (
                    <Mutating>
                      <Menu
                        label={area.zoneOrders(called)} button="⋯" disabled={!orderable}
                        entries={zoneOrders(look).map((kind) => ({ key: kind, text: words.order[kind], onChoose: () => onOrder({ kind, chosen: [number] }) }))}
                      />
                    </Mutating>
                  )}
                  {notes.length > 0 && <span className="part-notes">{notes.map((note) => area.zoneNotes[note]).join(', ')}</span>}
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
                    {outputControl(outputs, number) === 'switch' && order(on ? 'outputs_off' : 'outputs_on', number, name || area.output(number))}
                    {outputControl(outputs, number) === 'door' && order('open_door', number, name || area.output(number))}
                  </li>
                )
              })}
              {outputs.length === 0 && <li className="faint">{area.noOutputs}</li>}
            </ul>
          </section>
          <section className="section">
            <h2>{area.troubles}</h2>
            {me.orders.includes('clear_troubles') && (
              <Mutating>
                <button type="button" className="button small" data-order="clear_troubles" disabled={!orderable} onClick={() => onOrder({ kind: 'clear_troubles', chosen: [] })}>{words.order.clear_troubles}</button>
              </Mutating>
            )}
            <ul className="lines">
              {troubles.map((name) => <li key={name} className="trouble" data-trouble={name}><i className="state trouble" aria-hidden="true" /><span>{trouble(name)}</span></li>)}
              {troubles.length === 0 && <li className="faint">{state ? area.noTroubles : words.panels.unknown}</li>}
            </ul>
            {remembered.length > 0 && (
              <details data-testid="trouble-memory">
                <summary>{area.troubleMemory} <span className="faint num">{remembered.length}</span></summary>
                <ul className="lines">{remembered.map((name) => <li key={name} className="faint"><span>{trouble(name)}</span></li>)}</ul>
              </details>
            )}
          </section>
          {doors.length > 0 && (
            <section className="section" data-testid="doors">
              <h2>{area.doors}</h2>
              <ul className="lines">
                {doors.map(({ number }) => {
                  const long = state?.doors_long?.includes(number)
                  return (
                    <li key={number} className={long ? 'trouble' : 'on'}>
                      <i className={long ? 'state trouble' : 'dot on'} aria-hidden="true" /><span className="faint num">{area.expander(number)}</span>
                      <span className="cut">{objects.find((object) => object.kind === 'expander' && object.number === number)?.name}</span><span>{long ? area.doorLong : area.doorOpen}</span>
                    </li>
                  )
                })}
              </ul>
            </section>
          )}
        </div>
        <Named title={area.modules} objects={objects.filter((object) => object.kind === 'expander' || object.kind === 'keypad')} number={(object) => area.changes.objects[object.kind](object.number)} />
        <Named title={area.users} objects={numbered(objects, 'user')} number={(object) => String(object.number)} />
      </>
    )
  },
  (was, is) => was.objects === is.objects && was.orderable === is.orderable && was.onOrder === is.onOrder && sameState(was.state, is.state),
)

/** What can be ordered of a zone that looks so. */
function zoneOrders(look: ZoneLook): readonly ('bypass' | 'unbypass' | 'isolate')[] {
  switch (look) {
    case 'isolated': return ['unbypass']
    case 'bypassed': return ['unbypass', 'isolate']
    default: return ['bypass', 'isolate']
  }
}

/** What is seldom looked for: a list to be opened. */
function Named({ title, objects, number }: { title: string; objects: readonly PanelObject[]; number: (object: PanelObject) => string }) {
  if (objects.length === 0) return null
  return (
    <details className="section" data-named={objects[0]?.kind}>
      <summary>{title} <span className="faint num">{objects.length}</span></summary>
      <ul className="lines">
        {objects.map((object) => <li key={`${object.kind} ${object.number}`}><span className="faint num">{number(object)}</span><span className="cut">{object.name}</span></li>)}
      </ul>
    </details>
  )
}

/** How an output of a function can be told from outside; the panel's table is satel/data/types.csv. */
function outputControl(outputs: readonly PanelObject[], number: number): 'switch' | 'door' | undefined {
  const code = outputs.find((output) => output.number === number)?.function ?? 0
  return code === doorFunction ? 'door' : switched.has(code) ? 'switch' : undefined
}

function sameState(a: PanelState | null, b: PanelState | null): boolean {
  const said = (state: PanelState | null) => JSON.stringify({ ...state, answered_at: '', clock_offset_ms: 0 })
  return a === b || said(a) === said(b)
}

function armedMode(state: PanelState | null, number: number, modes: readonly string[]): string {
  const mode = ([state?.armed_mode1, state?.armed_mode2, state?.armed_mode3] as const).findIndex((list) => list?.includes(number))
  return mode < 0 ? '' : `, ${modes[mode + 1] ?? ''}`
}
