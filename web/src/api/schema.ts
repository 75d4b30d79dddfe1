// What the REST interface takes and gives, written by scripts/schema.mjs: make openapi.

export declare namespace Schemas {
  export interface Action {
    act: string
    actor: Schemas.UserRef | null
    at: string
    from_state: string
    id: number
    text: string
    to_state: string
    version: number
  }

  export interface Alarm {
    claimed_at?: string
    closed_at?: string
    code?: number
    confirmed_at?: string
    event_count: number
    first_at: string
    historic: boolean
    id: number
    kind: string
    last_at: string
    opened_at: string
    outcome?: 'real' | 'false_user' | 'false_technical' | 'test' | 'unknown'
    outcome_text?: string
    owner?: Schemas.UserRef
    panel_id?: number
    partition?: number
    partition_name?: string
    paused_until?: string
    previous_id?: number
    priority: number
    resolved_at?: string
    restored_at?: string
    ring: number
    site: Schemas.SiteRef
    state: 'new' | 'claimed' | 'acknowledged' | 'resolved' | 'closed'
    text_en: string
    text_pl: string
    user_number?: number
    version: number
    zone?: number
    zone_name?: string
    zones?: number[]
  }

  export interface AlarmDetailOutputBody {
    actions: Schemas.Action[]
    alarm: Schemas.Alarm
    /** Whom to call, in this order */
    contacts: Schemas.Contact[]
    /** The site's 10 before this one, from the newest */
    earlier: Schemas.Alarm[]
    /** The newest 200, in log order */
    events: Schemas.Event[]
    site: Schemas.Site
    stream: Schemas.StreamPosition
  }

  export interface AlarmOutputBody {
    alarm: Schemas.Alarm
  }

  export interface AlarmsOutputBody {
    alarms: Schemas.Alarm[]
    next_cursor?: string
    stream: Schemas.StreamPosition
  }

  export interface BatchInputBody {
    act: 'claim' | 'ack' | 'resolve' | 'close'
    alarms: Schemas.Seen[]
    /** Of a resolve */
    outcome?: 'real' | 'false_user' | 'false_technical' | 'test' | 'unknown'
    /** Of a resolve */
    text?: string
  }

  export interface BatchOutputBody {
    /** One for each, in the order of the request */
    results: Schemas.Result[]
  }

  export interface Cell {
    enabled: boolean
    id: number
    name: string
    /** How many it has; absent where their names were not read */
    partitions?: number
    site: Schemas.SiteRef
    state: Schemas.PanelState | null
  }

  export interface Change {
    at: string
    /** It may keep an alarm from being raised; the station tells of it */
    grave?: boolean
    id: number
    is?: string
    is_en?: string
    is_pl?: string
    kind: 'panel' | 'partition' | 'zone' | 'output' | 'user' | 'expander' | 'keypad'
    /** Of the object, when it changed */
    name?: string
    number?: number
    /** Of a function its number */
    was?: string
    was_en?: string
    was_pl?: string
    what: 'appeared' | 'vanished' | 'name' | 'function' | 'partition' | 'person' | 'model' | 'firmware' | 'module'
  }

  export interface CodeOwner {
    name: string
    number: number
  }

  export interface Command {
    arm_mode: number
    deadline_at: string
    /** Addresses from 0 */
    expanders: number[]
    finished_at?: string
    id: string
    /** What stood against arming when the panel refused */
    in_the_way: Schemas.Obstacle[]
    kind: 'arm' | 'force_arm' | 'disarm' | 'clear_alarm' | 'bypass' | 'unbypass' | 'isolate' | 'outputs_on' | 'outputs_off' | 'outputs_switch' | 'open_door' | 'clear_troubles' | 'set_clock'
    late?: boolean
    outputs: number[]
    panel_id: number
    partitions: number[]
    requested_at: string
    requested_by: Schemas.UserRef
    result?: string
    result_code?: number
    site_id: number
    state: 'queued' | 'executing' | 'done' | 'refused' | 'expired' | 'unknown'
    zones: number[]
  }

  export interface CommandOutputBody {
    command: Schemas.Command
  }

  export interface CommandRequestInputBody {
    /** The alarm that it belongs to */
    alarm_id?: number
    /** Only to arm: 0 full, 1 to 3 the panel's modes */
    arm_mode?: number
    /** Seconds until it must have been sent */
    deadline_s?: number
    /** Addresses of 0 to 63: to open doors */
    expanders?: number[]
    kind: 'arm' | 'force_arm' | 'disarm' | 'clear_alarm' | 'bypass' | 'unbypass' | 'isolate' | 'outputs_on' | 'outputs_off' | 'outputs_switch' | 'open_door' | 'clear_troubles' | 'set_clock'
    /** Numbers of 1 to 256: to switch outputs and open doors */
    outputs?: number[]
    /** Numbers of 1 to 32: to arm, disarm and clear alarms */
    partitions?: number[]
    /** Numbers of 1 to 256: to bypass, unbypass and isolate */
    zones?: number[]
  }

