package satel

import (
	"fmt"
	"time"
)

// FirstCodeAction says what the first of two codes is for.
type FirstCodeAction byte

// What a first code may be entered for.
const (
	FirstCodeArm    FirstCodeAction = 0
	FirstCodeDisarm FirstCodeAction = 1
	FirstCodeCancel FirstCodeAction = 2
)

// ControlRequest is a request that makes a panel do something in a user's name. Which fields count depends on Cmd.
type ControlRequest struct {
	Cmd Command
	// Code is the user's, UserCodeSize bytes as EncodeUserCode makes them.
	Code []byte

	// Partitions, four bytes, are those to arm, disarm, clear of alarm, or to enter a first code for.
	Partitions Bits
	// RefuseBypass makes CmdArm0 to CmdArm3 fail rather than bypass zones or delay. Only modules with
	// ModuleVersion.ArmNoBypass know it.
	RefuseBypass bool
	// Numbers, 16 or 32 bytes, are the zones to bypass, unbypass or isolate, or the outputs to switch or open doors by.
	// Modules cut 32 bytes to 16 on panels without numbers above 128.
	Numbers Bits
	// Expanders, eight bytes, are the addresses of those whose doors CmdOpenDoor opens.
	Expanders Bits
	// Validity, in whole seconds up to MaxValidity, is how long a first code waits for the second.
	Validity time.Duration
	// Action is what the first code is for.
	Action FirstCodeAction
	// Clock is what CmdSetClock sets: its wall time in its own location. ParseControlRequest returns it in UTC.
	Clock time.Time
}

const (
	partitionsSize = 4
	expandersSize  = 8

	// MaxValidity is the longest time that a first of two codes can wait for the second.
	MaxValidity = 0xFFFF * time.Second

	refuseBypass  = 0x80
	clockSetForm  = "20060102150405"
	firstCodeSize = partitionsSize + 3
)

// controlShape says what follows the user code.
type controlShape uint8

const (
	shapeNone       controlShape = iota // not a control that is known
	shapeBare                           // nothing
	shapePartitions                     // partitions
	shapeArm                            // partitions, maybe a flag
	shapeNumbers                        // zones or outputs
	shapeDoor                           // outputs and expanders
	shapeFirstCode                      // partitions, time, action
	shapeClock                          // digits
)

func (c Command) shape() controlShape {
	switch {
	case c >= CmdArm0 && c <= CmdArm3:
		return shapeArm
	case c == CmdDisarm, c == CmdClearAlarm, c.IsForceArm():
		return shapePartitions
	case c == CmdClearTroubles:
		return shapeBare
	case c == CmdOpenDoor:
		return shapeDoor
	case c == CmdFirstCodeEnter:
		return shapeFirstCode
	case c == CmdSetClock:
		return shapeClock
	case c >= CmdBypass && c <= CmdOutputsOff, c == CmdIsolate, c == CmdOutputsSwitch:
		return shapeNumbers
	default:
		return shapeNone
	}
}

// IsArm tells whether the command arms, forced or not. Only these are answered by their final result.
func (c Command) IsArm() bool { return c >= CmdArm0 && c <= CmdArm3 || c.IsForceArm() }

// IsForceArm tells whether the command arms in spite of what speaks against it.
func (c Command) IsForceArm() bool { return c >= CmdForceArm0 && c <= CmdForceArm3 }

// AppendControlRequest appends the data of a control, which hold the user's code: clear them after use. Errors wrap
// ErrValue when the command is none of CmdArm0 to CmdClearTroubles, CmdFirstCodeEnter, CmdSetClock, CmdIsolate,
// CmdOutputsSwitch, CmdForceArm0 to CmdForceArm3, or a field does not fit, and ErrLength when a list has a wrong length.
func AppendControlRequest(dst []byte, r ControlRequest) ([]byte, error) {
	shape := r.Cmd.shape()
	if err := r.check(shape); err != nil {
		return nil, fmt.Errorf("%s: %w", r.Cmd, err)
	}
	dst = append(dst, r.Code...)
	switch shape {
	case shapePartitions:
		return append(dst, r.Partitions...), nil
	case shapeArm:
		dst = append(dst, r.Partitions...)
		if r.RefuseBypass {
			dst = append(dst, refuseBypass)
		}
		return dst, nil
	case shapeNumbers:
		return append(dst, r.Numbers...), nil
	case shapeDoor:
		return append(append(dst, r.Numbers...), r.Expanders...), nil
	case shapeFirstCode:
		seconds := int(r.Validity / time.Second)
		return append(append(dst, r.Partitions...), byte(seconds), byte(seconds>>8), byte(r.Action)), nil
	case shapeClock:
		return r.Clock.AppendFormat(dst, clockSetForm), nil
	default:
		return dst, nil
	}
}

