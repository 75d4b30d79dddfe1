package satel

import "fmt"

// Result is what CmdResult says about a request.
type Result byte

// Results. 0x80 to 0x8F are further errors without a meaning of their own.
const (
	ResultOK               Result = 0x00
	ResultCodeNotFound     Result = 0x01 // also sent when the user may not work over the network
	ResultNoAccess         Result = 0x02
	ResultUserMissing      Result = 0x03
	ResultUserExists       Result = 0x04
	ResultCodeWrongOrTaken Result = 0x05
	ResultPhoneCodeTaken   Result = 0x06
	ResultCodeUnchanged    Result = 0x07
	ResultOther            Result = 0x08 // also: no such object
	ResultCannotArmForce   Result = 0x11 // forced arming would work
	ResultCannotArm        Result = 0x12
	ResultAccepted         Result = 0xFF // will be done; the state lists show whether it was
)

// String returns the meaning as one word.
func (r Result) String() string {
	switch r {
	case ResultOK:
		return "ok"
	case ResultCodeNotFound:
		return "code_not_found"
	case ResultNoAccess:
		return "no_access"
	case ResultUserMissing:
		return "user_missing"
	case ResultUserExists:
		return "user_exists"
	case ResultCodeWrongOrTaken:
		return "code_wrong_or_taken"
	case ResultPhoneCodeTaken:
		return "phone_code_taken"
	case ResultCodeUnchanged:
		return "code_unchanged"
	case ResultCannotArmForce:
		return "cannot_arm_force_possible"
	case ResultCannotArm:
		return "cannot_arm"
	case ResultAccepted:
		return "accepted"
	default:
		return "other"
	}
}

// Success tells whether the request was done or accepted.
func (r Result) Success() bool { return r == ResultOK || r == ResultAccepted }

// ParseResult reads the data of CmdResult.
func ParseResult(data []byte) (Result, error) {
	if len(data) != 1 {
		return 0, fmt.Errorf("result: %w: %d bytes", ErrLength, len(data))
	}
	return Result(data[0]), nil
}

// AppendResult appends the data of an answer CmdResult.
func AppendResult(dst []byte, r Result) []byte { return append(dst, byte(r)) }