  export interface CommandsOutputBody {
    commands: Schemas.Command[]
    next_cursor?: string
  }

  export interface Contact {
    /** When somebody last made sure that it is still true */
    checked_at?: string
    id: number
    name: string
    notes: string
    phones: Schemas.MaskedPhone[]
    /** In which order to call, from 1 */
    position: number
    /** Owner, keyholder, neighbour */
    role: string
    site_id: number
    version: number
  }

  export interface ContactEditInputBody {
    /** Somebody has just made sure that it is still true */
    checked?: boolean
    name?: string
    notes?: string
    /** All of them, where given */
    phones?: Schemas.PhoneBody[]
    role?: string
  }

  export interface ContactOrderInputBody {
    /** Every contact of the site, each once */
    ids: number[]
  }

  export interface ContactOutputBody {
    contact: Schemas.Contact
  }

  export interface ContactsOutputBody {
    contacts: Schemas.Contact[]
  }

  export interface Credentials {
    login: string
    password: string
  }

  export interface Database {
    connections: number
    latency_ms: number
    state: 'ok' | 'late' | 'down'
    timeline: string
  }

  export interface Desk {
    alarm_id?: number
    can_sound: boolean
    id: string
    since: string
    user: Schemas.UserRef
    visible: boolean
  }

  export interface DesksOutputBody {
    desks: Schemas.Desk[]
  }

  export interface DismissInputBody {
    /** 1 to 500 characters */
    reason: string
  }

  export interface Event {
    alarm_id?: number
    at: string
    code?: number
    historic?: boolean
    id: string
    kind: string
    panel_id?: number
    panel_time?: string
    partition?: number
    priority: number
    provisional?: boolean
    received_at: string
    restore?: boolean
    site_id: number
    site_name?: string
    source: string
    text_en: string
    text_pl: string
    unclassified?: boolean
    user_name?: string
    user_number?: number
    zone?: number
    zone_name?: string
  }

  export interface EventsOutputBody {
    events: Schemas.Event[]
    next_cursor?: string
  }

  export interface FieldError {
    location: string
    message: string
  }

  export interface Findings {
    /** The panel's clock minus ours */
    clock_offset_s?: number
    /** Whether every name was read; the rest comes once the panel is connected */
    complete: boolean
    counts: Schemas.PartCounts
    firmware: string
    /** Empty where the type is not known */
    model: string
    /** Version of the network module, empty where it does not say */
    module: string
    objects: Schemas.Object[]
    /** Whose code it is, where the panel tells */
    user?: Schemas.CodeOwner
  }

  export interface Ingest {
    backfill_depth: number
    live_depth: number
    oldest_ms: number
    state: 'ok' | 'late' | 'down'
  }

  export interface Leases {
    /** False for some seconds after a move */
    grants: boolean
    /** When another store began to grant them */
    moved_at: string
    store: 'postgres' | 'redis'
  }

  export interface Letter {
    /** The alarm that said so */
    alarm_id?: number
    dismissed_by?: string
    /** Of stored and known: the event that it is */
    event_id?: string
    first_seen_at: string
    id: number
    /** The message's key, in hexadecimal */
    key: string
    lane: 'live' | 'backfill'
    last_seen_at: string
    /** Of dismissed: why */
    note?: string
    panel_id?: number
    panel_name?: string
    /** Why it could not be stored, the last time it was tried */
    reason: string
    replayed_at?: string
    replayed_by?: string
    /** How often somebody had it tried again */
    replays: number
    /** How often it could not be stored */
    seen: number
    settled_at?: string
    site_id?: number
    site_name?: string
    /** Bytes of what it holds */
    size: number
    state: 'open' | 'replaying' | 'stored' | 'known' | 'dismissed'
    topic: string
    trace?: string
  }

  export interface LetterOutputBody {
    dead_letter: Schemas.Letter
  }

  export interface LettersOutputBody {
    dead_letters: Schemas.Letter[]
    next_cursor?: string
  }

  export interface ListedSite {
    address: string
    city: string
    /** Number of the contract */
    contract?: string
    district: string
    id: number
    latitude?: number
    longitude?: number
    mode: 'normal' | 'test' | 'service'
    name: string
    notes: string
    open_alarms: number
    /** The station itself, which can't be edited or retired */
    own: boolean
    /** How many it has, without retired ones */
    panels: number
    provider: string
    /** No longer guarded since */
    retired_at?: string
    risk: 'low' | 'normal' | 'high'
    version: number
  }

  export interface MaskedPhone {
    id: number
    label: string
    /** Enough to tell numbers apart, not to call them */
    masked: string
  }

