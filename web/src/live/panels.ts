// The panels and what they are seen to do right now.
import type { AlarmEvent, Command, LinkData, Panel, PanelDetail, PanelObject, PanelState } from '../api/types'
import { Batch } from './batch'

const keepEvents = 20

export interface PanelParts {
  objects: readonly PanelObject[]
  commands: readonly Command[]
}

export class PanelStore {
  #panels = new Map<number, Panel>()
  #parts = new Map<number, PanelParts>()
  #events = new Map<number, readonly AlarmEvent[]>()
  #list: readonly Panel[] = []
  #listeners = new Set<() => void>()
  #batch = new Batch(() => {
    this.#list = [...this.#panels.values()].sort(
      (a, b) => a.site.name.localeCompare(b.site.name, 'pl') || a.name.localeCompare(b.name, 'pl') || a.id - b.id,
    )
    for (const listener of [...this.#listeners]) listener()
  })

  list = (): readonly Panel[] => this.#list
  get = (id: number): Panel | undefined => this.#panels.get(id)
  parts = (id: number): PanelParts | undefined => this.#parts.get(id)
  /** Events without an alarm that came while this window was open, newest first. */
  events = (id: number): readonly AlarmEvent[] => this.#events.get(id) ?? none

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  replace(panels: readonly Panel[]): void {
    const known = this.#panels
    this.#panels = new Map(panels.map((panel) => [panel.id, { ...panel, state: newer(known.get(panel.id)?.state, panel.state) }]))
    this.#batch.schedule()
  }

  put(answer: PanelDetail): void {
    const id = answer.panel.id
    this.#panels.set(id, { ...answer.panel, state: newer(this.#panels.get(id)?.state, answer.panel.state) })
    this.#parts.set(id, { objects: answer.objects, commands: answer.commands })
    this.#batch.schedule()
  }

  state(state: PanelState): void {
    const panel = this.#panels.get(state.panel_id)
    if (!panel) return
    this.#panels.set(panel.id, { ...panel, state: newer(panel.state, state) })
    this.#batch.schedule()
  }

  link(data: LinkData): void {
    const panel = this.#panels.get(data.panel_id)
    if (!panel) return
    const was = panel.state
    if (was && Date.parse(was.changed_at ?? '') > Date.parse(data.at)) return
    const base: PanelState = was ?? { panel_id: data.panel_id, link: 'none', clock_offset_ms: 0, service_mode: false }
    this.#panels.set(panel.id, { ...panel, state: { ...base, link: data.link, link_reason: data.reason ?? '', changed_at: data.at } })
    this.#batch.schedule()
  }

  /** Takes an order or its result, and puts it where the panel's orders are. */
  command(command: Command): void {
    const parts = this.#parts.get(command.panel_id)
    if (!parts) return
    const others = parts.commands.filter((other) => other.id !== command.id)
    const known = parts.commands.find((other) => other.id === command.id)
    if (known && isFinished(known) && !isFinished(command)) return
    const commands = [command, ...others].sort((a, b) => Date.parse(b.requested_at) - Date.parse(a.requested_at))
    this.#parts.set(command.panel_id, { ...parts, commands })
    this.#batch.schedule()
  }

  recorded(panelId: number, events: readonly AlarmEvent[]): void {
    const known = this.events(panelId)
    const fresh = events.filter((event) => !known.some((other) => other.id === event.id))
    if (fresh.length === 0) return
    this.#events.set(panelId, [...fresh.reverse(), ...known].slice(0, keepEvents))
    this.#batch.schedule()
  }

  clear(): void {
    this.#panels.clear()
    this.#parts.clear()
    this.#events.clear()
    this.#batch.schedule()
  }

  flush(): void {
    this.#batch.flush()
  }
}

const none: readonly AlarmEvent[] = []

export function isFinished(command: Command): boolean {
  return command.state !== 'queued' && command.state !== 'executing'
}

function stamp(state: PanelState): number {
  return Math.max(Date.parse(state.answered_at ?? '') || 0, Date.parse(state.changed_at ?? '') || 0)
}

function newer(known: PanelState | null | undefined, state: PanelState | null): PanelState | null {
  if (!known) return state
  if (!state) return known
  return stamp(state) >= stamp(known) ? state : known
}
