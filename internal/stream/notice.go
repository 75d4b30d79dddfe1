package stream

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"dozor/internal/wire"
)

// notice is a message without a position that replaces the one of its type before: what
// is true now of the station as a whole.
type notice struct {
	change int64 // counts over all types
	kind   string
	data   []byte // as compared
	said   []byte // as sent
}

type noticeMessage struct {
	Type string          `json:"type"`
	At   time.Time       `json:"at"`
	Data json.RawMessage `json:"data"`
}

// PublishDesks tells every client who sits where, if that has changed, and from now on
// each that resumes.
func (h *Hub) PublishDesks(d wire.DesksData) {
	if d.Desks == nil {
		d.Desks = []wire.Desk{}
	}
	h.notify(wire.DeskList, d)
}

// PublishStation tells every client what is wrong with the station itself, if that has
// changed, and from now on each that resumes.
func (h *Hub) PublishStation(d wire.StationData) {
	if d.Faults == nil {
		d.Faults = []wire.StationFault{}
	}
	h.notify(wire.StationState, d)
}

func (h *Hub) notify(kind string, value any) {
	data, err := json.Marshal(value)
	if err != nil {
		h.cfg.Log.Error("a notice can't be encoded", "kind", kind, "err", err)
		return
	}
	said, err := json.Marshal(noticeMessage{Type: kind, At: time.Now().UTC(), Data: data})
	if err != nil {
		h.cfg.Log.Error("a notice can't be encoded", "kind", kind, "err", err)
		return
	}
	if h.replace(notice{kind: kind, data: data, said: said}) {
		h.wake()
	}
}

// replace takes a notice in the place of the one of its kind, unless they say the same.
func (h *Hub) replace(by notice) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	by.change = 1
	for _, n := range h.notices {
		if n.kind == by.kind && bytes.Equal(n.data, by.data) {
			return false
		}
		by.change = max(by.change, n.change+1)
	}
	h.notices = slices.DeleteFunc(h.notices, func(n notice) bool { return n.kind == by.kind })
	h.notices = append(h.notices, by) // by change, ascending
	return true
}

// takeNotices collects notices that the client has not got since it last began. They are
// for whoever may see alarms.
func (s *Subscription) takeNotices() []Message {
	s.hub.mu.RLock()
	defer s.hub.mu.RUnlock()
	var out []Message
	for _, n := range s.hub.notices {
		if n.change > s.noticed {
			s.noticed = n.change
			if slices.Contains(s.scope.audiences, wire.Operators) {
				out = append(out, Message{Data: n.said})
			}
		}
	}
	return out
}

// Standing returns up to where this instance holds the stream, and how many clients are
// attached to it.
func (h *Hub) Standing() (at wire.StreamPosition, clients int) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return wire.StreamPosition{Epoch: h.epoch, Position: h.ring.top}, len(h.subs)
}