  export interface Me {
    id: number
    login: string
    name: string
    orders: string[]
    role: 'admin' | 'supervisor' | 'operator'
  }

  export interface NewContactInputBody {
    /** 1 to 200 characters */
    name: string
    notes: string
    phones: Schemas.PhoneBody[]
    role: string
  }

  export interface NewPanelInputBody {
    /** User code of 4 to 8 digits; it is never shown again */
    code: string
    /** A name or an IP address */
    host: string
    /** Integration key of the module, up to 12 characters, where it encrypts; it is never shown again */
    key?: string
    /** Seconds of silence that become an alarm */
    link_grace_s?: number
    /** Up to 200 characters */
    name: string
    port: number
    /** Look at it first, and add it only when that succeeds */
    probe?: boolean
  }

  export interface NewPanelOutputBody {
    panel: Schemas.Panel
    probe?: Schemas.Findings
  }

  export interface NewUserInputBody {
    /** 1 to 64 characters without spaces */
    login: string
    /** 1 to 200 characters */
    name: string
    /** 8 to 256 bytes */
    password: string
    role: 'admin' | 'supervisor' | 'operator'
  }

  export interface NoteInputBody {
    text: string
  }

  export interface Object {
    function: number
    kind: 'partition' | 'zone' | 'output' | 'user' | 'expander' | 'keypad'
    name: string
    number: number
    partition?: number
  }

  export interface Obstacle {
    /** What the zone is called, as far as known, or the trouble's word */
    name?: string
    what: 'violated' | 'tampered' | 'trouble'
    /** The zone; none for a trouble */
    zone?: number
  }

  export interface OpenAlarmInputBody {
    /** Who told it */
    caller?: string
    kind: 'panic' | 'duress' | 'fire' | 'medical' | 'gas' | 'burglary' | 'tamper' | 'technical' | 'temperature' | 'other'
    site_id: number
    /** What was told */
    text: string
  }

  export interface OpenAlarmOutputBody {
    alarm: Schemas.Alarm
    /** The alarm was there before */
    joined: boolean
  }

  export interface OwnPasswordInputBody {
    /** 8 to 256 bytes */
    new: string
    old: string
  }

  export interface Panel {
    enabled: boolean
    /** Whether dozor speaks to its module under an integration key */
    encrypted: boolean
    firmware?: string
    host: string
    id: number
    /** Seconds of silence that become an alarm */
    link_grace_s: number
    model?: string
    name: string
    port: number
    /** The panel whose place it took */
    replaces_id?: number
    retired_at?: string
    site: Schemas.SiteRef
    state: Schemas.PanelState | null
    version: number
  }

  export interface PanelAddress {
    /** User code of 4 to 8 digits; it is never shown again */
    code: string
    /** A name or an IP address */
    host: string
    /** Integration key of the module, up to 12 characters, where it encrypts; it is never shown again */
    key?: string
    port: number
  }

  export interface PanelChangesOutputBody {
    /** Newest first */
    changes: Schemas.Change[]
    next_cursor?: string
  }

  export interface PanelDetailOutputBody {
    /** The newest 20 */
    commands: Schemas.Command[]
    objects: Schemas.Object[]
    panel: Schemas.Panel
    stream: Schemas.StreamPosition
  }

  export interface PanelEditInputBody {
    code?: string
    enabled?: boolean
    host?: string
    /** An empty one removes it: the module does not encrypt any more */
    key?: string
    link_grace_s?: number
    name?: string
    port?: number
  }

  export interface PanelOutputBody {
    panel: Schemas.Panel
  }

  export interface PanelState {
    alarm_memory?: number[]
    answered_at?: string
    armed?: number[]
    armed_mode1?: number[]
    armed_mode2?: number[]
    armed_mode3?: number[]
    blocked?: number[]
    changed_at?: string
    clock_offset_ms: number
    doors_long?: number[]
    doors_open?: number[]
    entry_time?: number[]
    exit_time?: number[]
    fire_memory?: number[]
    first_code?: number[]
    holder?: string
    link: 'none' | 'connecting' | 'up' | 'down'
    link_reason?: string
    model?: string
    module?: string
    news?: 'pushed' | 'polled'
    outputs_on?: number[]
    panel_id: number
    partitions_alarm?: number[]
    partitions_fire?: number[]
    partitions_verified?: number[]
    partitions_warning?: number[]
    reach?: number
    service_mode: boolean
    trouble_memory?: string[]
    troubles?: string[]
    trying?: Schemas.Trying
    version?: string
    zones_alarm?: number[]
    zones_alarm_memory?: number[]
    zones_bypassed?: number[]
    zones_isolated?: number[]
    zones_long_violation?: number[]
    zones_masked?: number[]
    zones_masked_memory?: number[]
    zones_no_violation?: number[]
    zones_tamper_alarm?: number[]
    zones_tamper_memory?: number[]
    zones_tampered?: number[]
    zones_violated?: number[]
  }

