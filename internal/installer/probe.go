package installer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"dozor/internal/secret"
	"dozor/satel"
	"dozor/satel/client"
)

// Report is what a panel says of itself and of its state.
type Report struct {
	Address      string      `json:"address"`
	Encrypted    bool        `json:"encrypted"`
	Type         int         `json:"type"`
	Model        string      `json:"model,omitempty"` // empty where the type is not known
	Firmware     string      `json:"firmware"`
	FirmwareDate string      `json:"firmware_date"`
	Language     string      `json:"language"`
	Module       *Module     `json:"module,omitempty"` // modules before November 2013 say nothing
	Clock        string      `json:"clock"`
	ClockOffsetS int         `json:"clock_offset_s"` // the panel's clock minus ours
	ServiceMode  bool        `json:"service_mode"`
	User         *User       `json:"user,omitempty"`
	Users        []Part      `json:"users,omitempty"` // where a code was given whose user may know them
	Partitions   []Partition `json:"partitions"`
	Zones        []Part      `json:"zones"`
	Outputs      []Part      `json:"outputs"`
	Modules      []Part      `json:"modules"`
	Troubles     []Trouble   `json:"troubles"`
}

// Module is the network module.
type Module struct {
	Firmware     string   `json:"firmware"`
	Date         string   `json:"date"`
	Capabilities []string `json:"capabilities"`
}

// User is whose code was given.
type User struct {
	Number     int      `json:"number"`
	Name       string   `json:"name"`
	Kind       string   `json:"kind"`
	Rights     []string `json:"rights"`
	Partitions []int    `json:"partitions"`
}

// Part is a zone, output or module of the panel. Zones and outputs count from 1, expanders and keypads are addresses.
type Part struct {
	Kind      string   `json:"kind"`
	Number    int      `json:"number"`
	Name      string   `json:"name"`
	Type      string   `json:"type,omitempty"` // reaction, function or what the module is
	Partition int      `json:"partition,omitempty"`
	State     []string `json:"state,omitempty"`

	typeCode byte
}

// Partition is one with what it does.
type Partition struct {
	Part
	Armed bool `json:"armed"`
	Mode  *int `json:"mode,omitempty"`
}

// Trouble is one with its device.
type Trouble struct {
	Fault  string `json:"fault"`
	Device string `json:"device"`
	Number int    `json:"number"`
	Name   string `json:"name,omitempty"`
	Memory bool   `json:"memory,omitempty"` // over, but not yet cleared from memory
}

// Probe reads what the panel is, has and does; with a code also whose it is. It takes a fraction of a second for each
// name.
func (p *Panel) Probe(ctx context.Context, code secret.Redacted) (Report, error) {
	r := p.report()
	for _, step := range []func(context.Context, *Report) error{
		func(ctx context.Context, r *Report) error { return p.self(ctx, code, r) },
		p.names, p.state, p.troubles,
	} {
		if err := step(ctx, &r); err != nil {
			return Report{}, p.explain(err)
		}
	}
	return r, nil
}

func (p *Panel) report() Report {
	r := Report{
		Address: p.target.Address, Encrypted: p.target.Encrypted, Type: int(p.version.Type), Model: p.model.Name,
		Firmware: p.version.Firmware.Version, FirmwareDate: p.version.Firmware.Date, Language: p.version.Language.String(),
		Clock: p.clock.Time(time.UTC).Format(time.DateTime), ClockOffsetS: int(math.Round(p.offset.Seconds())),
		ServiceMode: p.clock.ServiceMode,
		Partitions:  []Partition{}, Zones: []Part{}, Outputs: []Part{}, Modules: []Part{}, Troubles: []Trouble{},
	}
	if p.module != nil {
		r.Module = &Module{Firmware: p.module.Firmware.Version, Date: p.module.Firmware.Date, Capabilities: []string{}}
		for _, c := range []struct {
			has  bool
			name string
		}{
			{p.module.Wide, "lists of 256"},
			{p.module.Troubles8, "GSM troubles"},
			{p.module.ArmNoBypass, "arming without bypass"},
		} {
			if c.has {
				r.Module.Capabilities = append(r.Module.Capabilities, c.name)
			}
		}
	}
	return r
}

