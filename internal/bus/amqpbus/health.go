package amqpbus

import (
	"errors"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"dozor/internal/bus"
)

// Link is the state of one use of the broker.
type Link struct {
	Up bool
	// Since is when Up last changed, zero as long as nobody tried.
	Since time.Time
	// Err is why it is down, nil while it is up or was never tried.
	Err error
	// NeedsPerson says that trying on mends nothing: a wrong password, a virtual host
	// that is not there, a queue with other arguments.
	NeedsPerson bool
}

// Health is what is known of the broker without asking it.
type Health struct {
	Publishing Link
	// Lanes say for each lane whether the broker takes its messages. What keeps all of
	// them back is told by Publishing and Blocked, and does not change these.
	Lanes map[bus.Lane]Link
	// Consumers are the open consumers' links.
	Consumers []Link
	// Blocked is why the broker takes no messages (memory or disk), "" when it does.
	Blocked string
}

// Err is the worst of it, nil when nothing is wrong.
func (h Health) Err() error {
	errs := []error{h.Publishing.Err, h.BlockedErr()}
	for _, name := range bus.Lanes {
		errs = append(errs, h.Lanes[name].Err)
	}
	for _, c := range h.Consumers {
		errs = append(errs, c.Err)
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// BlockedErr is why the broker takes no messages at all, nil when it does.
func (h Health) BlockedErr() error {
	if h.Blocked == "" {
		return nil
	}
	return &blockedError{said: h.Blocked}
}

// Reason is the word for the worst of it, see the function Reason; empty when nothing is
// wrong.
func (h Health) Reason() string { return Reason(h.Err()) }

// linkState keeps a Link. Safe for concurrent use.
type linkState struct {
	mu     sync.Mutex
	link   Link
	logins int  // in a row that ended in a hang-up
	told   bool // that a person is needed, since it was up last
}

func (s *linkState) get() Link {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.link
}

// Three refused logins in a row are no accident of the link.
const loginsRefused = 3

// change is what is worth a line in the log.
type change int

const (
	unchanged change = iota
	nowUp
	nowDown
	nowHopeless // until somebody mends it; told once, whatever the tries end in
)

func (s *linkState) set(err error) change {
	s.mu.Lock()
	defer s.mu.Unlock()
	if errors.Is(err, errLogin) {
		s.logins++
	} else {
		s.logins = 0
	}
	was := s.link
	s.link = Link{Up: err == nil, Since: was.Since, Err: err, NeedsPerson: needsPerson(err) || s.logins >= loginsRefused}
	turned := was.Since.IsZero() || s.link.Up != was.Up
	if turned {
		s.link.Since = time.Now()
	}
	switch {
	case s.link.Up:
		s.told = false
		if turned {
			return nowUp
		}
	case s.link.NeedsPerson && !s.told:
		s.told = true
		return nowHopeless
	case turned:
		return nowDown
	}
	return unchanged
}

func needsPerson(err error) bool {
	var foreign *TopologyError
	if errors.As(err, &foreign) {
		return true
	}
	var said *amqp.Error
	return errors.As(err, &said) && said.Server && (said.Code == amqp.AccessRefused || said.Code == amqp.NotAllowed || said.Code == amqp.NotFound)
}
