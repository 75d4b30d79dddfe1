package sim

import (
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"dozor/satel"
)

// LinkMode is the state of a module's network link.
type LinkMode int

// States of the link.
const (
	LinkNormal  LinkMode = iota
	LinkDropped          // every connection is reset, the present one and each new one
	LinkHung             // connections are kept and taken, but nothing is done or answered
	LinkGarbled          // requests are done, but answers come damaged
)

// String returns the state as one word.
func (m LinkMode) String() string {
	switch m {
	case LinkDropped:
		return "dropped"
	case LinkHung:
		return "hung"
	case LinkGarbled:
		return "garbled"
	default:
		return "normal"
	}
}

// Bounds of what is remembered of connections.
const (
	keptConnections = 256 // newest ones
	keptRequests    = 64  // newest ones of each connection
)

// Connection is what a module remembers of one connection.
type Connection struct {
	ID       int // counts from 1
	Remote   string
	OpenedAt time.Time
	ClosedAt time.Time // zero while open
	Ended    string    // why it was closed, empty while open
	Busy     bool      // it was refused, since another client was there
	Requests map[satel.Command]int
	Answers  int
	Lost     int // requests that came before the answer or too soon after it
	Damaged  int // frames that were no requests
	Recent   []Request
}

// Request is one request of a client.
type Request struct {
	At      time.Time
	Command satel.Command
	Data    []byte // a user code in it reads as zeros
	Fate    Fate
}

// Fate is what became of a request.
type Fate string

// Fates of requests.
const (
	FateAnswered Fate = "answered" // will be, unless the connection ends before
	FateSilent   Fate = "silent"   // not understood, or not understandable
	FateLost     Fate = "lost"     // came before the answer to another, or too soon after it
	FateHung     Fate = "hung"     // the module had stopped answering
)

// link is the network side of a module: who is connected, and what is wrong with it.
type link struct {
	mu        sync.Mutex
	mode      LinkMode
	restoreAt time.Time // when the mode ends by itself, zero for never
	holder    *session  // the one client
	count     int
	history   []*Connection
	random    *rand.Rand
}

func newLink(seed uint64) *link {
	return &link{random: rand.New(rand.NewPCG(seed, 1))} //nolint:gosec // no secret depends on it
}

// present returns the mode of this moment. The caller holds the lock.
func (l *link) present() LinkMode {
	if !l.restoreAt.IsZero() && !time.Now().Before(l.restoreAt) {
		l.mode, l.restoreAt = LinkNormal, time.Time{}
	}
	return l.mode
}

// SetLink brings the module's link into a state, for good or, with a duration above 0, for so long on the host's clock.
func (p *Panel) SetLink(mode LinkMode, d time.Duration) {
	p.link.mu.Lock()
	p.link.mode, p.link.restoreAt = mode, time.Time{}
	if d > 0 {
		p.link.restoreAt = time.Now().Add(d)
	}
	p.link.mu.Unlock()
	if mode == LinkDropped {
		p.link.cut("the link was dropped")
	}
}

// Link returns the present state of the module's link.
func (p *Panel) Link() LinkMode {
	p.link.mu.Lock()
	defer p.link.mu.Unlock()
	return p.link.present()
}

// HangUp closes the present connection, if there is one. The next is taken as usual.
func (p *Panel) HangUp() { p.link.cut("hung up") }

// Connections returns what the module remembers of its newest connections, oldest first.
func (p *Panel) Connections() []Connection {
	p.link.mu.Lock()
	defer p.link.mu.Unlock()
	out := make([]Connection, 0, len(p.link.history))
	for _, c := range p.link.history {
		copied := *c
		copied.Requests = make(map[satel.Command]int, len(c.Requests))
		for cmd, n := range c.Requests {
			copied.Requests[cmd] = n
		}
		copied.Recent = append([]Request(nil), c.Recent...)
		out = append(out, copied)
	}
	return out
}

// open enters a new connection. It becomes the client when the place is free and the link is up.
func (l *link) open(s *session) (accepted bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count++
	s.seen = &Connection{
		ID: l.count, Remote: s.conn.RemoteAddr().String(), OpenedAt: time.Now(), Requests: map[satel.Command]int{},
	}
	l.history = append(l.history, s.seen)
	if len(l.history) > keptConnections {
		l.history = append(l.history[:0:0], l.history[1:]...)
	}
	switch {
	case l.present() == LinkDropped:
		l.end(s, "the link is dropped")
		reset(s.conn)
		return false
	case l.holder != nil:
		s.seen.Busy = true
		l.end(s, "another client is connected")
		return false
	default:
		l.holder = s
		return true
	}
}

// end marks a connection as closed, for the first reason given. The caller holds the lock.
func (l *link) end(s *session, why string) {
	if s.seen.ClosedAt.IsZero() {
		s.seen.ClosedAt, s.seen.Ended = time.Now(), why
	}
	if l.holder == s {
		l.holder = nil
	}
}

// closed marks a connection as closed.
func (l *link) closed(s *session, why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end(s, why)
}

// cut resets the client's connection, if there is one.
func (l *link) cut(why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.holder; s != nil {
		l.end(s, why)
		reset(s.conn)
	}
}

// reset closes a connection without a farewell, as a link that breaks does.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // closing follows in any case
	}
	_ = conn.Close() // the other side is to see a failure
}

// note remembers a request.
func (l *link) note(s *session, frame satel.Frame, at time.Time, fate Fate) {
	data := append([]byte(nil), frame.Data...)
	if frame.Cmd.IsControl() || frame.Cmd >= satel.CmdSelf && frame.Cmd < satel.CmdObjectName {
		clear(data[:min(len(data), satel.UserCodeSize)])
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := s.seen
	seen.Requests[frame.Cmd]++
	if fate == FateLost {
		seen.Lost++
	}
	if len(seen.Recent) == keptRequests {
		seen.Recent = append(seen.Recent[:0:0], seen.Recent[1:]...)
	}
	seen.Recent = append(seen.Recent, Request{At: at, Command: frame.Cmd, Data: data, Fate: fate})
}

// damage returns a frame as a bad line would deliver it: changed, cut short, or replaced by noise.
func (l *link) damage(frame []byte) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := append([]byte(nil), frame...)
	switch l.random.IntN(3) {
	case 0: // a changed byte in front of the end
		out[len(out)-3] ^= byte(1 << l.random.IntN(7))
	case 1: // the end is missing
		out = out[:len(out)-2]
	default:
		for i := range out {
			out[i] = byte(l.random.IntN(0xF0)) // never the byte that begins a frame
		}
	}
	return out
}