  export interface Panels {
    disabled: number
    down: number
    total: number
    unheld: number
    up: number
  }

  export interface PanelsOutputBody {
    next_cursor?: string
    panels: Schemas.Panel[]
    stream: Schemas.StreamPosition
  }

  export interface Part {
    detail?: string
    /** 0 when it did not answer */
    latency_ms: number
    name: 'rabbitmq' | 'redis'
    /** How often it was put aside since the process began */
    opened: number
    /** A stable word: refused, timeout, password, memory and so on */
    reason?: string
    /** Of the breaker's last change */
    since: string
    state: 'ok' | 'down' | 'aside'
  }

  export interface PartCounts {
    outputs: number
    partitions: number
    /** Where the panel tells */
    users?: number
    zones: number
  }

  export interface PauseInputBody {
    minutes: number
    /** What is waited for */
    text: string
    /** The version that you saw */
    version: number
  }

  export interface Payload {
    /** json: indented, otherwise as received; hex: it is no JSON */
    encoding: 'json' | 'hex'
    text: string
  }

  export interface PayloadOutputBody {
    payload: Schemas.Payload
  }

  export interface PeopleOutputBody {
    people: Schemas.Person[]
  }

  export interface Person {
    id: number
    name: string
    role: 'admin' | 'supervisor' | 'operator'
  }

  export interface PhoneBody {
    label: string
    /** 3 to 15 digits, with a plus in front where it is international */
    number: string
  }

  export interface Problem {
    /** Stable, for programs */
    code: string
    /** A sentence for people, in English */
    detail: string
    /** What was wrong where, without the values */
    errors?: Schemas.FieldError[]
    status: number
    title: string
    /** about:blank: the code says it all */
    type: string
    [member: string]: unknown
  }

  export interface Process {
    /** It was heard of within eight seconds */
    alive: boolean
    host: string
    /** Unique among processes and their starts */
    instance: string
    name: string
    /** As this process sees them */
    parts: Schemas.Part[]
    pid: number
    roles: string[]
    seen_at: string
    started_at: string
    version: string
  }

  export interface Queue {
    backfill: number | null
    bus: 'postgres' | 'rabbitmq'
    /** Messages of the live lane that wait or are unsettled; null: no answer */
    live: number | null
  }

  export interface ReasonBody {
    reason: string
  }

  export interface Relay {
    oldest_ms: number
    state: 'ok' | 'late' | 'down'
    waiting: number
  }

  export interface ReplacePanelInputBody {
    /** User code of 4 to 8 digits; it is never shown again */
    code: string
    /** A name or an IP address */
    host: string
    /** Integration key of the module, up to 12 characters, where it encrypts; it is never shown again */
    key?: string
    /** That of the old one, where it is empty */
    name?: string
    port: number
    reason: string
  }

  export interface Replay {
    /** Are open again */
    failed: number
    id: string
    /** Were events before */
    known: number
    /** Became events */
    stored: number
    taken: number
    /** Not answered by ingest yet */
    waiting: number
  }

  export interface ReplayInputBody {
    /** Only those with that part in their reason */
    reason?: string
    /** Goes on with that replay, which takes each letter once */
    replay?: string
  }

  export interface ReplayOutputBody {
    /** Open ones of the same choice that it has not taken yet: ask again with its id */
    left: number
    replay: Schemas.Replay
  }

  export interface ResetPasswordInputBody {
    /** 8 to 256 bytes */
    password: string
  }

  export interface ResolveInputBody {
    outcome: 'real' | 'false_user' | 'false_technical' | 'test' | 'unknown'
    text: string
    /** The version that you saw */
    version: number
  }

  export interface Result {
    /** After the step; of a conflict: as it is now */
    alarm?: Schemas.Alarm
    /** Why it was not done: alarm_conflict, batch_priority, alarm_not_found, unavailable */
    code?: string
    id: number
  }

  export interface RevealInputBody {
    /** The alarm that the call is about */
    alarm_id?: number
    reason: 'call' | 'check' | 'edit'
  }

  export interface RevealOutputBody {
    phones: Schemas.WholePhone[]
  }

  export interface RunOutputBody {
    replay: Schemas.Replay
  }

  export interface Seen {
    id: number
    /** The version that you saw */
    version: number
  }

  export interface ServerInfo {
    instance: string
    time: string
    version: string
  }

  export interface Session {
    created_at: string
    /** The session that asks */
    current: boolean
    expires_at: string
    id: string
    last_seen_at: string
    user: Schemas.UserRef
    user_agent: string
  }

  export interface SessionOutputBody {
    server: Schemas.ServerInfo
    user: Schemas.Me
  }

