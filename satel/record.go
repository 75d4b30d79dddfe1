package satel

import (
	"encoding/hex"
	"fmt"
	"time"
)

// Index names one record of the event memory. Its inside is the panel's own affair: indexes of neighbours do not follow
// each other, and the index that comes with a record is what asks for the next older one.
type Index [3]byte

// Arguments of CmdEventRecord that ask for the newest record of a log.
var (
	NewestIndex      = Index{0xFF, 0xFF, 0xFF}
	NewestGradeIndex = Index{0x00, 0xFF, 0xFF}
)

// String returns the index as six hexadecimal digits.
func (i Index) String() string { return hex.EncodeToString(i[:]) }

// Class is the coarse sort that the panel itself gives to each event.
type Class uint8

// Classes of events.
const (
	ClassZoneAlarm      Class = iota // alarm and tamper of zones
	ClassPartitionAlarm              // alarm of partitions and expanders
	ClassArming
	ClassBypass
	ClassAccess
	ClassTrouble
	ClassUser
	ClassSystem
)

var classNames = [...]string{"zone_alarm", "partition_alarm", "arming", "bypass", "access", "trouble", "user", "system"}

// String returns the class as one word.
func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return fmt.Sprintf("class_%d", uint8(c))
}

// ParseClass returns the class that String names so.
func ParseClass(name string) (Class, bool) {
	for i, n := range classNames {
		if n == name {
			return Class(i), true
		}
	}
	return 0, false
}

// StationStatus says how far the panel's own reporting of an event to a monitoring station has come.
type StationStatus uint8

// States of reporting. The value 2 has no known meaning.
const (
	StationNew         StationStatus = 0
	StationSent        StationStatus = 1
	StationNotReported StationStatus = 3
)

// Record is one record of the event memory as the panel keeps it. It never changes there, except for the two states of
// reporting: compare records by Masked.
type Record [8]byte

// recordStable keeps what never changes of a record's first byte.
const recordStable = 0xF0

// Masked returns the record without the states of reporting.
func (r Record) Masked() Record {
	r[0] &= recordStable
	return r
}

// String returns the record as sixteen hexadecimal digits.
func (r Record) String() string { return hex.EncodeToString(r[:]) }

// Present tells whether the place in the log holds a record. The other methods mean nothing when it does not.
func (r Record) Present() bool { return r[0]&0x20 != 0 }

// HasEvent tells whether the record holds an event; it normally equals Present.
func (r Record) HasEvent() bool { return r[0]&0x10 != 0 }

// YearMod4 returns the remainder of the year by four, all that a record knows of it.
func (r Record) YearMod4() int { return int(r[0] >> 6) }

// Station1 returns the state of reporting to the first monitoring station.
func (r Record) Station1() StationStatus { return StationStatus(r[0] & 3) }

// Station2 returns the state of reporting to the second monitoring station.
func (r Record) Station2() StationStatus { return StationStatus(r[0] >> 2 & 3) }

// Class returns the panel's sort of the event.
func (r Record) Class() Class { return Class(r[1] >> 5) }

// Day returns the day of the month as recorded, 0 to 31.
func (r Record) Day() int { return int(r[1] & 0x1F) }

// Month returns the month as recorded, 0 to 15.
func (r Record) Month() int { return int(r[2] >> 4) }

// Minute returns the minutes since the panel's midnight as recorded, 0 to 4095.
func (r Record) Minute() int { return int(r[2]&0x0F)<<8 | int(r[3]) }

// PField returns the raw partition field, 0 to 31. What it means depends on the event; see Decode.
func (r Record) PField() int { return int(r[4] >> 3) }

// Partition returns the partition field as a partition's number, 1 to 32.
func (r Record) Partition() int { return r.PField() + 1 }

// Restore returns the restore bit. A few codes use it as part of an address; see Event.Restore.
func (r Record) Restore() bool { return r[4]&0x04 != 0 }

// Code returns the event code, 0 to 1023.
func (r Record) Code() int { return int(r[4]&3)<<8 | int(r[5]) }

// FullCode returns the event code with the restore bit above it, 0 to 2047.
func (r Record) FullCode() int { return int(r[4]&7)<<8 | int(r[5]) }

// Source returns the raw source number.
func (r Record) Source() int { return int(r[6]) }

// Object returns the object (a group of partitions), 1 to 8.
func (r Record) Object() int { return int(r[7]>>5) + 1 }

// UserControl returns the number that tells a user from an earlier one who had the same number.
func (r Record) UserControl() int { return int(r[7] & 0x1F) }

