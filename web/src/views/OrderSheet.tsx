// An order to a panel. It has no key, asks for the partitions and for the name of the
// site, and shows its deadline and what came of it.
import { type FormEvent, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { ApiError } from '../api/client'
import type { Command, CommandKind, Panel, PanelObject } from '../api/types'
import { useWords } from '../i18n'
import type { Catalogue } from '../i18n/pl'
import { isSend } from '../keys/keymap'
import { isFinished } from '../live/panels'
import { uuid } from '../live/uuid'
import { useHere, useNow } from '../ui/hooks'
import { Mutating } from '../ui/Mutating'
import { Dialog } from '../ui/Dialog'
import { Key } from '../ui/parts'
import { orderText } from './orderText'

const deadlines = [5, 15, 30, 60]

interface Props {
  panel: Panel
  partitions: readonly PanelObject[]
  kind: CommandKind
  onClose: () => void
}

export function OrderSheet({ panel, partitions, kind, onClose }: Props) {
  const { station } = useHere()
  const words = useWords()
  const [chosen, setChosen] = useState<readonly number[]>([])
  const [mode, setMode] = useState(0)
  const [deadline, setDeadline] = useState(15)
  const [typed, setTyped] = useState('')
  const [sending, setSending] = useState(false)
  const [problem, setProblem] = useState('')
  const [sent, setSent] = useState<Command | undefined>()
  const first = useRef<HTMLInputElement>(null)
  useEffect(() => first.current?.focus(), [])

  const ready = chosen.length > 0 && sameName(typed, panel.site.name)
  const send = async (event?: FormEvent) => {
    event?.preventDefault()
    if (!ready || sending) return
    setSending(true)
    setProblem('')
    try {
      const request = { kind, partitions: [...chosen].sort((a, b) => a - b), arm_mode: kind === 'arm' ? mode : 0, deadline_s: deadline }
      const command = await station.client.order(panel.id, request, uuid())
      station.panels.command(command)
      setSent(command)
    } catch (error) {
      setProblem(problemText(words, error))
    } finally {
      setSending(false)
    }
  }

  const title = `${words.order.titles[kind]}: ${panel.site.name}`
  if (sent) return <Dialog title={title} onClose={onClose}><Result command={sent} onClose={onClose} /></Dialog>

  const toggle = (number: number) => setChosen((now) => (now.includes(number) ? now.filter((other) => other !== number) : [...now, number]))
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={(event) => void send(event)} onKeyDown={(event) => isSend(event.nativeEvent) && void send()}>
        <fieldset className="group">
          <legend>{words.order.partitions}</legend>
          {partitions.map((partition, i) => (
            <label key={partition.number} className="check">
              <input ref={i === 0 ? first : undefined} type="checkbox" name={`partition-${partition.number}`} checked={chosen.includes(partition.number)} onChange={() => toggle(partition.number)} />
              <span className="faint num">{words.alarm.partition(partition.number)}</span> {partition.name}
            </label>
          ))}
        </fieldset>
        {kind === 'arm' && (
          <label className="field">
            <span>{words.order.mode}</span>
            <select value={mode} onChange={(event) => setMode(Number(event.target.value))}>
              {words.order.modes.map((name, i) => <option key={name} value={i}>{i}: {name}</option>)}
            </select>
          </label>
        )}
        <label className="field">
          <span>{words.order.deadline}</span>
          <select value={deadline} onChange={(event) => setDeadline(Number(event.target.value))}>
            {deadlines.map((seconds) => <option key={seconds} value={seconds}>{words.order.seconds(seconds)}</option>)}
          </select>
        </label>
        <label className="field">
          <span>{words.order.confirm(panel.site.name)}</span>
          <input name="confirm" autoComplete="off" spellCheck={false} value={typed} onChange={(event) => setTyped(event.target.value)} />
        </label>
        <p className="problem" role="alert">{problem}</p>
        {!ready && <p className="faint">{words.order.pick}</p>}
        <div className="sheet-foot">
          <button type="button" className="button quiet" onClick={onClose}>{words.order.cancel} <Key>Esc</Key></button>
          <Mutating>
            <button type="submit" className={sending ? 'button pending' : 'button primary'} disabled={!ready || sending}>
              {sending ? words.link.sending : words.order.submit[kind]} <Key>Ctrl+Enter</Key>
            </button>
          </Mutating>
        </div>
      </form>
    </Dialog>
  )
}

/** How long after the deadline a result is asked for that the stream did not bring. */
const askAfter = 1_000

function Result({ command, onClose }: { command: Command; onClose: () => void }) {
  const { station } = useHere()
  const words = useWords()
  const now = useNow()
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

  return (
    <div className="order-result" role="status" data-testid="order-result" data-state={current.state}>
      <p className="next-what">{orderText(words, current)}</p>
      {!finished && <p className="faint">{left > 0 ? words.order.waiting(left) : words.order.overdue}</p>}
      <div className="sheet-foot">
        <button type="button" className="button" onClick={onClose}>{words.order.close} <Key>Esc</Key></button>
      </div>
    </div>
  )
}

function sameName(typed: string, name: string): boolean {
  const plain = (text: string) => text.trim().replaceAll(/\s+/g, ' ').toLocaleLowerCase('pl')
  return plain(typed) === plain(name)
}

function problemText(words: Catalogue, error: unknown): string {
  if (!(error instanceof ApiError)) return words.order.errors.other
  if (error.status === 0) return words.order.errors.noAnswer
  const known = (words.order.errors as Record<string, string>)[error.code]
  return known ?? `${words.order.errors.other} (${error.code})`
}
