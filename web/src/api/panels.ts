// Panels: all of them at once, and the orders one was given.
import { ApiError, type Client, type Options } from './client'
import type { Command, PanelState, SiteRef } from './types'

/** What is known of a panel without opening it. */
export interface PanelInfo {
  id: number
  site: SiteRef
  name: string
  enabled: boolean
  state: PanelState | null
  /** How many partitions it has; not there while their names were not read. */
  partitions?: number
}

/** All panels. A server without the snapshot is asked for its pages. */
export async function panelSnapshot(client: Client, options: Options = {}): Promise<PanelInfo[]> {
  try {
    return (await client.call<{ panels: PanelInfo[] }>('GET', '/api/panels/snapshot', options)).panels
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

/** Orders to a panel, newest first, after those of cursor. */
export function panelCommands(client: Client, panel: number, cursor: string | undefined, options: Options = {}): Promise<{ commands: Command[]; next_cursor?: string }> {
  const query = new URLSearchParams({ panel: String(panel), limit: '50' })
  if (cursor) query.set('cursor', cursor)
  return client.call('GET', `/api/commands?${query}`, options)
}