const (
	minutesPerDay = 24 * 60
	yearCycle     = 4
)

// Resolve returns the record's minute as an instant, with the panel's clock taken to be in loc: of the years with the
// recorded remainder the newest whose date is not later than the day after now. It returns the zero time when the
// record holds no possible date. In the hour that an autumn repeats one of the two instants is returned: order comes
// from the log, never from here.
func (r Record) Resolve(now time.Time, loc *time.Location) time.Time {
	month, day, minute := r.Month(), r.Day(), r.Minute()
	if !r.HasEvent() || month < 1 || month > 12 || day < 1 || minute >= minutesPerDay {
		return time.Time{}
	}
	today := now.In(loc)
	year := today.Year() + 1
	year -= ((year-r.YearMod4())%yearCycle + yearCycle) % yearCycle
	limit := time.Date(today.Year(), today.Month(), today.Day()+1, 0, 0, 0, 0, time.UTC)
	if time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).After(limit) {
		year -= yearCycle
	}
	at := time.Date(year, time.Month(month), day, minute/60, minute%60, 0, 0, loc)
	if time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Day() != day {
		return time.Time{}
	}
	return at
}

// RecordFields is what a record is built from. The zero value of Object, Partition and the states of reporting stands
// for the first object, a partition field of 0 and "new".
type RecordFields struct {
	At          time.Time // the panel's clock: the wall time of At in its own location counts
	Class       Class
	Code        int  // 0 to 1023
	Restore     bool // the raw bit
	Partition   int  // 1 to 32
	Source      int  // raw source number; see SourceNumber
	Object      int  // 1 to 8
	UserControl int  // 0 to 31
	Station1    StationStatus
	Station2    StationStatus
}

// NewRecord builds the record with the given fields. It wraps ErrValue when one does not fit.
func NewRecord(f RecordFields) (Record, error) {
	p, object := max(f.Partition, 1)-1, max(f.Object, 1)-1
	switch {
	case f.Class > ClassSystem:
		return Record{}, fmt.Errorf("record class %d: %w", f.Class, ErrValue)
	case f.Code < 0 || f.Code > 1023:
		return Record{}, fmt.Errorf("record code %d: %w", f.Code, ErrValue)
	case f.Partition < 0 || p > 31:
		return Record{}, fmt.Errorf("record partition %d: %w", f.Partition, ErrValue)
	case f.Source < 0 || f.Source > 255:
		return Record{}, fmt.Errorf("record source %d: %w", f.Source, ErrValue)
	case f.Object < 0 || object > 7:
		return Record{}, fmt.Errorf("record object %d: %w", f.Object, ErrValue)
	case f.UserControl < 0 || f.UserControl > 31:
		return Record{}, fmt.Errorf("record user control %d: %w", f.UserControl, ErrValue)
	case f.Station1 > 3 || f.Station2 > 3:
		return Record{}, fmt.Errorf("record state of reporting: %w", ErrValue)
	}
	minute := f.At.Hour()*60 + f.At.Minute()
	r := Record{
		byte(f.At.Year()%yearCycle)<<6 | 0x30 | byte(f.Station2)<<2 | byte(f.Station1),
		byte(f.Class)<<5 | byte(f.At.Day()),
		byte(f.At.Month())<<4 | byte(minute>>8),
		byte(minute),
		byte(p)<<3 | byte(f.Code>>8),
		byte(f.Code),
		byte(f.Source),
		byte(object)<<5 | byte(f.UserControl),
	}
	if f.Restore {
		r[4] |= 0x04
	}
	return r, nil
}

// LogEntry is an answer to CmdEventRecord: a record, the index that names it and asks for the next older one, and the
// argument of the request that it answers.
type LogEntry struct {
	Record Record
	Index  Index
	Called Index
}

// logEntrySize is the length of an answer to CmdEventRecord.
const logEntrySize = 14

// ParseLogEntry reads the data of an answer to CmdEventRecord.
func ParseLogEntry(data []byte) (LogEntry, error) {
	if len(data) != logEntrySize {
		return LogEntry{}, fmt.Errorf("event record: %w: %d bytes", ErrLength, len(data))
	}
	return LogEntry{Record: Record(data[:8]), Index: Index(data[8:11]), Called: Index(data[11:14])}, nil
}

// AppendLogEntry appends the data of an answer to CmdEventRecord.
func AppendLogEntry(dst []byte, e LogEntry) []byte {
	dst = append(dst, e.Record[:]...)
	dst = append(dst, e.Index[:]...)
	return append(dst, e.Called[:]...)
}
