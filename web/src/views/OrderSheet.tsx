// An order to a panel. It has no key, asks for the partitions and for the name of the
// site, says what stands in its way, and shows its deadline and what came of it.
import { type FormEvent, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { ApiError } from '../api/client'
import type { PanelInfo } from '../api/panels'
import type { Command, CommandKind, CommandRequest, PanelObject, PanelState } from '../api/types'
import { useWords } from '../i18n'
import type { Catalogue } from '../i18n/pl'
import { isSend } from '../keys/keymap'
import { numbered, partitionLook, zoneLook, zonesInTheWay } from '../live/panelview'
import { isFinished } from '../live/panels'
import { uuid } from '../live/uuid'
import { Dialog, DialogFoot } from '../ui/Dialog'
import { useHere, useLive, useMe, useNow } from '../ui/hooks'
import { Mutating } from '../ui/Mutating'
import { Key } from '../ui/parts'
import { orderSentence, orderTargets } from './orderText'
import type { OrderWish } from './PanelView'
import { answeredText, linkSentence, usePanelLook } from './PanelSummary'

const deadlines = [5, 15, 30, 60]

interface Props {
  panel: PanelInfo
  objects: readonly PanelObject[]
  kind: CommandKind
  /** Numbers of partitions, zones or outputs, as the kind has them, that are chosen at first. */
  chosen: readonly number[]
  mode?: number
  onClose: () => void
  /** Another order, which this one has led to. */
  onOrder: (wish: OrderWish) => void
}

/** What an order of a kind is for; none: the panel as a whole. */
export function targetOf(kind: CommandKind): 'partition' | 'zone' | 'output' | undefined {
  switch (kind) {
    case 'arm': case 'force_arm': case 'disarm': case 'clear_alarm':
      return 'partition'
    case 'bypass': case 'unbypass': case 'isolate':
      return 'zone'
    case 'outputs_on': case 'outputs_off': case 'outputs_switch': case 'open_door':
      return 'output'
    case 'clear_troubles': case 'set_clock':
      return undefined
  }
}

/** What takes nothing from a site's guard needs no name typed. */
const harmless: readonly CommandKind[] = ['unbypass', 'clear_troubles', 'set_clock']

export function OrderSheet({ panel, objects, kind, chosen: wished, mode: wishedMode = 0, onClose, onOrder }: Props) {
  const { station } = useHere()
  const words = useWords()
  const area = words.areas.panels
  const now = useNow()
  const live = useLive()
  const look = usePanelLook(panel, objects)
  const [chosen, setChosen] = useState<readonly number[]>(wished)
  const [mode, setMode] = useState(wishedMode)
  const [deadline, setDeadline] = useState(15)
  const [typed, setTyped] = useState('')
  const [sending, setSending] = useState(false)
  const [problem, setProblem] = useState('')
  const [sent, setSent] = useState<Command | undefined>()
  const first = useRef<HTMLInputElement>(null)
  const confirm = useRef<HTMLInputElement>(null)
  const keys = useRef(new OrderKeys())

  const title = `${words.order.titles[kind]}: ${panel.site.name}`
  if (sent) return <Dialog title={title} onClose={onClose}><Result command={sent} panel={panel} objects={objects} onClose={onClose} onOrder={onOrder} /></Dialog>

  const state = panel.state
  const linked = live && panel.enabled && state?.link === 'up'
  const target = targetOf(kind)
  const arms = kind === 'arm' || kind === 'force_arm'
  // Partitions are few and all shown; of zones and outputs those that were pointed at.
  const parts = target ? numbered(objects, target, target === 'partition' ? state?.armed : [], wished).filter(({ number }) => target === 'partition' || wished.includes(number)) : []
  const inTheWay = arms && state ? zonesInTheWay(state, objects, chosen) : []
  const ready = linked && (!target || chosen.length > 0) && (harmless.includes(kind) || sameName(typed, panel.site.name))

  const send = async (event?: FormEvent) => {
    event?.preventDefault()
    if (!ready || sending) return
    setSending(true)
    setProblem('')
    const numbers = [...chosen].sort((a, b) => a - b)
    const request: CommandRequest = { kind, deadline_s: deadline, ...(target && { [`${target}s`]: numbers }), ...(arms && { arm_mode: mode }) }
    try {
      const command = await station.client.order(panel.id, request, keys.current.of(request))
      station.panels.command(command)
      setSent(command)
    } catch (error) {
      // Only an order that may have been taken is repeated under its old key.
      if (error instanceof ApiError && error.status !== 0) keys.current.forget()
      setProblem(problemText(words, error))
    } finally {
      setSending(false)
    }
  }

  const toggle = (number: number) => setChosen((now) => (now.includes(number) ? now.filter((other) => other !== number) : [...now, number]))
  return (
    <Dialog title={title} onClose={onClose} focus={wished.length > 0 ? confirm : first}>
      <form onSubmit={(event) => void send(event)} onKeyDown={(event) => isSend(event.nativeEvent) && void send()}>
        {!linked && (
          <div className="order-refused" role="alert" data-testid="order-refused">
            <b>{area.refused}</b> <p>{linkSentence(words, panel, live)}</p>
          </div>
        )}
        {target && (
          <fieldset className="group">
            <legend>{{ partition: words.order.partitions, zone: words.panels.zones, output: area.outputs }[target]} <span className="num">· {answeredText(words, look, now)}</span></legend>
            {parts.map(({ number, name }, i) => (
              <label key={number} className={look.fresh ? 'check' : 'check old'}>
                <input ref={i === 0 ? first : undefined} type="checkbox" name={`${target}-${number}`} checked={chosen.includes(number)} onChange={() => toggle(number)} />
                <span className="faint num">{partNumber(words, target, number)}</span> <b>{name}</b> <span className="grow" />
                <span className="faint">{state ? partWord(words, state, target, number) : words.panels.unknown}</span>
              </label>
            ))}
          </fieldset>
        )}
        {arms && chosen.length > 0 && (
          <div className={inTheWay.length > 0 ? 'in-the-way found' : 'in-the-way'} data-testid="in-the-way" role="status">
            <p>{!look.fresh ? area.inTheWay.stale : inTheWay.length > 0 ? area.inTheWay.found(inTheWay.length) : area.inTheWay.none}</p>
            <ul>
              {inTheWay.map(({ number, name }) => (
                <li key={number} data-zone-open={number}>
                  <span className="num">{words.alarm.zone(number)}</span> <b>{name}</b> <span>{state && words.panels[zoneLook(state, number)]}</span>
                </li>
              ))}
            </ul>
          </div>
        )}
        {kind === 'force_arm' && <p className="strong" role="status">{area.forceWarning}</p>}
        {arms && (
          <label className="field">
            <span>{words.order.mode}</span>
            <select value={mode} name="mode" onChange={(event) => setMode(Number(event.target.value))}>
              {words.order.modes.map((name, i) => <option key={name} value={i}>{i}: {name}</option>)}
            </select>
          </label>
        )}
        <label className="field">
          <span>{words.order.deadline}</span>
          <select value={deadline} name="deadline" onChange={(event) => setDeadline(Number(event.target.value))}>
            {deadlines.map((seconds) => <option key={seconds} value={seconds}>{words.order.seconds(seconds)}</option>)}
          </select>
        </label>
        {!harmless.includes(kind) && (
          <label className="field">
            <span>{words.order.confirm(panel.site.name)}</span>
            <input ref={confirm} name="confirm" autoComplete="off" spellCheck={false} value={typed} onChange={(event) => setTyped(event.target.value)} />
          </label>
        )}
        <p className="problem" role="alert">{problem}</p>
        {linked && !ready && <p className="faint">{words.order.pick}</p>}
        <DialogFoot>
          <button type="button" className="button quiet" onClick={onClose}>{words.order.cancel} <Key>Esc</Key></button>
          <Mutating>
            <button type="submit" className={sending ? 'button pending' : 'button primary'} disabled={!ready || sending}>
              {sending ? words.link.sending : words.order.submit[kind]} <Key>Ctrl+Enter</Key>
            </button>
          </Mutating>
        </DialogFoot>
      </form>
    </Dialog>
  )
}

/** One key per order: the same order sent again after silence is the same order. */
export class OrderKeys {
  #body = ''
  #key = ''

  of(request: CommandRequest): string {
    const body = JSON.stringify(request)
    if (this.#key === '' || body !== this.#body) {
      this.#body = body
      this.#key = uuid()
    }
    return this.#key
  }

  forget(): void {
    this.#key = ''
  }
}

/** How long after the deadline a result is asked for that the stream did not bring. */
const askAfter = 1_000

function Result({ command, panel, objects, onClose, onOrder }: { command: Command; panel: PanelInfo; objects: readonly PanelObject[]; onClose: () => void; onOrder: (wish: OrderWish) => void }) {
  const me = useMe()
  const { station } = useHere()
  const words = useWords()
  const now = useNow()
  const look = usePanelLook(panel, objects)
  const parts = useSyncExternalStore(station.panels.subscribe, () => station.panels.parts(command.panel_id))
  const current = parts?.commands.find((other) => other.id === command.id) ?? command
  const finished = isFinished(current)
  const left = Math.ceil((Date.parse(current.deadline_at) - now) / 1000)
  const ask = !finished && left <= 0 && Math.floor((now - Date.parse(current.deadline_at)) / askAfter)
  useEffect(() => {
    if (ask === false) return
    const abort = new AbortController()
    // Each second again until there is one: a try that fails is followed by the next.
    station.client.command(command.id, { signal: abort.signal }).then((found) => station.panels.command(found), () => {})
    return () => abort.abort()
  }, [station, command.id, ask])

  const whole = Math.max(1, Math.round((Date.parse(current.deadline_at) - Date.parse(current.requested_at)) / 1000))
  const names = numbered(objects, 'partition', current.partitions).filter((partition) => current.partitions.includes(partition.number))
  const where = orderTargets(words, current, (kind, number) => objects.find((object) => object.kind === kind && object.number === number)?.name ?? '')
  return (
    <div className="order-result" data-testid="order-result" data-state={current.state}>
      <p className={`order-sentence ${current.state}`} role="status">{orderSentence(words, current, where)}</p>
      {!finished && (
        <div className="order-wait">
          <progress max={whole} value={Math.max(0, Math.min(whole, left))} aria-label={words.order.deadline} />
          <p className="num" aria-live="off">{left > 0 ? words.order.waiting(left) : words.order.overdue}</p>
        </div>
      )}
      <ul className={look.fresh ? 'lines' : 'lines old'}>
        {names.map(({ number, name }) => (
          <li key={number}>
            <span className="faint num">{words.alarm.partition(number)}</span> <b className="cut">{name}</b>
            <span>{panel.state ? words.panels[partitionLook(panel.state, number)] : words.panels.unknown}</span>
          </li>
        ))}
        <li className="faint num">{answeredText(words, look, now)}</li>
      </ul>
      <DialogFoot>
        {current.result === 'force_possible' && me.orders.includes('force_arm') && (
          <Mutating>
            <button type="button" className="button" data-order="force_arm" onClick={() => onOrder({ kind: 'force_arm', chosen: current.partitions, mode: current.arm_mode })}>{words.order.force_arm}</button>
          </Mutating>
        )}
        <button type="button" className="button" onClick={onClose}>{words.order.close} <Key>Esc</Key></button>
      </DialogFoot>
    </div>
  )
}

function partNumber(words: Catalogue, target: 'partition' | 'zone' | 'output', number: number): string {
  return target === 'output' ? words.areas.panels.output(number) : words.alarm[target](number)
}

function partWord(words: Catalogue, state: PanelState, target: 'partition' | 'zone' | 'output', number: number): string {
  const area = words.areas.panels
  if (target === 'partition') return words.panels[partitionLook(state, number)]
  if (target === 'output') return state.outputs_on?.includes(number) ? area.outputOn : area.outputOff
  const look = zoneLook(state, number)
  return look === 'quiet' ? '' : words.panels[look]
}

function sameName(typed: string, name: string): boolean {
  const plain = (text: string) => text.trim().replaceAll(/\s+/g, ' ').toLocaleLowerCase('pl')
  return plain(typed) === plain(name)
}

function problemText(words: Catalogue, error: unknown): string {
  if (!(error instanceof ApiError)) return words.order.errors.other
  if (error.status === 0) return error.code === 'gate_closed' ? words.areas.panels.notSent : words.order.errors.noAnswer
  const known = (words.order.errors as Record<string, string>)[error.code]
  return known ?? `${words.order.errors.other} (${error.code})`
}
