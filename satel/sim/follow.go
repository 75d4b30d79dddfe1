package sim

import (
	"time"

	"dozor/satel"
)

const (
	// lookEvery is how long a subscriber's session goes without a look at the panel, which does nothing by itself: a
	// clock that was shifted brings things forward without telling, and the clock's own list has news each second.
	lookEvery = time.Second
	// receiveEvery is how often the module receives what it asks the panel for.
	receiveEvery = time.Second
)

// caller is the client for whom the panel answers, with what it was told without asking. The panel's lock guards it.
type caller struct {
	connection int // its ID, 0 for none
	want       satel.Subscription
	told       [lists]uint64 // the version of each list that it has, 0 for none
	records    int           // how much of the journal it was told of
	again      satel.CommandSet
	receivedAt time.Time
}

func (c *caller) subscribed() bool { return c.want.Changed|c.want.Received != 0 }

// subscribe begins a subscription: each list in it is told once, then at every change.
func (p *Panel) subscribe(c *caller, want satel.Subscription) {
	c.want, c.told, c.again = want, [lists]uint64{}, 0
	c.records, c.receivedAt = len(p.memory.journal), p.now
}

// untold returns the next frame that a subscriber is to be sent. Without one it says after which time there may be one
// although nobody acts. A record is told first, and of several that came at once the newest alone. Telling is no reading:
// the news flag stays up.
func (p *Panel) untold(c *caller) (frame satel.Frame, next time.Duration, ok bool) {
	p.enter()
	defer p.unlock()
	if entries := len(p.memory.journal); c.records != entries {
		c.records = entries
		if e := p.memory.newest(); e != nil {
			// In a frame that nobody asked for the index asked with is that of the record before: so the pair reads that
			// was captured from a real module.
			entry := satel.LogEntry{Record: e.record(p.now), Index: e.Index, Called: p.memory.previous()}
			return satel.Frame{Cmd: satel.CmdEventRecord, Data: satel.AppendLogEntry(nil, entry)}, 0, true
		}
	}
	if p.now.Sub(c.receivedAt) >= receiveEvery {
		c.receivedAt, c.again = p.now, c.want.Received
	}
	for _, cmd := range (c.want.Changed | c.want.Received).List() {
		version := p.version(cmd)
		if version == 0 || c.told[cmd] == version && !c.again.Has(cmd) {
			continue
		}
		c.told[cmd], c.again = version, c.again.Without(cmd)
		data, _ := p.list(cmd, true)
		return satel.Frame{Cmd: cmd, Data: data}, 0, true
	}
	next = lookEvery
	if due, some := p.agenda.soonest(); some {
		next = min(next, max(due.Sub(p.cfg.Now()), 0)+time.Millisecond)
	}
	return satel.Frame{}, next, false
}

// version changes with the list that the command reads. It is 0 for a command that reads none.
func (p *Panel) version(cmd satel.Command) uint64 {
	switch {
	case cmd == satel.CmdClock:
		return uint64(max(p.clock().Unix(), 1))
	case int(cmd) >= lists || p.board.bits[cmd] == nil:
		return 0
	default:
		return 1 + p.board.versions[cmd]
	}
}
