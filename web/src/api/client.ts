// The one way to the REST interface. It refuses by itself to change anything while the
// gate is closed, whatever the screen allows.
import { gate } from '../live/gate'
import type {
  Alarm, AlarmDetail, AlarmList, Command, CommandRequest, Me, Outcome, PanelDetail, PanelList, SessionAnswer, Step, UserRef,
} from './types'

/** An answer that is not a success, or no answer at all (status 0). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    /** Stable word of the problem; 'offline', 'timeout', 'gate_closed' when no server spoke. */
    readonly code: string,
    message: string,
    readonly problem: Record<string, unknown> = {},
  ) {
    super(message)
  }

  /** The alarm as it is now, when somebody else was first. */
  get alarm(): Alarm | undefined {
    return this.problem.alarm as Alarm | undefined
  }

  get actor(): UserRef | undefined {
    return (this.problem.actor ?? undefined) as UserRef | undefined
  }
}

export interface Options {
  signal?: AbortSignal
  timeout?: number
}

export interface Call extends Options {
  body?: unknown
  idempotency?: string
  /** The version that was seen of what is edited. */
  ifMatch?: number
  /** Not a change of the station's record: sign-in and the ticket of the stream. */
  ungated?: boolean
}

export type StepBody = { version: number; outcome?: Outcome; text?: string }

const defaultTimeout = 10_000

export class Client {
  /** Called on every 401 that is not the answer to a sign-in. */
  onSignedOut: () => void = () => {}

  /** One request; the functions of each area are made of it. */
  async call<T>(method: string, path: string, call: Call = {}): Promise<T> {
    if (method !== 'GET' && !call.ungated && !gate.get()) {
      throw new ApiError(0, 'gate_closed', 'not connected: nothing is sent')
    }
    const headers: Record<string, string> = { Accept: 'application/json' }
    if (call.body !== undefined) headers['Content-Type'] = 'application/json'
    if (call.idempotency) headers['Idempotency-Key'] = call.idempotency
    if (call.ifMatch !== undefined) headers['If-Match'] = `"${call.ifMatch}"`

    const timeout = new AbortController()
    const timer = setTimeout(() => timeout.abort(), call.timeout ?? defaultTimeout)
    const giveUp = () => timeout.abort()
    call.signal?.addEventListener('abort', giveUp)
    if (call.signal?.aborted) timeout.abort()
    try {
      const response = await fetch(path, {
        method,
        headers,
        body: call.body === undefined ? null : JSON.stringify(call.body),
        credentials: 'same-origin',
        cache: 'no-store',
        signal: timeout.signal,
      })
      const text = await response.text()
      if (response.ok) return (text === '' ? undefined : JSON.parse(text)) as T
      const problem = parseProblem(text)
      const code = typeof problem.code === 'string' ? problem.code : `http_${response.status}`
      if (response.status === 401 && code !== 'bad_credentials') this.onSignedOut()
      const detail = typeof problem.detail === 'string' ? problem.detail : response.statusText
      throw new ApiError(response.status, code, detail, problem)
    } catch (err) {
      if (err instanceof ApiError) throw err
      if (call.signal?.aborted) throw err
      if (timeout.signal.aborted) throw new ApiError(0, 'timeout', 'no answer')
      throw new ApiError(0, 'offline', 'no connection')
    } finally {
      clearTimeout(timer)
      call.signal?.removeEventListener('abort', giveUp)
    }
  }

  session(options?: Options): Promise<SessionAnswer> {
    return this.call('GET', '/api/session', options)
  }

  async signIn(login: string, password: string): Promise<Me> {
    const answer = await this.call<{ user: Me }>('POST', '/api/session', { body: { login, password }, ungated: true })
    return answer.user
  }

  signOut(): Promise<void> {
    return this.call('DELETE', '/api/session')
  }

  async ticket(options?: Options): Promise<string> {
    const answer = await this.call<{ ticket: string }>('POST', '/api/ws/ticket', { ...options, ungated: true })
    return answer.ticket
  }

  alarms(state: 'open' | 'closed' | 'all', cursor?: string, options?: Options & { limit?: number }): Promise<AlarmList> {
    const query = new URLSearchParams({ state, limit: String(options?.limit ?? 200) })
    if (cursor) query.set('cursor', cursor)
    return this.call('GET', `/api/alarms?${query}`, options)
  }

  alarm(id: number, options?: Options): Promise<AlarmDetail> {
    return this.call('GET', `/api/alarms/${id}`, options)
  }

  async step(id: number, step: Step, body: StepBody, idempotency: string): Promise<Alarm> {
    const answer = await this.call<{ alarm: Alarm }>('POST', `/api/alarms/${id}/${step}`, { body, idempotency })
    return answer.alarm
  }

  async note(id: number, text: string, idempotency: string): Promise<Alarm> {
    const answer = await this.call<{ alarm: Alarm }>('POST', `/api/alarms/${id}/notes`, { body: { text }, idempotency })
    return answer.alarm
  }

  panels(cursor?: string, options?: Options): Promise<PanelList> {
    const query = new URLSearchParams({ limit: '200' })
    if (cursor) query.set('cursor', cursor)
    return this.call('GET', `/api/panels?${query}`, options)
  }

  panel(id: number, options?: Options): Promise<PanelDetail> {
    return this.call('GET', `/api/panels/${id}`, options)
  }

  async order(panel: number, request: CommandRequest, idempotency: string): Promise<Command> {
    const answer = await this.call<{ command: Command }>('POST', `/api/panels/${panel}/commands`, { body: request, idempotency })
    return answer.command
  }

  async command(id: string, options?: Options): Promise<Command> {
    return (await this.call<{ command: Command }>('GET', `/api/commands/${id}`, options)).command
  }
}

function parseProblem(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
