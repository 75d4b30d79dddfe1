// Messages that were set aside as unreadable: what an administrator does about them.
import { uuid } from '../live/uuid'
import type { Client, Options } from './client'
import type { Operations, Schemas } from './schema'

export type Letter = Schemas.Letter
export type Payload = Schemas.Payload
export type Replay = Schemas.Replay
export type Which = NonNullable<NonNullable<Operations['GET /api/dead-letters']['ask']['query']>['state']>

export class Letters {
  constructor(private readonly client: Client) {}

  list(state: Which, reason: string, cursor: string | undefined, options?: Options) {
    return this.client.call('GET /api/dead-letters', { ...options, query: { state, reason: reason || undefined, limit: 100, cursor } })
  }

  letter(id: number, options?: Options) {
    return this.client.call('GET /api/dead-letters/{id}', { ...options, id })
  }

  /** Who asks is written down. */
  async reveal(id: number): Promise<Payload> {
    return (await this.client.call('POST /api/dead-letters/{id}/reveal', { id })).payload
  }

  replay(id: number) {
    return this.client.call('POST /api/dead-letters/{id}/replay', { id, idempotency: uuid() })
  }

  dismiss(id: number, reason: string) {
    return this.client.call('POST /api/dead-letters/{id}/dismiss', { id, body: { reason }, idempotency: uuid() })
  }

  replayMany(reason: string, replay: string | undefined) {
    return this.client.call('POST /api/dead-letters/replay', { body: { ...(reason && { reason }), ...(replay && { replay }) }, idempotency: uuid() })
  }

  async progress(replay: string, options?: Options): Promise<Replay> {
    return (await this.client.call('GET /api/dead-letters/replays/{id}', { ...options, id: replay })).replay
  }
}
