package client

import (
	"context"
	"fmt"
	"time"

	"dozor/satel"
)

// Order sends a control and returns the panel's result. ResultAccepted says no more than that the panel has understood:
// the lists of state show whether and when it was done. It is the whole answer to every control but arming, whose result
// is final. A module may accept arming first and tell the final result within five seconds; that second result is news.
//
// Errors are those of Control, which the guard is for, and ErrRequest for a request that the protocol cannot carry.
func (c *Conn) Order(ctx context.Context, r satel.ControlRequest, g Guard) (satel.Result, error) {
	data, err := satel.AppendControlRequest(make([]byte, 0, satel.MaxData), r)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	defer clear(data)
	return c.result(ctx, r.Cmd, data, g)
}

// Arm arms partitions with a user code of eight bytes (satel.EncodeUserCode) by one of the commands satel.CmdArm0 to
// CmdArm3 and CmdForceArm0 to CmdForceArm3.
func (c *Conn) Arm(ctx context.Context, cmd satel.Command, code []byte, partitions satel.Bits, g Guard) (satel.Result, error) {
	if !cmd.IsArm() {
		return 0, fmt.Errorf("%s: %w: it does not arm", cmd, ErrRequest)
	}
	return c.Order(ctx, satel.ControlRequest{Cmd: cmd, Code: code, Partitions: partitions}, g)
}

// Disarm disarms partitions.
func (c *Conn) Disarm(ctx context.Context, code []byte, partitions satel.Bits, g Guard) (satel.Result, error) {
	return c.Order(ctx, satel.ControlRequest{Cmd: satel.CmdDisarm, Code: code, Partitions: partitions}, g)
}

// ClearAlarm clears the alarms of partitions.
func (c *Conn) ClearAlarm(ctx context.Context, code []byte, partitions satel.Bits, g Guard) (satel.Result, error) {
	return c.Order(ctx, satel.ControlRequest{Cmd: satel.CmdClearAlarm, Code: code, Partitions: partitions}, g)
}

// Bypass changes which zones are left out, by satel.CmdBypass, CmdUnbypass or CmdIsolate. The list has 16 bytes, or 32
// for panels with zones above 128.
func (c *Conn) Bypass(ctx context.Context, cmd satel.Command, code []byte, zones satel.Bits, g Guard) (satel.Result, error) {
	if cmd != satel.CmdBypass && cmd != satel.CmdUnbypass && cmd != satel.CmdIsolate {
		return 0, fmt.Errorf("%s: %w: it bypasses nothing", cmd, ErrRequest)
	}
	return c.Order(ctx, satel.ControlRequest{Cmd: cmd, Code: code, Numbers: zones}, g)
}

// SwitchOutputs switches outputs by satel.CmdOutputsOn, CmdOutputsOff or CmdOutputsSwitch. The list has 16 bytes, or 32
// for panels with outputs above 128. Panels accept and do nothing for outputs whose function is not satel.ControlSwitch.
func (c *Conn) SwitchOutputs(ctx context.Context, cmd satel.Command, code []byte, outputs satel.Bits, g Guard) (satel.Result, error) {
	if cmd != satel.CmdOutputsOn && cmd != satel.CmdOutputsOff && cmd != satel.CmdOutputsSwitch {
		return 0, fmt.Errorf("%s: %w: it switches no outputs", cmd, ErrRequest)
	}
	return c.Order(ctx, satel.ControlRequest{Cmd: cmd, Code: code, Numbers: outputs}, g)
}

// OpenDoor opens the doors of outputs whose function is satel.ControlDoor (16 or 32 bytes) and of expanders, by address
// (eight bytes).
func (c *Conn) OpenDoor(ctx context.Context, code []byte, outputs, expanders satel.Bits, g Guard) (satel.Result, error) {
	return c.Order(ctx, satel.ControlRequest{
		Cmd: satel.CmdOpenDoor, Code: code, Numbers: outputs, Expanders: expanders,
	}, g)
}

// ClearTroubles clears the trouble memory.
func (c *Conn) ClearTroubles(ctx context.Context, code []byte, g Guard) (satel.Result, error) {
	return c.Order(ctx, satel.ControlRequest{Cmd: satel.CmdClearTroubles, Code: code}, g)
}

// SetClock sets the panel's clock to the wall time of local in its own location, which must be the panel's.
func (c *Conn) SetClock(ctx context.Context, code []byte, local time.Time, g Guard) (satel.Result, error) {
	return c.Order(ctx, satel.ControlRequest{Cmd: satel.CmdSetClock, Code: code, Clock: local}, g)
}

func (c *Conn) result(ctx context.Context, cmd satel.Command, data []byte, g Guard) (satel.Result, error) {
	a, err := c.Control(ctx, cmd, data, g)
	if err != nil {
		return 0, err
	}
	return satel.ParseResult(a.Frame.Data)
}