// self asks whose code it is, and only if the panel knows it, who else there is.
func (p *Panel) self(ctx context.Context, digits secret.Redacted, r *Report) error {
	if digits == "" {
		return nil
	}
	code, err := satel.EncodeUserCode(digits.Reveal(), "", satel.UserCodeSize)
	if err != nil {
		return err
	}
	defer clear(code)
	self, err := p.conn.Self(ctx, code)
	if err != nil {
		return err
	}
	r.User = &User{
		Number: self.Number, Name: self.Name, Kind: self.Kind.String(), Rights: []string{},
		Partitions: self.Partitions.Numbers(),
	}
	for _, right := range self.Rights.List() {
		r.User.Rights = append(r.User.Rights, right.String())
	}
	users, err := p.conn.Users(ctx, code, self.Number)
	if _, refused := errors.AsType[*client.Refusal](err); refused || err != nil && open(ctx, err) {
		return nil // not everybody may know
	}
	if err != nil {
		return err
	}
	for _, number := range users.Existing.Numbers() {
		user, err := p.parts(ctx, satel.NameUser, "", "user", number, 1, number)
		if err != nil {
			return err
		}
		r.Users = append(r.Users, user...)
	}
	return nil
}

// Numbers by which names of modules are asked for.
const (
	firstExpander = 129
	firstKeypad   = 193
)

func (p *Panel) names(ctx context.Context, r *Report) error {
	partitions, err := p.parts(ctx, satel.NamePartition, satel.TypePartition, "partition", 1, p.model.Partitions, 1)
	if err != nil {
		return err
	}
	for _, part := range partitions {
		r.Partitions = append(r.Partitions, Partition{Part: part})
	}
	if r.Zones, err = p.parts(ctx, satel.NameZoneAndPartition, satel.TypeZoneReaction, "zone", 1, p.model.Zones, 1); err != nil {
		return err
	}
	if r.Outputs, err = p.parts(ctx, satel.NameOutput, satel.TypeOutput, "output", 1, p.model.Outputs, 1); err != nil {
		return err
	}
	expanders, err := p.parts(ctx, satel.NameDevice, satel.TypeExpander, "expander", firstExpander, p.model.Expanders, 0)
	if err != nil {
		return err
	}
	keypads, err := p.parts(ctx, satel.NameDevice, satel.TypeKeypad, "keypad", firstKeypad, p.model.Keypads, 0)
	if err != nil {
		return err
	}
	r.Modules = append(append(r.Modules, expanders...), keypads...)
	return nil
}

// parts reads the names of count objects from the number first on; base is the number that an operator gives the first.
func (p *Panel) parts(ctx context.Context, t satel.ObjectType, types satel.TypeKind, kind string, first, count, base int) ([]Part, error) {
	out := []Part{}
	for i := range count {
		name, there, err := p.conn.Name(ctx, t, first+i)
		switch {
		case err != nil && !open(ctx, err):
			return nil, err
		case err != nil || !there, t == satel.NameOutput && name.Function == 0:
			continue // lost, missing, or an output without a use
		}
		part := Part{Kind: kind, Number: base + i, Name: name.Text, typeCode: name.Function}
		if info, ok := satel.LookupType(types, name.Function); ok {
			part.Type = info.NameEN
		}
		if t == satel.NameZoneAndPartition && len(name.Extra) > 0 {
			part.Partition = int(name.Extra[0])
		}
		out = append(out, part)
	}
	return out, nil
}

