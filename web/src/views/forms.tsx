// The forms on one alarm. What is typed lives in the drafts, so that neither a lost race
// nor a lost connection takes it away.
import { type KeyboardEvent, type ReactNode, type RefObject, useEffect, useId, useRef } from 'react'
import type { Alarm, Outcome } from '../api/types'
import { useWords } from '../i18n'
import { isSend, isTyping } from '../keys/keymap'
import { allows } from '../live/rules'
import { pauseMinutes } from '../live/steps'
import { useHere, useMe, useStepState, useValue } from '../ui/hooks'
import { Mutating } from '../ui/Mutating'
import { Key } from '../ui/parts'

const outcomes: Outcome[] = ['real', 'false_user', 'false_technical', 'test', 'unknown']
const longest = 2000

interface FormFrameProps {
  title: string
  submitText: string
  cancelText: string
  ready: boolean
  pending: boolean
  send: () => void
  onKey?: (event: KeyboardEvent) => void
  children: ReactNode
}

function FormFrame({ title, submitText, cancelText, ready, pending, send, onKey, children }: FormFrameProps) {
  const { desk } = useHere()
  const words = useWords()
  const onKeyDown = (event: KeyboardEvent) => {
    if (isSend(event.nativeEvent)) {
      event.preventDefault()
      send()
      return
    }
    onKey?.(event)
  }
  return (
    <form
      className="alarm-form" aria-label={title} onKeyDown={onKeyDown}
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      <h3>{title}</h3>
      {children}
      <div className="form-foot">
        <button type="button" className="button quiet" onClick={() => desk.form.set(undefined)}>{cancelText} <Key>Esc</Key></button>
        <Mutating>
          <button type="submit" className={pending ? 'button pending' : 'button primary'} disabled={!ready || pending}>
            {pending ? words.link.sending : submitText} <Key>Ctrl+Enter</Key>
          </button>
        </Mutating>
      </div>
    </form>
  )
}

export function ResolveForm({ alarm }: { alarm: Alarm }) {
  const { station, desk } = useHere()
  const words = useWords()
  const me = useMe()
  useValue(station.steps.drafts)
  const state = useStepState(alarm.id)
  const draft = station.steps.draft(alarm.id)
  const first = useRef<HTMLInputElement>(null)
  const text = useRef<HTMLTextAreaElement>(null)
  useEffect(() => first.current?.focus(), [])

  const pending = state?.kind === 'pending'
  const ready = draft.outcome !== '' && draft.text.trim() !== '' && allows(alarm, 'resolve', me)
  const send = async () => {
    if (ready && (await station.steps.resolve(alarm))) desk.form.set(undefined)
  }
  const choose = (outcome: Outcome) => station.steps.write(alarm.id, { outcome })
  // Digits choose an outcome and go on to the text, except where digits are text.
  const onKey = (event: KeyboardEvent) => {
    const outcome = outcomes[Number(event.key) - 1]
    if (!outcome || event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target)) return
    event.preventDefault()
    choose(outcome)
    text.current?.focus()
  }
  return (
    <FormFrame
      title={words.resolveForm.title} submitText={words.resolveForm.submit} cancelText={words.resolveForm.cancel}
      ready={ready} pending={pending} send={() => void send()} onKey={onKey}
    >
      <Outcomes value={draft.outcome} onChoose={choose} first={first} />
      <label className="field">
        <span>{words.resolveForm.text}</span>
        <textarea
          ref={text} rows={3} maxLength={longest} placeholder={words.resolveForm.placeholder} value={draft.text}
          onChange={(event) => station.steps.write(alarm.id, { text: event.target.value })}
        />
      </label>
      {!ready && <p className="faint">{words.resolveForm.missing}</p>}
    </FormFrame>
  )
}

/** The outcomes an alarm can have; none is chosen in advance. */
export function Outcomes({ value, onChoose, first }: { value: Outcome | ''; onChoose: (outcome: Outcome) => void; first?: RefObject<HTMLInputElement | null> }) {
  const words = useWords()
  const name = useId()
  return (
    <div className="choices" role="radiogroup" aria-label={words.resolveForm.title}>
      {outcomes.map((outcome, i) => (
        <label key={outcome} className={value === outcome ? 'choice chosen' : 'choice'}>
          <input
            ref={i === 0 ? first : undefined} type="radio" name={name} value={outcome}
            checked={value === outcome} onChange={() => onChoose(outcome)}
          />
          <Key>{i + 1}</Key> {words.outcomes[outcome]}
        </label>
      ))}
    </div>
  )
}

const usualPauses = [5, 10, 15, 30, 60]

export function PauseForm({ alarm }: { alarm: Alarm }) {
  const { station, desk } = useHere()
  const words = useWords()
  const me = useMe()
  useValue(station.steps.drafts)
  const form = words.areas.desk.pauseForm
  const state = useStepState(alarm.id)
  const { pauseMinutes: minutes = pauseMinutes.usual, pauseText: text = '' } = station.steps.draft(alarm.id)
  const field = useRef<HTMLTextAreaElement>(null)
  const minutesId = useId()
  useEffect(() => field.current?.focus(), [])

  const pending = state?.kind === 'pending'
  const ready = text.trim() !== '' && minutes >= 1 && minutes <= pauseMinutes.most && allows(alarm, 'pause', me)
  const send = async () => {
    if (ready && (await station.steps.pause(alarm))) desk.form.set(undefined)
  }
  const choose = (value: number) => station.steps.write(alarm.id, { pauseMinutes: value })
  return (
    <FormFrame title={form.title} submitText={form.submit} cancelText={form.cancel} ready={ready} pending={pending} send={() => void send()}>
      <div className="pause-minutes">
        <label className="field" htmlFor={minutesId}><span>{form.minutes}</span></label>
        <input
          id={minutesId} type="number" min={1} max={pauseMinutes.most} step={1} inputMode="numeric" value={minutes || ''}
          onChange={(event) => choose(Math.trunc(Number(event.target.value)))}
        />
        {usualPauses.map((value) => (
          <button key={value} type="button" className={value === minutes ? 'button on' : 'button'} aria-pressed={value === minutes} onClick={() => choose(value)}>{form.minutesUnit(value)}</button>
        ))}
      </div>
      <label className="field">
        <span>{form.text}</span>
        <textarea
          ref={field} rows={2} maxLength={longest} placeholder={form.placeholder} value={text}
          onChange={(event) => station.steps.write(alarm.id, { pauseText: event.target.value })}
        />
      </label>
      <p className="faint">{ready ? form.hint : form.missing}</p>
    </FormFrame>
  )
}

export function NoteForm({ alarm }: { alarm: Alarm }) {
  const { station, desk } = useHere()
  const words = useWords()
  useValue(station.steps.drafts)
  const state = useStepState(alarm.id)
  const draft = station.steps.draft(alarm.id)
  const text = useRef<HTMLTextAreaElement>(null)
  useEffect(() => text.current?.focus(), [])

  const pending = state?.kind === 'pending'
  const ready = draft.note.trim() !== ''
  const send = async () => {
    if (ready && (await station.steps.note(alarm.id))) desk.form.set(undefined)
  }
  return (
    <FormFrame
      title={words.noteForm.title} submitText={words.noteForm.submit} cancelText={words.noteForm.cancel}
      ready={ready} pending={pending} send={() => void send()}
    >
      <textarea
        ref={text} rows={3} maxLength={longest} aria-label={words.noteForm.title} placeholder={words.noteForm.placeholder} value={draft.note}
        onChange={(event) => station.steps.write(alarm.id, { note: event.target.value })}
      />
    </FormFrame>
  )
}
