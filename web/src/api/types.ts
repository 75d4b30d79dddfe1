// What the server says, named as in its JSON. Unknown members are ignored.

export type Role = 'admin' | 'supervisor' | 'operator'
export type AlarmState = 'new' | 'claimed' | 'acknowledged' | 'resolved' | 'closed'
export type Outcome = 'real' | 'false_user' | 'false_technical' | 'test' | 'unknown'
export type Step = 'claim' | 'release' | 'takeover' | 'ack' | 'resolve' | 'reopen' | 'close'
export type CommandKind = 'arm' | 'disarm' | 'clear_alarm'
export type CommandState = 'queued' | 'executing' | 'done' | 'refused' | 'expired' | 'unknown'
export type Link = 'none' | 'connecting' | 'up' | 'down'

export interface Me {
  id: number
  login: string
  name: string
  role: Role
}

export interface UserRef {
  id: number
  name: string
}

export interface SiteRef {
  id: number
  name: string
  address: string
  city: string
}

export interface StreamPosition {
  epoch: number
  position: number
}

export interface Alarm {
  id: number
  version: number
  site: SiteRef
  panel_id?: number
  kind: string
  priority: number
  state: AlarmState
  ring: number
  historic: boolean
  code?: number
  zone?: number
  zone_name?: string
  partition?: number
  partition_name?: string
  user_number?: number
  text_pl: string
  text_en: string
  event_count: number
  zones?: number[]
  first_at: string
  last_at: string
  opened_at: string
  confirmed_at?: string
  restored_at?: string
  owner?: UserRef
  claimed_at?: string
  paused_until?: string
  outcome?: Outcome
  outcome_text?: string
  previous_id?: number
  resolved_at?: string
  closed_at?: string
}

export interface AlarmEvent {
  id: string
  site_id: number
  panel_id?: number
  alarm_id?: number
  source: string
  kind: string
  priority: number
  code?: number
  restore?: boolean
  zone?: number
  zone_name?: string
  partition?: number
  user_number?: number
  user_name?: string
  text_pl: string
  text_en: string
  at: string
  panel_time?: string
  received_at: string
  historic?: boolean
  provisional?: boolean
  unclassified?: boolean
}

export interface Action {
  id: number
  at: string
  actor: UserRef | null
  act: string
  from_state: string
  to_state: string
  version: number
  text: string
}

export interface Site {
  id: number
  name: string
  address: string
  city: string
  district: string
  provider: string
  risk: 'low' | 'normal' | 'high'
  mode: 'normal' | 'test' | 'service'
  notes: string
  latitude?: number
  longitude?: number
  version: number
}

export interface PanelState {
  panel_id: number
  link: Link
  link_reason?: string
  answered_at?: string
  changed_at?: string
  model?: string
  version?: string
  clock_offset_ms: number
  service_mode: boolean
  zones_violated?: number[]
  zones_tampered?: number[]
  zones_alarm?: number[]
  zones_tamper_alarm?: number[]
  zones_alarm_memory?: number[]
  zones_bypassed?: number[]
  armed?: number[]
  armed_mode1?: number[]
  armed_mode2?: number[]
  armed_mode3?: number[]
  entry_time?: number[]
  exit_time?: number[]
  partitions_alarm?: number[]
  partitions_fire?: number[]
  alarm_memory?: number[]
  outputs_on?: number[]
  troubles?: string[]
}

export interface Panel {
  id: number
  site: SiteRef
  name: string
  host: string
  port: number
  enabled: boolean
  version: number
  state: PanelState | null
}

export interface PanelObject {
  kind: 'partition' | 'zone' | 'output' | 'user'
  number: number
  name: string
  function: number
  partition?: number
}

export interface Command {
  id: string
  panel_id: number
  site_id: number
  kind: CommandKind
  arm_mode: number
  partitions: number[]
  state: CommandState
  result?: string
  result_code?: number
  late?: boolean
  requested_by: UserRef
  requested_at: string
  deadline_at: string
  finished_at?: string
}

export interface AlarmList {
  alarms: Alarm[]
  next_cursor?: string
  stream: StreamPosition
}

export interface AlarmDetail {
  alarm: Alarm
  events: AlarmEvent[]
  actions: Action[]
  site: Site
  stream: StreamPosition
}

export interface PanelList {
  panels: Panel[]
  next_cursor?: string
  stream: StreamPosition
}

export interface PanelDetail {
  panel: Panel
  objects: PanelObject[]
  commands: Command[]
  stream: StreamPosition
}

export interface SessionAnswer {
  user: Me
  server?: { version: string; instance: string; time: string }
}

export interface CommandRequest {
  kind: CommandKind
  partitions: number[]
  arm_mode: number
  deadline_s: number
  alarm_id?: number
}

// Messages of the stream.

export interface LinkData {
  panel_id: number
  site_id: number
  link: Link
  reason?: string
  at: string
}

interface FrameOf<T extends string, D> {
  epoch: number
  position: number
  type: T
  at: string
  ring?: number
  data: D
}

export type Frame =
  | FrameOf<'alarm.new' | 'alarm.updated', { alarm: Alarm; events?: AlarmEvent[] }>
  | FrameOf<'event.recorded' | 'panel.armed' | 'panel.disarmed', { site_id: number; panel_id?: number; events: AlarmEvent[] }>
  | FrameOf<'command.result', { command: Command }>
  | FrameOf<'panel.link', LinkData>
  | FrameOf<'access.changed', unknown>

export interface Heartbeat extends StreamPosition {
  type: 'heartbeat'
  at: string
}

export interface Reset extends StreamPosition {
  type: 'reset'
}

export interface PanelStateMessage {
  type: 'panel.state'
  at: string
  data: PanelState
}

export type Message = Frame | Heartbeat | Reset | PanelStateMessage
