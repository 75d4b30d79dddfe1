package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dozor/satel"
)

// The reads below return errors of Request, and errors of package satel for answers that cannot be read.

// Newest reads the newest record of the event memory and returns when its last byte had come.
func (c *Conn) Newest(ctx context.Context) (satel.LogEntry, time.Time, error) {
	return c.Older(ctx, satel.NewestIndex)
}

// Older reads the record that the given index asks for: the one before the record with which the index came.
//
// Behind the newest one a module that pushes is asked until two answers in a row say the same: the record that it pushes
// when something happens in this very moment names the same index, as that of the record before.
func (c *Conn) Older(ctx context.Context, arg satel.Index) (satel.LogEntry, time.Time, error) {
	e, a, err := c.record(ctx, arg)
	for range mostDoubts {
		if err != nil || !c.mayBePushed(arg) {
			return e, a.ReceivedAt, err
		}
		first, before := e, a
		if e, a, err = c.record(ctx, arg); err != nil {
			return satel.LogEntry{}, time.Time{}, err
		}
		if e.Index == first.Index && e.Record.Masked() == first.Record.Masked() {
			return e, before.ReceivedAt, nil
		}
		c.mu.Lock()
		c.offer(before.Frame)
		c.mu.Unlock()
	}
	return satel.LogEntry{}, time.Time{}, fmt.Errorf("%s: each answer says another: %w", satel.CmdEventRecord, ErrTimeout)
}

// mostDoubts is how often a record is asked for again at most.
const mostDoubts = 6

func (c *Conn) record(ctx context.Context, arg satel.Index) (satel.LogEntry, Answer, error) {
	a, err := c.Request(ctx, satel.CmdEventRecord, arg[:])
	if err != nil {
		return satel.LogEntry{}, Answer{}, err
	}
	e, err := satel.ParseLogEntry(a.Frame.Data)
	return e, a, err
}

// mayBePushed tells whether a record that nobody asked for may name the index as that of the record before.
func (c *Conn) mayBePushed(arg satel.Index) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pushes && arg != satel.NewestIndex && (c.newest == nil || *c.newest == arg)
}

// NewData reads which lists have changed since they were last read, in a form of satel.NewDataShort, NewDataMiddle or
// NewDataLong bytes. Modules that do not know a form leave it without an answer.
func (c *Conn) NewData(ctx context.Context, size int) (satel.CommandSet, error) {
	if size < satel.NewDataShort || size > satel.NewDataLong {
		return 0, fmt.Errorf("new data in %d bytes: %w", size, ErrRequest)
	}
	a, err := c.Request(ctx, satel.CmdNewData, make([]byte, size-satel.NewDataShort))
	if err != nil {
		return 0, err
	}
	return satel.ParseNewData(a.Frame.Data)
}

// Subscribe asks the module to send lists by itself; they come to Config.OnNews. Modules that cannot do so leave it
// without an answer (ErrTimeout).
func (c *Conn) Subscribe(ctx context.Context, s satel.Subscription, size int) (satel.Result, error) {
	if size < satel.NewDataShort || size > satel.NewDataLong {
		return 0, fmt.Errorf("subscription in %d bytes: %w", size, ErrRequest)
	}
	result, err := c.result(ctx, satel.CmdNewData, satel.AppendSubscription(nil, s, size), nil)
	if err == nil && result == satel.ResultAccepted {
		c.mu.Lock()
		c.pushes = true
		c.mu.Unlock()
	}
	return result, err
}

// wideRequest is the extra byte that asks for a list of 32 bytes; its value has no meaning.
var wideRequest = []byte{0}

// List reads a list of state, in the wide form for 256 numbers if the module has it and wide asks for it. A module
// without the wide form answers in the short one.
func (c *Conn) List(ctx context.Context, cmd satel.Command, wide bool) (satel.Bits, error) {
	kind := cmd.List()
	if kind == satel.ListNone {
		return nil, fmt.Errorf("%s: %w: it reads no list", cmd, ErrRequest)
	}
	var data []byte
	if wide && kind.Size(true) != kind.Size(false) {
		data = wideRequest
	}
	a, err := c.Request(ctx, cmd, data)
	if err != nil {
		return nil, err
	}
	if n := len(a.Frame.Data); n != kind.Size(false) && n != kind.Size(true) {
		return nil, fmt.Errorf("%s: %w: %d bytes", cmd, satel.ErrLength, n)
	}
	return satel.Bits(a.Frame.Data), nil
}

// Clock reads the panel's clock and returns when its last byte had come.
func (c *Conn) Clock(ctx context.Context) (satel.Clock, time.Time, error) {
	a, err := c.Request(ctx, satel.CmdClock, nil)
	if err != nil {
		return satel.Clock{}, time.Time{}, err
	}
	clock, err := satel.ParseClock(a.Frame.Data)
	return clock, a.ReceivedAt, err
}

// PanelVersion reads what the panel says of itself.
func (c *Conn) PanelVersion(ctx context.Context) (satel.PanelVersion, error) {
	a, err := c.Request(ctx, satel.CmdPanelVersion, nil)
	if err != nil {
		return satel.PanelVersion{}, err
	}
	return satel.ParsePanelVersion(a.Frame.Data)
}

// ModuleVersion reads what the module says of itself. Modules made before November 2013 leave it without an answer.
func (c *Conn) ModuleVersion(ctx context.Context) (satel.ModuleVersion, error) {
	a, err := c.Request(ctx, satel.CmdModuleVersion, nil)
	if err != nil {
		return satel.ModuleVersion{}, err
	}
	return satel.ParseModuleVersion(a.Frame.Data)
}