func (r ControlRequest) check(shape controlShape) error {
	partitions := shape == shapePartitions || shape == shapeArm || shape == shapeFirstCode
	numbers := shape == shapeNumbers || shape == shapeDoor
	switch {
	case shape == shapeNone:
		return fmt.Errorf("%w: not a control", ErrValue)
	case len(r.Code) != UserCodeSize:
		return fmt.Errorf("user code: %w", ErrLength)
	case partitions && len(r.Partitions) != partitionsSize:
		return fmt.Errorf("partitions: %w: %d bytes", ErrLength, len(r.Partitions))
	case numbers && len(r.Numbers) != ListZones.Size(false) && len(r.Numbers) != ListZones.Size(true):
		return fmt.Errorf("numbers: %w: %d bytes", ErrLength, len(r.Numbers))
	case shape == shapeDoor && len(r.Expanders) != expandersSize:
		return fmt.Errorf("expanders: %w: %d bytes", ErrLength, len(r.Expanders))
	case shape == shapeFirstCode && (r.Validity < 0 || r.Validity > MaxValidity || r.Validity%time.Second != 0):
		return fmt.Errorf("validity %s: %w", r.Validity, ErrValue)
	case shape == shapeClock && (r.Clock.Year() < 0 || r.Clock.Year() > 9999):
		return fmt.Errorf("year %d: %w", r.Clock.Year(), ErrValue)
	default:
		return nil
	}
}

// ParseControlRequest reads the data of a control, for the side of the module. Its lists are the caller's own. Errors
// wrap ErrLength or ErrValue as those of AppendControlRequest and never quote the user's code.
func ParseControlRequest(cmd Command, data []byte) (ControlRequest, error) {
	r := ControlRequest{Cmd: cmd}
	shape := cmd.shape()
	if shape == shapeNone {
		return ControlRequest{}, fmt.Errorf("%s: %w: not a control", cmd, ErrValue)
	}
	if !shape.fits(len(data) - UserCodeSize) {
		return ControlRequest{}, fmt.Errorf("%s: %w: %d bytes", cmd, ErrLength, len(data))
	}
	data = append([]byte(nil), data...)
	r.Code, data = data[:UserCodeSize:UserCodeSize], data[UserCodeSize:]
	switch shape {
	case shapePartitions:
		r.Partitions = Bits(data)
	case shapeArm:
		r.Partitions = Bits(data[:partitionsSize:partitionsSize])
		r.RefuseBypass = len(data) > partitionsSize && data[partitionsSize]&refuseBypass != 0
	case shapeNumbers:
		r.Numbers = Bits(data)
	case shapeDoor:
		n := len(data) - expandersSize
		r.Numbers, r.Expanders = Bits(data[:n:n]), Bits(data[n:])
	case shapeFirstCode:
		r.Partitions = Bits(data[:partitionsSize:partitionsSize])
		r.Validity = time.Duration(int(data[4])|int(data[5])<<8) * time.Second
		r.Action = FirstCodeAction(data[6])
	case shapeClock:
		at, err := time.Parse(clockSetForm, string(data))
		if err != nil {
			return ControlRequest{}, fmt.Errorf("%s: %w: no date and time", cmd, ErrValue)
		}
		r.Clock = at
	}
	return r, nil
}

// fits tells whether so many bytes can follow the user code.
func (s controlShape) fits(n int) bool {
	switch s {
	case shapeBare:
		return n == 0
	case shapePartitions:
		return n == partitionsSize
	case shapeArm:
		return n == partitionsSize || n == partitionsSize+1
	case shapeNumbers:
		return n == ListZones.Size(false) || n == ListZones.Size(true)
	case shapeDoor:
		return n == ListZones.Size(false)+expandersSize || n == ListZones.Size(true)+expandersSize
	case shapeFirstCode:
		return n == firstCodeSize
	case shapeClock:
		return n == len(clockSetForm)
	default:
		return false
	}
}
