package sim

import (
	"errors"
	"fmt"
	"time"
	_ "time/tzdata" // a panel's local time must not depend on what the host has installed
	"unicode/utf8"

	"dozor/satel"
)

// What a panel and its module do when nothing else is configured.
const (
	DefaultModel       = "INTEGRA 128 PLUS"
	DefaultCode        = "1234"
	DefaultTimeZone    = "Europe/Warsaw"
	DefaultLogDelay    = 300 * time.Millisecond
	DefaultAnswerDelay = 20 * time.Millisecond
	DefaultMinGap      = 10 * time.Millisecond
	DefaultIdleLimit   = 25 * time.Second
	DefaultReportDelay = 3 * time.Second
	DefaultSirenTime   = 3 * time.Minute

	// nameSize is how many characters the panel keeps of a name.
	nameSize = 16
)

// Config says what a panel is. The zero value is a usable one: each zero field means its default. A negative duration
// means none.
type Config struct {
	// Model is a name of satel.Models; DefaultModel.
	Model string
	// Code is the code of the default site's user; DefaultCode. It has no meaning when Site is given.
	Code string
	// Site is what the installer has set; DefaultSite(Code).
	Site *Site

	// LogDelay bounds how much later than its state bits a record reaches the event memory. The delay of each record is
	// drawn from the seed, between nothing and this.
	LogDelay time.Duration
	// ReportDelay is about how long a record's reporting bits say "new" before they say "sent": each record waits
	// between two thirds of it and five thirds.
	ReportDelay time.Duration
	// AnswerDelay is the time from a request's arrival to its answer.
	AnswerDelay time.Duration
	// MinGap is how long after an answer the module does not listen: what comes sooner is lost.
	MinGap time.Duration
	// IdleLimit is how long a client may be silent before the module hangs up. None means for ever.
	IdleLimit time.Duration

	// Encrypted makes the module speak the encrypted form of the protocol alone, with Key as integration key: up to 12
	// characters, the rest is not used. See SetKey.
	Encrypted bool
	Key       string
	// WrongKey is what an encrypted module does with messages under another key.
	WrongKey WrongKey
	// Clients is what the module does with a second client.
	Clients ClientPolicy
	// OldModule makes it a module of before 2013: no subscription, no lists of 32 bytes, no module version, no parts 6
	// to 8 of the troubles.
	OldModule bool

	// LogCapacity is the number of records that the event memory keeps; the model's size.
	LogCapacity int
	// Journal is a file that keeps the event memory, as a real panel's outlives its power: a panel that is made with the
	// journal of an earlier one begins with its memory, restarted. Empty means that the memory ends with the panel.
	Journal string
	// Seed makes everything that looks random come the same way again. Panels of one server get different ones.
	Seed uint64
	// Now is the clock behind everything that the panel does, in its own time or as a stamp; time.Now. Tests shift it.
	// Only the delays of the link (AnswerDelay, MinGap, IdleLimit) always run on the host's clock.
	Now func() time.Time
	// TimeZone in which the panel keeps its clock; DefaultTimeZone. The panel tells nobody about it.
	TimeZone string
	// ClockError is how far the panel's clock is ahead of the true time at the start; negative when behind.
	ClockError time.Duration
}

// withDefaults returns the configuration with every zero field filled and every "none" as 0.
func (c Config) withDefaults() Config {
	if c.Model == "" {
		c.Model = DefaultModel
	}
	if c.Code == "" {
		c.Code = DefaultCode
	}
	if c.Site == nil {
		site := DefaultSite(c.Code)
		c.Site = &site
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.TimeZone == "" {
		c.TimeZone = DefaultTimeZone
	}
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&c.LogDelay, DefaultLogDelay},
		{&c.ReportDelay, DefaultReportDelay},
		{&c.AnswerDelay, DefaultAnswerDelay},
		{&c.MinGap, DefaultMinGap},
		{&c.IdleLimit, DefaultIdleLimit},
	} {
		switch {
		case *d.value == 0:
			*d.value = d.standard
		case *d.value < 0:
			*d.value = 0
		}
	}
	return c
}

// validate reports everything that is wrong with a site for the given model.
func (s *Site) validate(model satel.Model) error {
	var problems []error
	refuse := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	number := func(kind string, n, limit int, seen map[int]bool, name string) {
		if n < 1 || n > limit {
			refuse("%s %d: number must be between 1 and %d on %s", kind, n, limit, model.Name)
		}
		if seen[n] {
			refuse("%s %d is there twice", kind, n)
		}
		seen[n] = true
		if utf8.RuneCountInString(name) > nameSize {
			refuse("%s %d: name %q has more than %d characters", kind, n, name, nameSize)
		}
	}
	partitions := map[int]bool{}
	for _, p := range s.Partitions {
		number("partition", p.Number, model.Partitions, partitions, p.Name)
	}
	if len(s.Partitions) == 0 {
		refuse("a site needs at least one partition")
	}
	zones := map[int]bool{}
	for _, z := range s.Zones {
		number("zone", z.Number, model.Zones, zones, z.Name)
		if !partitions[z.Partition] {
			refuse("zone %d: there is no partition %d", z.Number, z.Partition)
		}
	}
	outputs := map[int]bool{}
	for _, o := range s.Outputs {
		number("output", o.Number, model.Outputs, outputs, o.Name)
		if o.Partition != 0 && !partitions[o.Partition] {
			refuse("output %d: there is no partition %d", o.Number, o.Partition)
		}
	}
	users, codes := map[int]bool{}, map[string]bool{}
	for _, u := range s.Users {
		number("user", u.Number, 248, users, u.Name)
		if !validCode(u.Code) {
			refuse("user %d: a code has 4 to 8 digits", u.Number)
		}
		if codes[u.Code] {
			refuse("user %d: the code is another user's too", u.Number)
		}
		codes[u.Code] = true
		for _, p := range u.Partitions {
			if !partitions[p] {
				refuse("user %d: there is no partition %d", u.Number, p)
			}
		}
	}
	return errors.Join(problems...)
}

func validCode(code string) bool {
	if len(code) < 4 || len(code) > 8 {
		return false
	}
	for _, digit := range code {
		if digit < '0' || digit > '9' {
			return false
		}
	}
	return true
}
