// What the server says, by the names that the client has for it. Unknown members are
// ignored.
import type { Schemas } from './schema'

export type Alarm = Schemas.Alarm
export type AlarmDetail = Schemas.AlarmDetailOutputBody
export type AlarmEvent = Schemas.Event
export type AlarmList = Schemas.AlarmsOutputBody
export type AlarmState = Alarm['state']
export type Action = Schemas.Action
export type Command = Schemas.Command
export type CommandKind = Command['kind']
export type CommandRequest = Schemas.CommandRequestInputBody
export type CommandState = Command['state']
export type Link = PanelState['link']
export type Me = Schemas.Me
export type Outcome = NonNullable<Alarm['outcome']>
export type Panel = Schemas.Panel
export type PanelDetail = Schemas.PanelDetailOutputBody
export type PanelList = Schemas.PanelsOutputBody
export type PanelObject = Schemas.Object
export type PanelState = Schemas.PanelState
export type Role = Me['role']
export type SessionAnswer = Schemas.SessionOutputBody
export type Site = Schemas.Site
export type SiteRef = Schemas.SiteRef
export type Step = 'claim' | 'release' | 'takeover' | 'ack' | 'resolve' | 'reopen' | 'close'
export type StreamPosition = Schemas.StreamPosition
export type UserRef = Schemas.UserRef

// Messages of the stream, which the description of the REST interface does not have.

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
