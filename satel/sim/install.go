package sim

import (
	"fmt"
	"slices"
	"time"

	"dozor/satel"
)

// Change is what an installer sets anew of an object; nil for what stays.
type Change struct {
	Name      *string
	Function  *byte // reaction of a zone, type of a partition or module, function of an output
	Partition *int  // of a zone
}

// Change changes an object's name and what the panel tells beside it, as an installer does with a computer. Which objects
// there are stays.
func (p *Panel) Change(kind satel.ObjectType, number int, c Change) error {
	p.enter()
	defer p.leave()
	if c.Name != nil {
		if _, err := satel.AppendObjectName(nil, satel.ObjectName{Type: kind, Number: max(number, 1), Text: *c.Name}); err != nil {
			return fmt.Errorf("%w: %w", ErrInvalid, err)
		}
	}
	if c.Partition != nil && (kind != satel.NameZone || p.partitions[*c.Partition] == nil) {
		return fmt.Errorf("%w: there is no such partition for it", ErrInvalid)
	}
	site := p.cfg.Site
	name, function := (*string)(nil), new(byte)
	switch kind {
	case satel.NamePartition:
		if part := p.partitions[number]; part != nil {
			name, function = &part.Name, &part.Type
		}
	case satel.NameZone:
		if z := p.zones[number]; z != nil {
			name, function = &z.Name, (*byte)(&z.Reaction)
			if c.Partition != nil {
				z.Partition = *c.Partition
			}
		}
	case satel.NameUser:
		if u := p.userByNumber(number); u != nil {
			name = &u.Name
		}
	case satel.NameOutput:
		if i := slices.IndexFunc(site.Outputs, func(o Output) bool { return o.Number == number }); i >= 0 {
			name, function = &site.Outputs[i].Name, &site.Outputs[i].Function
		}
	default:
		if object := site.object(kind, number); object != nil {
			name, function = &object.Name, &object.Type
		}
	}
	if name == nil {
		return fmt.Errorf("%w: object %d of type %d", ErrNotFound, number, kind)
	}
	if c.Name != nil {
		*name = *c.Name
	}
	if c.Function != nil {
		*function = *c.Function
	}
	return nil
}

// SetService brings the panel into service mode or out of it. In it, and this is a reading of ours, zones are shown and
// raise nothing, arming is refused as impossible and every other command for want of a right.
func (p *Panel) SetService(on bool) []Event {
	p.enter()
	defer p.leave()
	return p.collect(func() {
		if p.service == on {
			return
		}
		p.service = on
		code := codeServiceLeft
		if on {
			code = codeServiceEntered
		}
		p.log(happening{code: code, source: satel.Source{Kind: satel.SourcePanel}})
	})
}

// JumpClock moves the panel's clock without any record, as a weak battery does.
func (p *Panel) JumpClock(d time.Duration) {
	p.enter()
	defer p.unlock()
	p.clockError += d
}

// Temperature is what a thermometer shows.
type Temperature struct {
	Celsius  float64
	Measured bool // false for a thermometer that has nothing to show yet
}

// SetThermometer gives a zone a thermometer with what it shows, or takes it away with nil. The panel is silent about the
// temperature of every other zone.
func (p *Panel) SetThermometer(zone int, t *Temperature) error {
	p.enter()
	defer p.unlock()
	if p.zones[zone] == nil {
		return fmt.Errorf("%w: zone %d", ErrNotFound, zone)
	}
	if t == nil {
		delete(p.thermometers, zone)
		return nil
	}
	shown := satel.Temperature{Zone: zone, Celsius: t.Celsius, Measured: t.Measured}
	if _, err := satel.AppendTemperature(nil, shown); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	p.thermometers[zone] = shown
	return nil
}

// DoorState is how the door of an expander stands.
type DoorState int

// States of doors.
const (
	DoorClosed DoorState = iota
	DoorOpen
	DoorOpenTooLong
)

// SetDoor moves the door of the expander at an address from 0.
func (p *Panel) SetDoor(address int, state DoorState) ([]Event, error) {
	if address < 0 || address >= 8*locksSize {
		return nil, fmt.Errorf("%w: expander %d", ErrNotFound, address)
	}
	p.enter()
	defer p.leave()
	return p.collect(func() {
		long := p.board.has(satel.CmdDoorsLong, address+1)
		p.board.set(satel.CmdDoorsOpen, address+1, state != DoorClosed)
		p.board.set(satel.CmdDoorsLong, address+1, state == DoorOpenTooLong)
		if long != (state == DoorOpenTooLong) {
			p.log(happening{code: codeDoorLong, restore: long, partition: p.order[0].Number, source: byExpander(address)})
		}
	}), nil
}

// Fill writes so many records of no meaning into the memory at once; more than it has places let it wrap.
func (p *Panel) Fill(records int) ([]Event, error) {
	if records < 1 || records > maxBurst {
		return nil, fmt.Errorf("%w: 1 to %d records", ErrInvalid, maxBurst)
	}
	p.enter()
	defer p.leave()
	p.writeAll()
	events := make([]Event, 0, records)
	for range records {
		e, err := p.event(happening{code: codePeriodicTest})
		if err != nil {
			return events, err
		}
		events = append(events, p.write(e))
	}
	return events, nil
}
