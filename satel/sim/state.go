package sim

import (
	"sort"

	"dozor/satel"
)

// State is what a panel shows at one moment.
type State struct {
	Model      string           `json:"model"`
	Name       string           `json:"name"`
	Link       string           `json:"link"`
	Connected  bool             `json:"connected"`
	Encrypted  bool             `json:"encrypted"`
	Clients    string           `json:"clients"`
	LogMode    string           `json:"log_mode"`
	LogHeld    int              `json:"log_held"`
	LogSize    int              `json:"log_size"`
	Waiting    int              `json:"waiting"`           // records that have not reached the memory yet
	Journal    string           `json:"journal,omitempty"` // why the memory will not outlive the process although it should
	Partitions []PartitionState `json:"partitions"`
	Zones      []ZoneState      `json:"zones"`
	OutputsOn  []int            `json:"outputs_on"`
	Troubles   []string         `json:"troubles"`
}

// PartitionState is what a panel shows of a partition.
type PartitionState struct {
	Number      int    `json:"number"`
	Name        string `json:"name"`
	Phase       string `json:"phase"` // disarmed, exit, armed
	Mode        int    `json:"mode"`  // of the present or last arming
	EntryTime   bool   `json:"entry_time"`
	Alarm       bool   `json:"alarm"`
	FireAlarm   bool   `json:"fire_alarm"`
	AlarmMemory bool   `json:"alarm_memory"`
}

// ZoneState is what a panel shows of a zone.
type ZoneState struct {
	Number      int    `json:"number"`
	Name        string `json:"name"`
	Partition   int    `json:"partition"`
	Reaction    int    `json:"reaction"`
	Violated    bool   `json:"violated"`
	Tampered    bool   `json:"tampered"`
	Alarm       bool   `json:"alarm"`
	AlarmMemory bool   `json:"alarm_memory"`
	Bypassed    bool   `json:"bypassed"`
}

// State returns what the panel shows now.
func (p *Panel) State() State {
	p.enter()
	defer p.unlock()
	s := State{
		Model: p.model.Name, Name: p.cfg.Site.Name, LogMode: p.logMode.String(),
		LogHeld: len(p.memory.journal) - p.memory.oldest(), LogSize: p.memory.capacity, Waiting: len(p.waiting),
		Partitions: []PartitionState{}, Zones: []ZoneState{}, Troubles: []string{},
		OutputsOn: p.board.bits[satel.CmdOutputs].Numbers(),
	}
	p.link.mu.Lock()
	s.Link, s.Connected = p.link.present().String(), len(p.link.holders) > 0
	s.Encrypted, s.Clients = p.link.cipher != nil, p.link.clients.String()
	p.link.mu.Unlock()
	if file := p.memory.file; file != nil && file.err != nil {
		s.Journal = file.err.Error()
	}
	for _, part := range p.order {
		n := part.Number
		s.Partitions = append(s.Partitions, PartitionState{
			Number: n, Name: part.Name, Phase: part.phase.String(), Mode: part.mode, EntryTime: part.entry != nil,
			Alarm:       p.board.has(satel.CmdPartitionsAlarm, n),
			FireAlarm:   p.board.has(satel.CmdPartitionsFireAlarm, n),
			AlarmMemory: p.board.has(satel.CmdPartitionsAlarmMemory, n),
		})
	}
	for n := range p.model.Zones {
		if z := p.zones[n+1]; z != nil {
			s.Zones = append(s.Zones, p.zoneState(z))
		}
	}
	for name := range p.troubles {
		s.Troubles = append(s.Troubles, name)
	}
	sort.Strings(s.Troubles)
	return s
}

func (p *Panel) zoneState(z *zoneState) ZoneState {
	n := z.Number
	return ZoneState{
		Number: n, Name: z.Name, Partition: z.Partition, Reaction: int(z.Reaction), Bypassed: p.bypassed(z),
		Violated:    p.board.has(satel.CmdZonesViolated, n),
		Tampered:    p.board.has(satel.CmdZonesTampered, n),
		Alarm:       p.board.has(satel.CmdZonesAlarm, n),
		AlarmMemory: p.board.has(satel.CmdZonesAlarmMemory, n),
	}
}
