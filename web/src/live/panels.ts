// The panels and what they are seen to do right now. What comes is told once per frame,
// and only to those who look at the panel it is about.
import type { PanelInfo } from '../api/panels'
import type { AlarmEvent, Command, LinkData, PanelDetail, PanelObject, PanelState } from '../api/types'
import { Batch } from './batch'

const keepEvents = 20

export interface PanelParts {
  objects: readonly PanelObject[]
  commands: readonly Command[]
  /** Its module is spoken to under an integration key. */
  encrypted: boolean
}

export class PanelStore {
  #panels = new Map<number, PanelInfo>()
  #parts = new Map<number, PanelParts>()
  #events = new Map<number, readonly AlarmEvent[]>()
  #order: readonly number[] = []
  #list: readonly PanelInfo[] | undefined = []
  #listeners = new Set<() => void>()
  #watchers = new Map<number, Set<() => void>>()
  #changed = new Set<number>()
  #moved = false
  #batch = new Batch(() => this.#tell())

  /** The ids in the order of the names: the same array until a panel comes, goes or is renamed. */
  order = (): readonly number[] => this.#order

  list = (): readonly PanelInfo[] => (this.#list ??= this.#order.flatMap((id) => this.#panels.get(id) ?? []))
  get = (id: number): PanelInfo | undefined => this.#panels.get(id)
  parts = (id: number): PanelParts | undefined => this.#parts.get(id)
  /** Events without an alarm that came while this window was open, newest first. */
  events = (id: number): readonly AlarmEvent[] => this.#events.get(id) ?? none

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Tells when something of this panel changed. */
  watch(id: number, listener: () => void): () => void {
    const watchers = this.#watchers.get(id) ?? new Set()
    this.#watchers.set(id, watchers)
    watchers.add(listener)
    return () => {
      watchers.delete(listener)
      if (watchers.size === 0 && this.#watchers.get(id) === watchers) this.#watchers.delete(id)
    }
  }

  replace(panels: readonly PanelInfo[]): void {
    const known = this.#panels
    this.#panels = new Map()
    for (const panel of panels) {
      const partitions = panel.partitions ?? known.get(panel.id)?.partitions
      this.#panels.set(panel.id, { ...panel, ...(partitions !== undefined && { partitions }), state: newer(known.get(panel.id)?.state, panel.state) })
    }
    this.#moved = true
    this.#change(...this.#panels.keys(), ...known.keys())
  }

  put(answer: PanelDetail): void {
    const id = answer.panel.id
    const partitions = answer.objects.filter((object) => object.kind === 'partition').length
    this.#set({ ...answer.panel, ...(partitions > 0 && { partitions }), state: newer(this.#panels.get(id)?.state, answer.panel.state) })
    this.#parts.set(id, { objects: answer.objects, commands: answer.commands, encrypted: answer.panel.encrypted })
  }

  state(state: PanelState): void {
    const panel = this.#panels.get(state.panel_id)
    if (panel) this.#set({ ...panel, state: newer(panel.state, state) })
  }

  link(data: LinkData): void {
    const panel = this.#panels.get(data.panel_id)
    if (!panel) return
    const was = panel.state
    if (was && Date.parse(was.changed_at ?? '') > Date.parse(data.at)) return
    const base: PanelState = was ?? { panel_id: data.panel_id, link: 'none', clock_offset_ms: 0, service_mode: false }
    this.#set({ ...panel, state: { ...base, link: data.link, link_reason: data.reason ?? '', changed_at: data.at } })
  }

  /** Takes an order or its result, and puts it where the panel's orders are. */
  command(command: Command): void {
    const parts = this.#parts.get(command.panel_id)
    if (!parts) return
    const others = parts.commands.filter((other) => other.id !== command.id)
    const known = parts.commands.find((other) => other.id === command.id)
    if (known && isFinished(known) && !isFinished(command)) return
    this.#parts.set(command.panel_id, { ...parts, commands: newestFirst([command, ...others]) })
    this.#change(command.panel_id)
  }

  recorded(panelId: number, events: readonly AlarmEvent[]): void {
    const known = this.events(panelId)
    const fresh = events.filter((event) => !known.some((other) => other.id === event.id))
    if (fresh.length === 0) return
    this.#events.set(panelId, [...fresh.reverse(), ...known].slice(0, keepEvents))
    this.#change(panelId)
  }

  clear(): void {
    this.#moved = true
    this.#change(...this.#panels.keys())
    this.#panels.clear()
    this.#parts.clear()
    this.#events.clear()
  }

  flush(): void {
    this.#batch.flush()
  }

  #set(panel: PanelInfo): void {
    const was = this.#panels.get(panel.id)
    if (was?.site.name !== panel.site.name || was.name !== panel.name) this.#moved = true
    this.#panels.set(panel.id, panel)
    this.#change(panel.id)
  }

  #change(...ids: number[]): void {
    for (const id of ids) this.#changed.add(id)
    this.#batch.schedule()
  }

  #tell(): void {
    if (this.#moved) {
      this.#moved = false
      this.#order = [...this.#panels.values()].sort(byName).map((panel) => panel.id)
    }
    this.#list = undefined
    const changed = this.#changed
    this.#changed = new Set()
    for (const id of changed) for (const listener of [...(this.#watchers.get(id) ?? [])]) listener()
    for (const listener of [...this.#listeners]) listener()
  }
}

const none: readonly AlarmEvent[] = []
const { compare } = new Intl.Collator('pl', { numeric: true })

function byName(a: PanelInfo, b: PanelInfo): number {
  return compare(a.site.name, b.site.name) || compare(a.name, b.name) || a.id - b.id
}

export function isFinished(command: Command): boolean {
  return command.state !== 'queued' && command.state !== 'executing'
}

export function newestFirst(commands: readonly Command[]): Command[] {
  return [...commands].sort((a, b) => Date.parse(b.requested_at) - Date.parse(a.requested_at))
}

function stamp(state: PanelState): number {
  return Math.max(Date.parse(state.answered_at ?? '') || 0, Date.parse(state.changed_at ?? '') || 0)
}

function newer(known: PanelState | null | undefined, state: PanelState | null): PanelState | null {
  if (!known) return state
  if (!state) return known
  return stamp(state) >= stamp(known) ? state : known
}