  export interface SessionsOutputBody {
    next_cursor?: string
    sessions: Schemas.Session[]
  }

  export interface SignInOutputBody {
    user: Schemas.Me
  }

  export interface Site {
    address: string
    city: string
    /** Number of the contract */
    contract?: string
    district: string
    id: number
    latitude?: number
    longitude?: number
    mode: 'normal' | 'test' | 'service'
    name: string
    notes: string
    /** The station itself, which can't be edited or retired */
    own: boolean
    provider: string
    /** No longer guarded since */
    retired_at?: string
    risk: 'low' | 'normal' | 'high'
    version: number
  }

  export interface SiteBody {
    address: string
    city: string
    contract?: string
    /** Power and weather fail by district */
    district: string
    latitude?: number
    longitude?: number
    /** 1 to 200 characters */
    name: string
    notes: string
    /** Links fail by provider */
    provider: string
    risk: 'low' | 'normal' | 'high'
  }

  export interface SiteDetailOutputBody {
    /** In the order in which they are called */
    contacts: Schemas.Contact[]
    /** Without retired ones */
    panels: Schemas.Panel[]
    site: Schemas.Site
  }

  export interface SiteOutputBody {
    site: Schemas.Site
  }

  export interface SiteRef {
    address: string
    city: string
    id: number
    name: string
  }

  export interface SitesOutputBody {
    next_cursor?: string
    sites: Schemas.ListedSite[]
  }

  export interface SnapshotOutputBody {
    panels: Schemas.Cell[]
    stream: Schemas.StreamPosition
  }

  export interface StationFault {
    code: string
    detail?: string
    since: string
  }

  export interface Status {
    database: Schemas.Database
    /** Messages that were set aside and wait for a person */
    dead_letters: number | null
    desks: Schemas.Desk[] | null
    faults: Schemas.StationFault[]
    ingest: Schemas.Ingest
    /** Who answers */
    instance: string
    leases: Schemas.Leases
    panels: Schemas.Panels | null
    /** Those of the station, each with its view of the parts that it could do without */
    processes: Schemas.Process[] | null
    /** What waits where, as this instance sees it */
    queues: Schemas.Queue[] | null
    relay: Schemas.Relay
    started_at: string
    stream: Schemas.StreamStatus | null
    time: string
    /** Parts that did not answer in time */
    unanswered: string[]
    version: string
    workers: Schemas.Worker[] | null
  }

  export interface StepInputBody {
    /** The version that you saw */
    version: number
  }

  export interface StreamPosition {
    epoch: number
    position: number
  }

  export interface StreamStatus {
    /** Of this instance */
    clients: number
    epoch: number
    /** How old the oldest frame is that this instance does not have */
    lag_ms: number
    /** The highest position given out */
    last: number
    published: number
  }

  export interface TicketOutputBody {
    /** Seconds */
    expires_in: number
    ticket: string
  }

  export interface TokenOutputBody {
    access_token: string
    /** Seconds */
    expires_in: number
    token_type: 'Bearer'
  }

  export interface Trying {
    failures: number
    next_at: string
    quarantine: boolean
    since: string
  }

  export interface User {
    created_at: string
    disabled_at?: string
    id: number
    /** Within a minute */
    last_seen_at?: string
    login: string
    name: string
    role: 'admin' | 'supervisor' | 'operator'
    version: number
  }

  export interface UserEditInputBody {
    /** 1 to 200 characters */
    name?: string
    role?: 'admin' | 'supervisor' | 'operator'
  }

  export interface UserOutputBody {
    user: Schemas.User
  }

  export interface UserRef {
    id: number
    name: string
  }

  export interface UsersOutputBody {
    next_cursor?: string
    users: Schemas.User[]
  }

  export interface WholePhone {
    label: string
    number: string
  }

  export interface Worker {
    instance: string
    panels: number
    renewed_at: string
  }
}

