// The one way to the REST interface. It refuses by itself to change anything while the
// gate is closed, whatever the screen allows.
import { gate } from '../live/gate'
import type { Operations } from './schema'
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

/** Method and path of an operation, as the description has them. */
export type Operation = keyof Operations

export type Answer<O extends Operation> = Operations[O]['answer']

/** What an operation is asked by its description, and how. */
export type Call<O extends Operation> = Operations[O]['ask'] & Options & {
  /** Not a change of the station's record: sign-in and the ticket of the stream. */
  ungated?: boolean
}

/** All that any operation may be asked. */
interface AnyCall extends Options {
  id?: number | string
  query?: object
  body?: unknown
  idempotency?: string
  /** The version that was seen of what is edited. */
  ifMatch?: number
  ungated?: boolean
}

export type StepBody = { version: number; outcome?: Outcome; text?: string }

const defaultTimeout = 10_000

export class Client {
  /** Called on every 401 that is not the answer to a sign-in. */
  onSignedOut: () => void = () => {}

  /** One request; the functions of each area are made of it. */
  async call<O extends Operation>(operation: O, ...[given]: object extends Operations[O]['ask'] ? [call?: Call<O>] : [call: Call<O>]): Promise<Answer<O>> {
    const call: AnyCall = given ?? {}
    const [method = '', template = ''] = operation.split(' ')
    const path = template.replace('{id}', encodeURIComponent(String(call.id))) + queryOf(call.query)
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
      if (response.ok) return (text === '' ? undefined : JSON.parse(text)) as Answer<O>
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
    return this.call('GET /api/session', options)
  }

  async signIn(login: string, password: string): Promise<Me> {
    return (await this.call('POST /api/session', { body: { login, password }, ungated: true })).user
  }

  signOut(): Promise<undefined> {
    return this.call('DELETE /api/session')
  }

  async ticket(options?: Options): Promise<string> {
    return (await this.call('POST /api/ws/ticket', { ...options, ungated: true })).ticket
  }

  alarms(state: 'open' | 'closed' | 'all', cursor?: string, options?: Options & { limit?: number }): Promise<AlarmList> {
    return this.call('GET /api/alarms', { ...options, query: { state, limit: options?.limit ?? 200, cursor } })
  }

  alarm(id: number, options?: Options): Promise<AlarmDetail> {
    return this.call('GET /api/alarms/{id}', { ...options, id })
  }

  async step(id: number, step: Step, body: StepBody, idempotency: string): Promise<Alarm> {
    return (await this.call(`POST /api/alarms/{id}/${step}`, { id, body, idempotency })).alarm
  }

  async note(id: number, text: string, idempotency: string): Promise<Alarm> {
    return (await this.call('POST /api/alarms/{id}/notes', { id, body: { text }, idempotency })).alarm
  }

  panels(cursor?: string, options?: Options): Promise<PanelList> {
    return this.call('GET /api/panels', { ...options, query: { limit: 200, cursor } })
  }

  panel(id: number, options?: Options): Promise<PanelDetail> {
    return this.call('GET /api/panels/{id}', { ...options, id })
  }

  async order(panel: number, request: CommandRequest, idempotency: string): Promise<Command> {
    return (await this.call('POST /api/panels/{id}/commands', { id: panel, body: request, idempotency })).command
  }

  async command(id: string, options?: Options): Promise<Command> {
    return (await this.call('GET /api/commands/{id}', { ...options, id })).command
  }
}

/** Parameters that are not there, or say nothing, are left out. */
function queryOf(query: object = {}): string {
  const said = Object.entries(query).filter(([, value]) => value !== undefined && value !== '')
  return said.length ? `?${new URLSearchParams(said.map(([name, value]) => [name, String(value)]))}` : ''
}

function parseProblem(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
