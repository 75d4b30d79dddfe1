package satel

import (
	"fmt"
	"time"
)

// Clock is a panel's clock, local time without a zone, with the flags that come with it.
type Clock struct {
	Year          int
	Month         time.Month
	Day           int
	Hour          int
	Minute        int
	Second        int
	Weekday       int // 0 is Monday
	ServiceMode   bool
	Trouble       bool // the yellow lamp blinks
	TroubleMemory bool
	ACU100        bool // radio controller present
	IntRX         bool // key fob receiver present
	Grade         bool // option Grade 2 or 3
	Type          byte // see Model.ClockType
}

const clockSize = 9

// ClockAt returns a clock that shows the wall time of at in its own location, without flags and type.
func ClockAt(at time.Time) Clock {
	return Clock{
		Year: at.Year(), Month: at.Month(), Day: at.Day(), Hour: at.Hour(), Minute: at.Minute(), Second: at.Second(),
		Weekday: (int(at.Weekday()) + 6) % 7,
	}
}

// Time returns the instant that the clock shows if the panel stands in loc. In the hour that an autumn repeats one of
// the two is returned.
func (c Clock) Time(loc *time.Location) time.Time {
	return time.Date(c.Year, c.Month, c.Day, c.Hour, c.Minute, c.Second, 0, loc)
}

func (c Clock) check() error {
	day := time.Date(c.Year, c.Month, c.Day, 0, 0, 0, 0, time.UTC)
	if c.Year < 0 || c.Year > 9999 || day.Day() != c.Day || day.Month() != c.Month || c.Weekday < 0 || c.Weekday > 7 ||
		c.Hour < 0 || c.Hour > 23 || c.Minute < 0 || c.Minute > 59 || c.Second < 0 || c.Second > 59 || c.Type > 0x0F {
		return fmt.Errorf("clock: %w", ErrValue)
	}
	return nil
}

// ParseClock reads the data of an answer to CmdClock. A date or time that does not exist is an error.
func ParseClock(data []byte) (Clock, error) {
	if len(data) != clockSize {
		return Clock{}, fmt.Errorf("clock: %w: %d bytes", ErrLength, len(data))
	}
	var v [7]int
	for i := range v {
		hi, lo := data[i]>>4, data[i]&0x0F
		if hi > 9 || lo > 9 {
			return Clock{}, fmt.Errorf("clock: %w", ErrValue)
		}
		v[i] = int(hi)*10 + int(lo)
	}
	a, b := data[7], data[8]
	c := Clock{
		Year: v[0]*100 + v[1], Month: time.Month(v[2]), Day: v[3], Hour: v[4], Minute: v[5], Second: v[6],
		Weekday: int(a & 7), ServiceMode: a&0x80 != 0, Trouble: a&0x40 != 0,
		ACU100: b&0x80 != 0, IntRX: b&0x40 != 0, TroubleMemory: b&0x20 != 0, Grade: b&0x10 != 0, Type: b & 0x0F,
	}
	return c, c.check()
}

// AppendClock appends the data of an answer to CmdClock.
func AppendClock(dst []byte, c Clock) ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	for _, v := range [...]int{c.Year / 100, c.Year % 100, int(c.Month), c.Day, c.Hour, c.Minute, c.Second} {
		dst = append(dst, byte(v/10<<4|v%10))
	}
	a, b := byte(c.Weekday), c.Type
	for _, f := range [...]struct {
		set bool
		bit byte
	}{{c.ServiceMode, 0x80}, {c.Trouble, 0x40}} {
		if f.set {
			a |= f.bit
		}
	}
	for _, f := range [...]struct {
		set bool
		bit byte
	}{{c.ACU100, 0x80}, {c.IntRX, 0x40}, {c.TroubleMemory, 0x20}, {c.Grade, 0x10}} {
		if f.set {
			b |= f.bit
		}
	}
	return append(dst, a, b), nil
}
