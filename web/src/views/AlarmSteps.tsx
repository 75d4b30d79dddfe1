// The steps on one alarm: the next one big, the others at the foot, and what became of
// the last one.
import type { Alarm, Step } from '../api/types'
import { useWords, wordFor } from '../i18n'
import { short, tenths } from '../i18n/format'
import type { Form } from '../live/desk'
import { allows, nextStep } from '../live/rules'
import { useHere, useLive, useMe, useNow, useStepState } from '../ui/hooks'
import { Mutating } from '../ui/Mutating'
import { Key } from '../ui/parts'

const keys: Record<Step, string> = { claim: 'C', ack: 'A', resolve: 'R', close: 'Z', release: 'X', takeover: 'T', reopen: '' }

export function NextStep({ alarm }: { alarm: Alarm }) {
  const words = useWords()
  const me = useMe()
  const now = useNow()
  const next = nextStep(alarm, me)
  const text = next
    ? words.next[next as keyof typeof words.next & Step]
    : alarm.state === 'closed'
      ? words.next.closed(alarm.closed_at ? short(alarm.closed_at, now) : '')
      : words.next.wait(alarm.owner?.name ?? words.results.somebody)
  return (
    <div className="next-step" data-testid="next-step">
      <div>
        <p className="faint">{next ? words.alarm.next : words.states[alarm.state]}</p>
        <p className="next-what">{text}</p>
        {alarm.outcome && <p className="faint">{wordFor(words.outcomes, alarm.outcome)}: {alarm.outcome_text}</p>}
      </div>
      {next && <Mutating><StepButton alarm={alarm} step={next} primary /></Mutating>}
    </div>
  )
}

export function StepButton({ alarm, step, primary = false }: { alarm: Alarm; step: Step; primary?: boolean }) {
  const { station, desk } = useHere()
  const words = useWords()
  const state = useStepState(alarm.id)
  const waits = state?.kind === 'pending'
  const pending = waits && state.step === step
  const className = ['button', primary && 'primary large', pending && 'pending'].filter(Boolean).join(' ')
  const act = () => {
    if (step === 'resolve') desk.form.set('resolve')
    else void station.steps.take(alarm, step)
  }
  return (
    <button type="button" className={className} disabled={waits} onClick={act} data-step={step}>
      {pending ? words.link.sending : words.steps[step]} {keys[step] && <Key>{keys[step]}</Key>}
    </button>
  )
}

export function ActionBar({ alarm }: { alarm: Alarm }) {
  const { desk } = useHere()
  const words = useWords()
  const me = useMe()
  const live = useLive()
  const next = nextStep(alarm, me)
  const others = (['takeover', 'release', 'reopen', 'resolve', 'close'] as const).filter((step) => step !== next && allows(alarm, step, me))
  const open = (form: Form) => desk.form.set(form)
  return (
    <footer className="actions">
      <Mutating>
        <button type="button" className="button" onClick={() => open('note')} data-step="note">{words.steps.note} <Key>N</Key></button>
        {others.map((step) => <StepButton key={step} alarm={alarm} step={step} />)}
      </Mutating>
      {!live && <span className="reason">{words.link.dead}</span>}
    </footer>
  )
}

/** Who was first, or why a step was refused; texts that were typed are kept. */
export function StepNotice({ alarm }: { alarm: Alarm }) {
  const { station } = useHere()
  const words = useWords()
  const state = useStepState(alarm.id)
  if (!state || state.kind === 'pending') return null
  let text: string
  if (state.kind === 'lost') {
    const by = state.by?.name ?? words.results.somebody
    text = state.earlierMs === undefined ? words.results.lost(by) : words.results.lostBy(by, tenths(words, state.earlierMs))
    text += `. ${words.results.now(words.states[alarm.state])}`
    const draft = station.steps.draft(alarm.id)
    if (draft.note || draft.text) text += ` ${words.results.kept}`
  } else {
    text = (words.results.codes as Record<string, string>)[state.code] ?? `${words.results.failed} (${state.code})`
  }
  return (
    <div className="step-notice" role="alert" data-kind={state.kind} data-testid="step-notice">
      <p>{text}</p>
      <button type="button" className="button quiet" onClick={() => station.steps.dismiss(alarm.id)}>{words.results.dismiss}</button>
    </div>
  )
}
