package satel

import (
	"fmt"
	"math"
)

// OutputPower is what the device on an output takes, as outputs tell that measure it (ETHM-1 Plus and later).
type OutputPower struct {
	Output int // 1 to 256
	Watts  float64
}

const (
	outputPowerSize = 3
	powerSteps      = 10 // of a watt
)

// ParseOutputPower reads the data of an answer to CmdOutputPower.
func ParseOutputPower(data []byte) (OutputPower, error) {
	if len(data) != outputPowerSize {
		return OutputPower{}, fmt.Errorf("output power: %w: %d bytes", ErrLength, len(data))
	}
	return OutputPower{wireNumber(data[0]), float64(int(data[1])<<8|int(data[2])) / powerSteps}, nil
}

// AppendOutputPower appends the data of an answer to CmdOutputPower, to the nearest tenth of a watt.
func AppendOutputPower(dst []byte, p OutputPower) ([]byte, error) {
	tenths := math.Round(p.Watts * powerSteps)
	if p.Output < 1 || p.Output > maxNumber || !(tenths >= 0 && tenths <= math.MaxUint16) {
		return nil, fmt.Errorf("power of output %d: %w", p.Output, ErrValue)
	}
	return append(dst, byte(p.Output), byte(uint16(tenths)>>8), byte(uint16(tenths))), nil
}
