// The steps on one alarm: the next one big, the others at the foot, and what became of
// the last one.
import type { Alarm } from '../api/types'
import { useWords, wordFor } from '../i18n'
import { short, tenths } from '../i18n/format'
import type { Form } from '../live/desk'
import { type Act, allows, lackOf, leads, nextStep, nextWaiting } from '../live/rules'
import { href } from '../route'
import { useHere, useLive, useMe, useNow, useQueue, useStepState } from '../ui/hooks'
import { Mutating } from '../ui/Mutating'
import { Key } from '../ui/parts'
import { kindText } from './alarm/text'

const keys: Record<Act, string> = { claim: 'C', ack: 'A', resolve: 'R', close: 'Z', release: 'X', takeover: 'T', pause: 'W', reopen: '', resume: '' }

export function NextStep({ alarm }: { alarm: Alarm }) {
  const words = useWords()
  const me = useMe()
  const now = useNow()
  const next = nextStep(alarm, me)
  const text = next
    ? next === 'resume' ? words.areas.desk.next.resume : words.next[next as keyof typeof words.next & Act]
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

export function StepButton({ alarm, step, primary = false, off = false }: { alarm: Alarm; step: Act; primary?: boolean; off?: boolean }) {
  const { station, desk } = useHere()
  const words = useWords()
  const state = useStepState(alarm.id)
  const waits = state?.kind === 'pending'
  const pending = waits && state.step === step
  const className = ['button', primary && 'primary large', pending && 'pending'].filter(Boolean).join(' ')
  const act = () => {
    if (step === 'resolve' || step === 'pause') desk.form.set(step)
    else void station.steps.take(alarm, step)
  }
  const text = step === 'pause' || step === 'resume' ? words.areas.desk.steps[step] : words.steps[step]
  return (
    <button type="button" className={className} disabled={waits || off} onClick={act} data-step={step}>
      {pending ? words.link.sending : text} {keys[step] && <Key>{keys[step]}</Key>}
    </button>
  )
}

/** Every step has its place here and keeps it; what cannot be done is dashed, and why is said. */
export function ActionBar({ alarm }: { alarm: Alarm }) {
  const { desk } = useHere()
  const words = useWords()
  const me = useMe()
  const live = useLive()
  const open = (form: Form) => desk.form.set(form)
  const lack = lackOf(alarm, me)
  const reason = !live ? words.link.dead
    : lack === 'owner' ? words.areas.desk.lack.owner(alarm.owner?.name ?? words.results.somebody)
    : lack && words.areas.desk.lack[lack]
  const step = (name: Act) => <StepButton alarm={alarm} step={name} off={!allows(alarm, name, me)} />
  return (
    <footer className="actions">
      <Mutating>
        <button type="button" className="button" onClick={() => open('note')} data-step="note">{words.steps.note} <Key>N</Key></button>
        {alarm.paused_until && allows(alarm, 'resume', me) ? step('resume') : step('pause')}
        {alarm.state === 'resolved' ? step('reopen') : step('release')}
        {leads(me) && step('takeover')}
      </Mutating>
      <div className="actions-end">
        {reason && <span className="reason" data-testid="lack">{reason}</span>}
        <Mutating>
          {step('resolve')}
          {step('close')}
        </Mutating>
      </div>
    </footer>
  )
}

/** Who was first, or why a step was refused; texts that were typed are kept. */
export function StepNotice({ alarm }: { alarm: Alarm }) {
  const { station } = useHere()
  const words = useWords()
  const queue = useQueue()
  const state = useStepState(alarm.id)
  if (!state || state.kind === 'pending') return null
  let text: string
  const next = state.kind === 'lost' && state.step === 'claim' ? nextWaiting(queue, alarm.id) : undefined
  if (state.kind === 'lost') {
    const by = state.by?.name ?? words.results.somebody
    text = state.earlierMs === undefined ? words.results.lost(by) : words.results.lostBy(by, tenths(words, state.earlierMs))
    text += `. ${words.results.now(words.states[alarm.state])}`
    const draft = station.steps.draft(alarm.id)
    if (draft.note || draft.text || draft.pauseText) text += ` ${words.results.kept}`
  } else if (state.kind === 'changed') {
    text = words.results.changed
  } else {
    text = (words.results.codes as Record<string, string>)[state.code] ?? `${words.results.failed} (${state.code})`
  }
  return (
    <div className="step-notice" role="alert" data-kind={state.kind} data-testid="step-notice">
      <p>{text}</p>
      {next && (
        <a className="button" href={href({ page: 'alarms', id: next.id })}>
          {words.areas.desk.next.after(`P${next.priority} ${kindText(words, next.kind)}, ${next.site.name}`)} <Key>Enter</Key>
        </a>
      )}
      <button type="button" className="button quiet" onClick={() => station.steps.dismiss(alarm.id)}>{words.results.dismiss}</button>
    </div>
  )
}
