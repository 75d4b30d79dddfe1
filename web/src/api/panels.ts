// Panels: all of them at once, and the orders one was given.
import { ApiError, type Client, type Options } from './client'
import type { Schemas } from './schema'

/** What is known of a panel without opening it. */
export type PanelInfo = Schemas.Cell

/** All panels. A server without the snapshot is asked for its pages. */
export async function panelSnapshot(client: Client, options: Options = {}): Promise<PanelInfo[]> {
  try {
    return (await client.call('GET /api/panels/snapshot', options)).panels
  } catch (error) {
    if (!(error instanceof ApiError) || ![400, 404, 405, 422].includes(error.status)) throw error
  }
  const panels: PanelInfo[] = []
  let cursor: string | undefined
  do {
    const page = await client.panels(cursor, options)
    panels.push(...page.panels)
    cursor = page.next_cursor
  } while (cursor)
  return panels
}

/** What changed on a panel while it was watched, newest first, after those of cursor. */
export function panelChanges(client: Client, panel: number, cursor: string | undefined, options: Options = {}): Promise<Schemas.PanelChangesOutputBody> {
  return client.call('GET /api/panels/{id}/changes', { ...options, id: panel, query: { limit: 50, cursor } })
}

/** Orders to a panel, newest first, after those of cursor. */
export function panelCommands(client: Client, panel: number, cursor: string | undefined, options: Options = {}): Promise<Schemas.CommandsOutputBody> {
  return client.call('GET /api/commands', { ...options, query: { panel, limit: 50, cursor } })
}