// lists are the states that a probe shows and a watch follows, with the word for each.
var lists = []struct {
	cmd  satel.Command
	word string
}{
	{satel.CmdZonesViolated, "violated"},
	{satel.CmdZonesTampered, "tampered"},
	{satel.CmdZonesAlarm, "in alarm"},
	{satel.CmdZonesTamperAlarm, "in tamper alarm"},
	{satel.CmdZonesAlarmMemory, "alarm memory"},
	{satel.CmdZonesBypassed, "bypassed"},
	{satel.CmdZonesIsolated, "isolated"},
	{satel.CmdZonesNoViolation, "never violated"},
	{satel.CmdZonesLongViolation, "violated too long"},
	{satel.CmdArmed, "armed"},
	{satel.CmdArmedMode1, "mode 1"},
	{satel.CmdArmedMode2, "mode 2"},
	{satel.CmdArmedMode3, "mode 3"},
	{satel.CmdEntryTime, "entry time"},
	{satel.CmdExitTimeLong, "exit time"},
	{satel.CmdExitTimeShort, "exit time, last 10 s"},
	{satel.CmdPartitionsAlarm, "alarm"},
	{satel.CmdPartitionsFireAlarm, "fire alarm"},
	{satel.CmdPartitionsAlarmMemory, "alarm memory"},
	{satel.CmdOutputs, "on"},
	{satel.CmdDoorsOpen, "door open"},
	{satel.CmdDoorsLong, "door open too long"},
}

func (p *Panel) state(ctx context.Context, r *Report) error {
	for _, l := range lists {
		bits, err := p.conn.List(ctx, l.cmd, p.wide())
		if err != nil {
			if open(ctx, err) {
				continue
			}
			return err
		}
		switch l.cmd.List() {
		case satel.ListZones:
			mark(r.Zones, bits, l.word)
		case satel.ListOutputs:
			mark(r.Outputs, bits, l.word)
		case satel.ListPartitions:
			for i := range r.Partitions {
				if part := &r.Partitions[i]; bits.Has(part.Number) {
					part.note(l.cmd, l.word)
				}
			}
		}
	}
	return nil
}

func mark(parts []Part, bits satel.Bits, word string) {
	for i := range parts {
		if bits.Has(parts[i].Number) {
			parts[i].State = append(parts[i].State, word)
		}
	}
}

// note takes in that the partition is in a list. The list of the armed ones comes first and is the truth; those of the
// modes only say which.
func (p *Partition) note(cmd satel.Command, word string) {
	mode := -1
	switch cmd {
	case satel.CmdArmed:
		p.Armed, mode = true, 0
	case satel.CmdArmedMode1:
		mode = 1
	case satel.CmdArmedMode2:
		mode = 2
	case satel.CmdArmedMode3:
		mode = 3
	default:
		p.State = append(p.State, word)
		return
	}
	if p.Armed {
		p.Mode = &mode
	}
}

func (p *Panel) troubles(ctx context.Context, r *Report) error {
	for cmd := satel.CmdTroubles1; cmd <= satel.CmdTroublesMemory8; cmd++ {
		if _, ok := satel.TroublesSize(cmd); !ok {
			continue
		}
		later := cmd >= satel.CmdTroubles6
		if later && p.module == nil || cmd >= satel.CmdTroubles8 && !p.module.Troubles8 {
			continue // such a module does not know it and would let us wait
		}
		answer, err := p.conn.Troubles(ctx, cmd)
		if err != nil {
			if open(ctx, err) {
				continue
			}
			return err
		}
		for _, t := range answer.Active {
			r.Troubles = append(r.Troubles, p.trouble(t, r))
		}
	}
	return nil
}

func (p *Panel) trouble(t satel.Trouble, r *Report) Trouble {
	device := t.Device()
	out := Trouble{Device: string(device.Kind), Number: device.Index, Memory: t.Memory}
	var module byte
	for _, parts := range [][]Part{r.Zones, r.Modules} {
		for _, part := range parts {
			if part.Kind == string(device.Kind) && part.Number == device.Index {
				out.Name = part.Name
				if device.Kind != satel.SourceZone {
					module = part.typeCode
				}
			}
		}
	}
	out.Fault = strings.ReplaceAll(t.Fault(p.model, module), "_", " ")
	return out
}

// title says what the panel is in a few words.
func (r Report) title() string {
	model := r.Model
	if model == "" {
		model = fmt.Sprintf("panel of unknown type %d", r.Type)
	}
	return fmt.Sprintf("%s, firmware %s of %s (%s)", model, r.Firmware, r.FirmwareDate, r.Language)
}
