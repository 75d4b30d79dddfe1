// The steps an operator takes on alarms. Nothing is shown as done before the server said
// so: a step is pending, then done, lost to somebody, overtaken by news, or failed. Texts that were typed
// stay until they were accepted.
import { pauseAlarm, resumeAlarm } from '../api/alarms'
import { ApiError, type Client, type StepBody } from '../api/client'
import type { Alarm, Outcome, UserRef } from '../api/types'
import { serverClock } from './clock'
import { gate } from './gate'
import type { Act } from './rules'
import { uuid } from './uuid'
import { Value } from './value'

export type StepName = Act | 'note'

export type StepState =
  | { kind: 'pending'; step: StepName }
  /** Somebody else was first, earlierMs before us when that is known; version is what the alarm had then. */
  | { kind: 'lost'; step: StepName; by: UserRef | undefined; earlierMs: number | undefined; version: number }
  /** Nobody took it: something new came while the step was on its way, which a person has to see first. */
  | { kind: 'changed'; step: StepName }
  | { kind: 'failed'; step: StepName; code: string }

export interface Draft {
  note: string
  outcome: Outcome | ''
  text: string
  pauseMinutes?: number
  pauseText?: string
}

/** How long an alarm is paused when nobody says otherwise, and at most. */
export const pauseMinutes = { usual: 15, most: 60 }

/** What the person saw who takes a step; a note needs nothing but the alarm. */
type Seen = Pick<Alarm, 'id'> & Partial<Alarm>

const emptyDraft: Draft = { note: '', outcome: '', text: '' }

export class Steps {
  readonly states = new Value<ReadonlyMap<number, StepState>>(new Map())
  readonly drafts = new Value<ReadonlyMap<number, Draft>>(new Map())
  #client: Client
  #learn: (alarm: Alarm) => void

  constructor(client: Client, learn: (alarm: Alarm) => void) {
    this.#client = client
    this.#learn = learn
  }

  draft(id: number): Draft {
    return this.drafts.get().get(id) ?? emptyDraft
  }

  write(id: number, change: Partial<Draft>): void {
    const draft = { ...this.draft(id), ...change }
    const drafts = new Map(this.drafts.get())
    const empty = !draft.note && !draft.outcome && !draft.text && !draft.pauseText && !draft.pauseMinutes
    if (empty) drafts.delete(id)
    else drafts.set(id, draft)
    this.drafts.set(drafts)
  }

  /** Takes a step on the alarm as it is seen; says whether it was accepted. */
  take(alarm: Alarm, step: Exclude<StepName, 'note' | 'resolve' | 'pause'>): Promise<boolean> {
    if (step === 'resume') return this.#run(alarm, step, (key) => resumeAlarm(this.#client, alarm.id, alarm.version, key))
    return this.#run(alarm, step, (key) => this.#client.step(alarm.id, step, { version: alarm.version }, key))
  }

  async resolve(alarm: Alarm): Promise<boolean> {
    const { outcome, text } = this.draft(alarm.id)
    if (outcome === '' || text.trim() === '') return false
    const body: StepBody = { version: alarm.version, outcome, text: text.trim() }
    const done = await this.#run(alarm, 'resolve', (key) => this.#client.step(alarm.id, 'resolve', body, key))
    if (done) this.write(alarm.id, { outcome: '', text: '' })
    return done
  }

  /** Pauses the alarm for the drafted minutes; it comes back by itself, loudly. */
  async pause(alarm: Alarm): Promise<boolean> {
    const { pauseMinutes: minutes = pauseMinutes.usual, pauseText = '' } = this.draft(alarm.id)
    const text = pauseText.trim()
    if (text === '' || !(minutes >= 1 && minutes <= pauseMinutes.most)) return false
    const body = { version: alarm.version, minutes, text }
    const done = await this.#run(alarm, 'pause', (key) => pauseAlarm(this.#client, alarm.id, body, key))
    if (done) this.write(alarm.id, { pauseMinutes: undefined, pauseText: undefined })
    return done
  }

  async note(id: number): Promise<boolean> {
    const text = this.draft(id).note.trim()
    if (text === '') return false
    const done = await this.#run({ id }, 'note', (key) => this.#client.note(id, text, key))
    if (done) this.write(id, { note: '' })
    return done
  }

  dismiss(id: number): void {
    if (this.states.get().get(id)?.kind !== 'pending') this.#set(id, undefined)
  }

  clear(): void {
    this.states.set(new Map())
    this.drafts.set(new Map())
  }

  async #run(seen: Seen, step: StepName, send: (key: string) => Promise<Alarm>): Promise<boolean> {
    const { id } = seen
    if (!gate.get() || this.states.get().get(id)?.kind === 'pending') return false
    const asked = serverClock.now()
    this.#set(id, { kind: 'pending', step })
    try {
      const alarm = await send(uuid())
      this.#learn(alarm)
      this.#set(id, undefined)
      return true
    } catch (error) {
      this.#set(id, this.#explain(seen, step, asked, error))
      return false
    }
  }

  #explain(seen: Seen, step: StepName, asked: number, error: unknown): StepState {
    if (!(error instanceof ApiError)) return { kind: 'failed', step, code: 'unknown' }
    if (error.status !== 409) return { kind: 'failed', step, code: error.code }
    const now = error.alarm
    if (now) this.#learn(now)
    if (now && now.state === seen.state && now.owner?.id === seen.owner?.id) return { kind: 'changed', step }
    const claimed = Date.parse(now?.claimed_at ?? '')
    const earlier = asked - claimed
    return {
      kind: 'lost',
      step,
      by: error.actor ?? now?.owner,
      earlierMs: step === 'claim' && earlier >= 0 && earlier < 60_000 ? earlier : undefined,
      version: now?.version ?? 0,
    }
  }

  #set(id: number, state: StepState | undefined): void {
    const states = new Map(this.states.get())
    if (state) states.set(id, state)
    else states.delete(id)
    this.states.set(states)
  }
}
