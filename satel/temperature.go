package satel

import (
	"fmt"
	"math"
)

// Temperature is what a zone's thermometer shows.
type Temperature struct {
	Zone     int // 1 to 256
	Celsius  float64
	Measured bool // false: unknown, and Celsius is 0
}

const (
	temperatureSize    = 3
	temperatureUnknown = 0xFFFF
	temperatureZero    = -55.0
	temperatureStep    = 0.5
)

// ParseTemperature reads the data of an answer to CmdZoneTemperature.
func ParseTemperature(data []byte) (Temperature, error) {
	if len(data) != temperatureSize {
		return Temperature{}, fmt.Errorf("temperature: %w: %d bytes", ErrLength, len(data))
	}
	t := Temperature{Zone: wireNumber(data[0])}
	if raw := int(data[1])<<8 | int(data[2]); raw != temperatureUnknown {
		t.Celsius, t.Measured = float64(raw)*temperatureStep+temperatureZero, true
	}
	return t, nil
}

// AppendTemperature appends the data of an answer to CmdZoneTemperature, to the nearest half degree.
func AppendTemperature(dst []byte, t Temperature) ([]byte, error) {
	raw := temperatureUnknown
	if t.Measured {
		steps := math.Round((t.Celsius - temperatureZero) / temperatureStep)
		if !(steps >= 0 && steps < temperatureUnknown) {
			return nil, fmt.Errorf("temperature: %w", ErrValue)
		}
		raw = int(steps)
	}
	if t.Zone < 1 || t.Zone > maxNumber {
		return nil, fmt.Errorf("temperature of zone %d: %w", t.Zone, ErrValue)
	}
	return append(dst, byte(t.Zone), byte(raw>>8), byte(raw)), nil
}