export interface Operations {
  /** Alarms: what is not closed by priority, confirmed first, then age; others from the newest */
  'GET /api/alarms': {
    ask: {
      query?: {
        /** How many at most */
        limit?: number
        /** next_cursor of the page before */
        cursor?: string
        /** Of 1 to 5, divided by commas */
        priority?: number[]
        /** Not before this instant */
        from?: string
        /** Before this instant */
        to?: string
        /** open is everything that is not closed */
        state?: 'open' | 'closed' | 'all' | 'new' | 'claimed' | 'acknowledged' | 'resolved'
        kind?: string
        /** Only of that site */
        site?: number
        /** me, none, or the number of a user */
        owner?: string
        /** A part of a site's name or address, of a zone's name, or an alarm's number */
        q?: string
      }
    }
    answer: Schemas.AlarmsOutputBody
  }
  /** Open an alarm by hand, or join the one that stands */
  'POST /api/alarms': {
    ask: {
      idempotency?: string
      body: Schemas.OpenAlarmInputBody
    }
    answer: Schemas.OpenAlarmOutputBody
  }
  /** One step for many alarms of P4 and P5, each by its own version */
  'POST /api/alarms/batch': {
    ask: {
      idempotency?: string
      body: Schemas.BatchInputBody
    }
    answer: Schemas.BatchOutputBody
  }
  /** An alarm with its events and history */
  'GET /api/alarms/{id}': {
    ask: {
      id: number
    }
    answer: Schemas.AlarmDetailOutputBody
  }
  /** Acknowledge: the work has begun */
  'POST /api/alarms/{id}/ack': {
    ask: {
      idempotency?: string
      id: number
      body: Schemas.StepInputBody
    }
    answer: Schemas.AlarmOutputBody
  }
  /** Take a new alarm */
  'POST /api/alarms/{id}/claim': {
    ask: {
      idempotency?: string
      id: number
      body: Schemas.StepInputBody
    }
    answer: Schemas.AlarmOutputBody
  }
  /** Close a resolved alarm for good */
  'POST /api/alarms/{id}/close': {
    ask: {
      idempotency?: string
      id: number
      body: Schemas.StepInputBody
    }
    answer: Schemas.AlarmOutputBody
  }
  /** Write something down, in any state */
  'POST /api/alarms/{id}/notes': {
    ask: {
      idempotency?: string
      id: number
      body: Schemas.NoteInputBody
    }
    answer: Schemas.AlarmOutputBody
  }
  /** Let one's own alarm rest; it rings when the time is over, or something rings in it */
  'POST /api/alarms/{id}/pause': {
    ask: {
      idempotency?: string
      id: number
      body: Schemas.PauseInputBody
    }
    answer: Schemas.AlarmOutputBody
  }
  /** Put an alarm back into the queue */
  'POST /api/alarms/{id}/release': {
    ask: {
      idempotency?: string
      id: number
      body: Schemas.StepInputBody
    }
    answer: Schemas.AlarmOutputBody
  }
  /** Go on with a resolved alarm */
  'POST /api/alarms/{id}/reopen': {
    ask: {
      idempotency?: string
      id: number
      body: Schemas.StepInputBody
    }
    answer: Schemas.AlarmOutputBody
  }
  /** Say how it ended */
  'POST /api/alarms/{id}/resolve': {
    ask: {
      idempotency?: string
      id: number
      body: Schemas.ResolveInputBody
    }
    answer: Schemas.AlarmOutputBody
  }
  /** End a pause now */
  'POST /api/alarms/{id}/resume': {
    ask: {
      idempotency?: string
      id: number
      body: Schemas.StepInputBody
    }
    answer: Schemas.AlarmOutputBody
  }
  /** Take an alarm from whoever has it */
  'POST /api/alarms/{id}/takeover': {
    ask: {
      idempotency?: string
      id: number
      body: Schemas.StepInputBody
    }
    answer: Schemas.AlarmOutputBody
  }
  /** Commands from the newest */
  'GET /api/commands': {
    ask: {
      query?: {
        /** How many at most */
        limit?: number
        /** next_cursor of the page before */
        cursor?: string
        /** Only to that panel */
        panel?: number
        /** Only to panels of that site */
        site?: number
        /** Only those that this user asked for */
        user?: number
        state?: 'queued' | 'executing' | 'done' | 'refused' | 'expired' | 'unknown'
      }
    }
    answer: Schemas.CommandsOutputBody
  }
  /** A command and its result */
  'GET /api/commands/{id}': {
    ask: {
      id: string
    }
    answer: Schemas.CommandOutputBody
  }
  /** Remove a contact, numbers and all */
  'DELETE /api/contacts/{id}': {
    ask: {
      id: number
      ifMatch?: number
    }
    answer: undefined
  }
  /** Change a contact */
  'PATCH /api/contacts/{id}': {
    ask: {
      id: number
      ifMatch?: number
      body: Schemas.ContactEditInputBody
    }
    answer: Schemas.ContactOutputBody
  }
  /** See the whole numbers of a contact; it is recorded who did and why */
  'POST /api/contacts/{id}/reveal': {
    ask: {
      id: number
      body: Schemas.RevealInputBody
    }
    answer: Schemas.RevealOutputBody
  }
  /** Messages that were set aside, from the newest */
  'GET /api/dead-letters': {
    ask: {
      query?: {
        /** How many at most */
        limit?: number
        /** next_cursor of the page before */
        cursor?: string
        /** open: waits for somebody; replayed: is an event now, or was one */
        state?: 'open' | 'replayed' | 'dismissed' | 'all'
        /** A part of the reason */
        reason?: string
      }
    }
    answer: Schemas.LettersOutputBody
  }
  /** Have up to 500 open ones tried again, the oldest first */
  'POST /api/dead-letters/replay': {
    ask: {
      idempotency?: string
      body: Schemas.ReplayInputBody
    }
    answer: Schemas.ReplayOutputBody
  }
  /** What became of the letters of a replay */
  'GET /api/dead-letters/replays/{id}': {
    ask: {
      id: string
    }
    answer: Schemas.RunOutputBody
  }
  /** A message that was set aside, without what it holds */
  'GET /api/dead-letters/{id}': {
    ask: {
      id: number
    }
    answer: Schemas.LetterOutputBody
  }
  /** Settle what nobody will ever read */
  'POST /api/dead-letters/{id}/dismiss': {
    ask: {
      idempotency?: string
      id: number
      body: Schemas.DismissInputBody
    }
    answer: Schemas.LetterOutputBody
  }
  /** Have it tried again; its state says what became of it */
  'POST /api/dead-letters/{id}/replay': {
    ask: {
      idempotency?: string
      id: number
    }
    answer: Schemas.LetterOutputBody
  }
  /** What it holds; who reads it is written down */
  'POST /api/dead-letters/{id}/reveal': {
    ask: {
      id: number
    }
    answer: Schemas.PayloadOutputBody
  }
  /** Who sits where, and whether they can hear */
  'GET /api/desks': {
    ask: object
    answer: Schemas.DesksOutputBody
  }
  /** Events from the newest */
  'GET /api/events': {
    ask: {
      query?: {
        /** How many at most */
        limit?: number
        /** next_cursor of the page before */
        cursor?: string
        /** Of 1 to 5, divided by commas */
        priority?: number[]
        /** Not before this instant */
        from?: string
        /** Before this instant */
        to?: string
        /** Only of that site */
        site?: number
        /** Only of that panel */
        panel?: number
        /** Only of that alarm */
        alarm?: number
        kind?: string
        source?: 'panel' | 'station' | 'sms' | 'hand'
      }
    }
    answer: Schemas.EventsOutputBody
  }
  /** Panels with their live state, without retired ones */
  'GET /api/panels': {
    ask: {
      query?: {
        /** How many at most */
        limit?: number
        /** next_cursor of the page before */
        cursor?: string
      }
    }
    answer: Schemas.PanelsOutputBody
  }
  /** Look at a panel before it is added */
  'POST /api/panels/probe': {
    ask: {
      body: Schemas.PanelAddress
    }
    answer: Schemas.Findings
  }
  /** All panels at once with their live state */
  'GET /api/panels/snapshot': {
    ask: object
    answer: Schemas.SnapshotOutputBody
  }
  /** A panel with its parts and last commands */
  'GET /api/panels/{id}': {
    ask: {
      id: number
    }
    answer: Schemas.PanelDetailOutputBody
  }
  /** Change a panel; a new address, code or key is followed within seconds */
  'PATCH /api/panels/{id}': {
    ask: {
      id: number
      ifMatch?: number
      body: Schemas.PanelEditInputBody
    }
    answer: Schemas.PanelOutputBody
  }
  /** What changed on a panel while it was watched */
  'GET /api/panels/{id}/changes': {
    ask: {
      id: number
      query?: {
        /** How many at most */
        limit?: number
        /** next_cursor of the page before */
        cursor?: string
      }
    }
    answer: Schemas.PanelChangesOutputBody
  }
  /** Order a panel; the result comes in the stream */
  'POST /api/panels/{id}/commands': {
    ask: {
      idempotency?: string
      id: number
      body: Schemas.CommandRequestInputBody
    }
    answer: Schemas.CommandOutputBody
  }
  /** Retire a panel and put another in its place */
  'POST /api/panels/{id}/replace': {
    ask: {
      idempotency?: string
      id: number
      body: Schemas.ReplacePanelInputBody
    }
    answer: Schemas.PanelOutputBody
  }
  /** End the watching of a panel for good */
  'POST /api/panels/{id}/retire': {
    ask: {
      idempotency?: string
      id: number
      body: Schemas.ReasonBody
    }
    answer: Schemas.PanelOutputBody
  }
  /** What is true of a panel right now */
  'GET /api/panels/{id}/state': {
    ask: {
      id: number
    }
    answer: Schemas.PanelState
  }
  /** Who works here: active users by name */
  'GET /api/people': {
    ask: object
    answer: Schemas.PeopleOutputBody
  }
  /** Sign out: the session ends, and alarms that you have go back into the queue */
  'DELETE /api/session': {
    ask: object
    answer: undefined
  }
  /** Who is signed in, and where */
  'GET /api/session': {
    ask: object
    answer: Schemas.SessionOutputBody
  }
  /** Sign in with a browser */
  'POST /api/session': {
    ask: {
      body: Schemas.Credentials
    }
    answer: Schemas.SignInOutputBody
  }
  /** Change one's own password; one's other sessions end */
  'PUT /api/session/password': {
    ask: {
      body: Schemas.OwnPasswordInputBody
    }
    answer: undefined
  }
  /** Sessions that have not ended, from the newest: one's own, or a user's for who manages users */
  'GET /api/sessions': {
    ask: {
      query?: {
        /** How many at most */
        limit?: number
        /** next_cursor of the page before */
        cursor?: string
        /** me or a user's number */
        user?: string
      }
    }
    answer: Schemas.SessionsOutputBody
  }
  /** End a session, with its connections, at once */
  'DELETE /api/sessions/{id}': {
    ask: {
      id: string
    }
    answer: undefined
  }
  /** Sites by name */
  'GET /api/sites': {
    ask: {
      query?: {
        /** How many at most */
        limit?: number
        /** next_cursor of the page before */
        cursor?: string
        /** Words of the name, address, city, district, provider or contract */
        q?: string
        city?: string
        district?: string
        risk?: 'low' | 'normal' | 'high'
        /** Those that are no longer guarded, instead */
        retired?: boolean
        /** With the station itself */
        own?: boolean
      }
    }
    answer: Schemas.SitesOutputBody
  }
  /** Add a site */
  'POST /api/sites': {
    ask: {
      idempotency?: string
      body: Schemas.SiteBody
    }
    answer: Schemas.SiteOutputBody
  }
  /** A site with its panels and contacts */
  'GET /api/sites/{id}': {
    ask: {
      id: number
    }
    answer: Schemas.SiteDetailOutputBody
  }
  /** Write a site anew */
  'PUT /api/sites/{id}': {
    ask: {
      id: number
      ifMatch?: number
      body: Schemas.SiteBody
    }
    answer: Schemas.SiteOutputBody
  }
  /** Add somebody to call, as the last */
  'POST /api/sites/{id}/contacts': {
    ask: {
      idempotency?: string
      id: number
      body: Schemas.NewContactInputBody
    }
    answer: Schemas.ContactOutputBody
  }
  /** Say in which order contacts are called */
  'PUT /api/sites/{id}/contacts/order': {
    ask: {
      id: number
      body: Schemas.ContactOrderInputBody
    }
    answer: Schemas.ContactsOutputBody
  }
  /** Add a panel to a site */
  'POST /api/sites/{id}/panels': {
    ask: {
      idempotency?: string
      id: number
      body: Schemas.NewPanelInputBody
    }
    answer: Schemas.NewPanelOutputBody
  }
  /** End the guarding of a site that has no panels any more */
  'POST /api/sites/{id}/retire': {
    ask: {
      idempotency?: string
      id: number
      body: Schemas.ReasonBody
    }
    answer: Schemas.SiteOutputBody
  }
  /** How the station itself is */
  'GET /api/status': {
    ask: object
    answer: Schemas.Status
  }
  /** Sign in without a browser */
  'POST /api/tokens': {
    ask: {
      body: Schemas.Credentials
    }
    answer: Schemas.TokenOutputBody
  }
  /** Users by login */
  'GET /api/users': {
    ask: {
      query?: {
        /** How many at most */
        limit?: number
        /** next_cursor of the page before */
        cursor?: string
        state?: 'active' | 'disabled' | 'all'
        /** A part of the login or the name */
        q?: string
      }
    }
    answer: Schemas.UsersOutputBody
  }
  /** Add a user */
  'POST /api/users': {
    ask: {
      idempotency?: string
      body: Schemas.NewUserInputBody
    }
    answer: Schemas.UserOutputBody
  }
  /** A user, with the version for edits */
  'GET /api/users/{id}': {
    ask: {
      id: number
    }
    answer: Schemas.UserOutputBody
  }
  /** Change a user's name or role; another role ends their sessions */
  'PATCH /api/users/{id}': {
    ask: {
      id: number
      ifMatch?: number
      body: Schemas.UserEditInputBody
    }
    answer: Schemas.UserOutputBody
  }
  /** Keep a user out: their sessions end, their alarms go back into the queue */
  'POST /api/users/{id}/disable': {
    ask: {
      idempotency?: string
      id: number
      ifMatch?: number
    }
    answer: Schemas.UserOutputBody
  }
  /** Let a disabled user in again */
  'POST /api/users/{id}/enable': {
    ask: {
      idempotency?: string
      id: number
      ifMatch?: number
    }
    answer: Schemas.UserOutputBody
  }
  /** Give another user a new password; their sessions end */
  'POST /api/users/{id}/password': {
    ask: {
      idempotency?: string
      id: number
      body: Schemas.ResetPasswordInputBody
    }
    answer: undefined
  }
  /** A ticket for the stream at /api/ws: single use */
  'POST /api/ws/ticket': {
    ask: object
    answer: Schemas.TicketOutputBody
  }
}