// Temperature reads a zone's thermometer; a zone without one leaves it without an answer.
func (c *Conn) Temperature(ctx context.Context, zone int) (satel.Temperature, error) {
	a, err := c.Request(ctx, satel.CmdZoneTemperature, []byte{byte(zone)})
	if err != nil {
		return satel.Temperature{}, err
	}
	return satel.ParseTemperature(a.Frame.Data)
}

// Troubles reads a list of the trouble group.
func (c *Conn) Troubles(ctx context.Context, cmd satel.Command) (satel.Troubles, error) {
	if _, ok := satel.TroublesSize(cmd); !ok {
		return satel.Troubles{}, fmt.Errorf("%s: %w: it reads no troubles", cmd, ErrRequest)
	}
	a, err := c.Request(ctx, cmd, nil)
	if err != nil {
		return satel.Troubles{}, err
	}
	return satel.ParseTroubles(cmd, a.Frame.Data)
}

// Name reads an object's name; ok is false when the panel has no such object.
func (c *Conn) Name(ctx context.Context, t satel.ObjectType, number int) (name satel.ObjectName, ok bool, err error) {
	a, err := c.Request(ctx, satel.CmdObjectName, satel.AppendNameRequest(nil, t, number))
	if err != nil {
		return satel.ObjectName{}, false, err
	}
	if a.Frame.Cmd == satel.CmdResult {
		return satel.ObjectName{}, false, nil
	}
	name, err = satel.ParseObjectName(a.Frame.Data)
	return name, err == nil, err
}

// EventText reads the panel's own wording of an event.
func (c *Conn) EventText(ctx context.Context, code int, restore, long bool) (satel.EventText, error) {
	a, err := c.Request(ctx, satel.CmdEventText, satel.AppendEventTextRequest(nil, code, restore, long))
	if err != nil {
		return satel.EventText{}, err
	}
	return satel.ParseEventText(a.Frame.Data)
}

// Power reads what the device on an output takes. Modules and outputs that do not measure it leave it without an answer.
func (c *Conn) Power(ctx context.Context, output int) (satel.OutputPower, error) {
	a, err := c.Request(ctx, satel.CmdOutputPower, []byte{byte(output)})
	if err != nil {
		return satel.OutputPower{}, err
	}
	return satel.ParseOutputPower(a.Frame.Data)
}

// NewestGrade reads the newest record of the second, small log that panels with a Grade option keep. Its end is a
// record whose first byte is 0; Older walks it like the other.
func (c *Conn) NewestGrade(ctx context.Context) (satel.LogEntry, time.Time, error) {
	return c.Older(ctx, satel.NewestGradeIndex)
}

// Refusal is a read that the panel answers with a result instead of data.
type Refusal struct {
	Cmd    satel.Command
	Result satel.Result
}

// Error says what was refused and why.
func (r *Refusal) Error() string { return fmt.Sprintf("%s refused: %s", r.Cmd, r.Result) }

// Self asks whose code of eight bytes (satel.EncodeUserCode) it is. The error is a *Refusal when the panel does not know
// the code, or its user may not work over the network. Never ask again with a refused code: panels count.
func (c *Conn) Self(ctx context.Context, code []byte) (satel.Self, error) {
	data, err := c.asUser(ctx, satel.CmdSelf, code)
	if err != nil {
		return satel.Self{}, err
	}
	return satel.ParseSelf(data)
}

// User reads what the panel tells the code's user of another. The error is a *Refusal where it tells nothing.
func (c *Conn) User(ctx context.Context, code []byte, number int) (satel.User, error) {
	data, err := c.asUser(ctx, satel.CmdUser, code, byte(number))
	if err != nil {
		return satel.User{}, err
	}
	return satel.ParseUser(data)
}

// Users reads which users there are, and which the code's user may change, for a user's number. The error is a
// *Refusal where the panel does not tell.
func (c *Conn) Users(ctx context.Context, code []byte, number int) (satel.Users, error) {
	data, err := c.asUser(ctx, satel.CmdUserList, code, byte(number))
	if err != nil {
		return satel.Users{}, err
	}
	return satel.ParseUsers(data)
}

// UserLocks reads which locks a user may open. The error is a *Refusal where the panel does not tell.
func (c *Conn) UserLocks(ctx context.Context, code []byte, number int) (satel.UserLocks, error) {
	data, err := c.asUser(ctx, satel.CmdUserLocks, code, byte(number))
	if err != nil {
		return satel.UserLocks{}, err
	}
	return satel.ParseUserLocks(data)
}

// asUser asks in a user's name and returns the answer's data.
func (c *Conn) asUser(ctx context.Context, cmd satel.Command, code []byte, more ...byte) ([]byte, error) {
	if len(code) != satel.UserCodeSize {
		return nil, fmt.Errorf("%s: %w: user code of %d bytes", cmd, ErrRequest, len(code))
	}
	data := append(append(make([]byte, 0, satel.UserCodeSize+len(more)), code...), more...)
	defer clear(data)
	a, err := c.Request(ctx, cmd, data)
	if err != nil {
		return nil, err
	}
	if a.Frame.Cmd != satel.CmdResult {
		return a.Frame.Data, nil
	}
	result, err := satel.ParseResult(a.Frame.Data)
	if err != nil {
		return nil, err
	}
	return nil, &Refusal{cmd, result}
}

// IsLost tells whether an error of a request means that the connection is of no use any more.
func IsLost(err error) bool {
	return errors.Is(err, ErrClosed) || errors.Is(err, ErrReconnect) || errors.Is(err, ErrBusy)
}
