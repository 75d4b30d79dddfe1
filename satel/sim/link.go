package sim

import (
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
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
	LinkLossy            // every third request or so is lost
	LinkSlow             // answers come late, see SlowLink
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
	case LinkLossy:
		return "lossy"
	case LinkSlow:
		return "slow"
	default:
		return "normal"
	}
}

// ClientPolicy says what a module does when a second client connects.
type ClientPolicy int

// Policies. Modules were seen with the first two.
const (
	OneClient   ClientPolicy = iota // the second is told that the module is busy
	FirstOut                        // the second throws the first out
	ManyClients                     // all are admitted
)

var clientPolicies = []string{OneClient: "one", FirstOut: "first-out", ManyClients: "many"}

// String returns the policy as one word.
func (c ClientPolicy) String() string { return clientPolicies[c] }

// ParseClientPolicy reads a policy by its word.
func ParseClientPolicy(word string) (ClientPolicy, error) {
	if i := slices.Index(clientPolicies, word); i >= 0 {
		return ClientPolicy(i), nil
	}
	return 0, fmt.Errorf("%w: clients %q, there are %s", ErrInvalid, word, strings.Join(clientPolicies, ", "))
}

// WrongKey says what an encrypted module does with a message under another key.
type WrongKey int

// Both were seen.
const (
	SilentOnWrongKey WrongKey = iota
	CloseOnWrongKey
)

// ParseWrongKey reads "silent" or "close".
func ParseWrongKey(word string) (WrongKey, error) {
	switch word {
	case "silent":
		return SilentOnWrongKey, nil
	case "close":
		return CloseOnWrongKey, nil
	default:
		return 0, fmt.Errorf("%w: wrong key %q, there are silent, close", ErrInvalid, word)
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
	// FirstAt and LastAt are the times of its first and last request, zero when it made none.
	FirstAt time.Time
	LastAt  time.Time
	Answers int
	Pushed  int // frames sent without being asked for
	Lost    int // requests that came before the answer or too soon after it
	Damaged int // frames that were no requests, and messages that could not be decrypted
	Recent  []Request

	oldest int // place in Recent of the oldest one, once it is full
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
	slow      time.Duration
	holders   []*session // the clients, one unless the policy is another
	count     int
	clients   ClientPolicy
	cipher    *satel.Cipher // nil for a plain module
	wrongKey  WrongKey
	idleLimit time.Duration
	deadUntil time.Time // until when the place of a client is kept that is gone
	history   []*Connection
	random    *rand.Rand
}

func newLink(seed uint64) *link {
	return &link{random: rand.New(rand.NewPCG(seed, 1))} //nolint:gosec // no secret depends on it
}

// present returns the mode of this moment. The caller holds the lock.
func (l *link) present() LinkMode {
	if !l.restoreAt.IsZero() && !time.Now().Before(l.restoreAt) {
		l.mode, l.restoreAt, l.slow = LinkNormal, time.Time{}, 0
	}
	return l.mode
}

// now returns the mode of this moment, and how much later than usual answers leave.
func (l *link) now() (LinkMode, time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.present(), l.slow
}

// SetLink brings the module's link into a state, for good or, with a duration above 0, for so long on the host's clock.
func (p *Panel) SetLink(mode LinkMode, d time.Duration) {
	p.link.mu.Lock()
	p.link.mode, p.link.restoreAt, p.link.slow = mode, time.Time{}, 0
	if d > 0 {
		p.link.restoreAt = time.Now().Add(d)
	}
	p.link.mu.Unlock()
	if mode == LinkDropped {
		p.link.cut("the link was dropped")
	}
}

// SlowLink makes answers leave later than usual by delay, for good or for so long.
func (p *Panel) SlowLink(delay, d time.Duration) {
	p.SetLink(LinkSlow, d)
	p.link.mu.Lock()
	defer p.link.mu.Unlock()
	if p.link.mode == LinkSlow {
		p.link.slow = max(delay, 0)
	}
}

// SetClients sets what the module does with a second client. Who is connected stays.
func (p *Panel) SetClients(c ClientPolicy) {
	p.link.mu.Lock()
	defer p.link.mu.Unlock()
	p.link.clients = c
}

// HalfOpen makes the client vanish without the module's knowing: the connection is dead, and its place is kept until the
// idle limit, with which the module finds out. It tells whether there was a client.
func (p *Panel) HalfOpen() bool { return p.link.halfOpen() }

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
		copied.Recent = slices.Concat(c.Recent[c.oldest:], c.Recent[:c.oldest])
		for i := range copied.Recent {
			copied.Recent[i].Data = slices.Clone(copied.Recent[i].Data)
		}
		copied.oldest = 0
		out = append(out, copied)
	}
	return out
}

// Rivals returns the pairs of connections, by ID, that made requests in the same time: those of two clients that both
// took themselves for the one.
func Rivals(seen []Connection) [][2]int {
	var pairs [][2]int
	for i, a := range seen {
		for _, b := range seen[:i] {
			if !a.FirstAt.IsZero() && !b.FirstAt.IsZero() && a.FirstAt.Before(b.LastAt) && b.FirstAt.Before(a.LastAt) {
				pairs = append(pairs, [2]int{b.ID, a.ID})
			}
		}
	}
	return pairs
}

// open enters a new connection. It becomes the client when there is a place for it and the link is up.
func (l *link) open(s *session) (accepted bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count++
	s.seen = &Connection{
		ID: l.count, Remote: s.conn.RemoteAddr().String(), OpenedAt: time.Now(), Requests: map[satel.Command]int{},
	}
	s.caller.connection = l.count
	if l.cipher != nil {
		s.seal = &seal{
			cipher: l.cipher, closes: l.wrongKey == CloseOnWrongKey,
			random: rand.New(rand.NewPCG(l.random.Uint64(), 2)), //nolint:gosec // a real module's may be no better
		}
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
	case l.clients == OneClient && l.taken():
		s.seen.Busy = true
		l.end(s, "another client is connected")
		return false
	case l.clients == FirstOut:
		l.deadUntil = time.Time{}
		for _, first := range slices.Clone(l.holders) {
			l.end(first, "thrown out by another client")
			_ = first.conn.Close() // it ends all the same
		}
	}
	l.holders = append(l.holders, s)
	return true
}

// end marks a connection as closed, for the first reason given. The caller holds the lock.
func (l *link) end(s *session, why string) {
	if s.seen.ClosedAt.IsZero() {
		s.seen.ClosedAt, s.seen.Ended = time.Now(), why
	}
	l.holders = slices.DeleteFunc(l.holders, func(other *session) bool { return other == s })
}

// taken tells whether somebody has the place of the one client. The caller holds the lock.
func (l *link) taken() bool { return len(l.holders) > 0 || time.Now().Before(l.deadUntil) }

func (l *link) halfOpen() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	there := len(l.holders) > 0
	for _, s := range slices.Clone(l.holders) {
		l.end(s, "the client vanished")
		reset(s.conn)
	}
	if there {
		l.deadUntil = time.Now().Add(l.idleLimit)
	}
	return there
}

// wake makes the sessions of subscribers look at the panel.
func (l *link) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.holders {
		if s.following.Load() {
			s.wake()
		}
	}
}

// loses draws whether a lossy link loses a request.
func (l *link) loses() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.random.IntN(3) == 0
}

// closed marks a connection as closed.
func (l *link) closed(s *session, why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end(s, why)
}

// cut resets the clients' connections and forgets one that is gone.
func (l *link) cut(why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deadUntil = time.Time{}
	for _, s := range slices.Clone(l.holders) {
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
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := s.seen
	seen.Requests[frame.Cmd]++
	if seen.LastAt = at; seen.FirstAt.IsZero() {
		seen.FirstAt = at
	}
	if fate == FateLost {
		seen.Lost++
	}
	place := len(seen.Recent)
	if place < keptRequests {
		seen.Recent = append(seen.Recent, Request{})
	} else {
		place, seen.oldest = seen.oldest, (seen.oldest+1)%keptRequests
	}
	data := seen.Recent[place].Data[:0] // its room is used again: this is done for every request
	data = append(data, frame.Data...)
	switch cmd := frame.Cmd; {
	case cmd >= satel.CmdUserRemove && cmd <= satel.CmdChangePhoneCode:
		clear(data) // new codes too
	case cmd.IsControl(), cmd >= satel.CmdSelf && cmd < satel.CmdObjectName:
		clear(data[:min(len(data), satel.UserCodeSize)])
	}
	seen.Recent[place] = Request{At: at, Command: frame.Cmd, Data: data, Fate: fate}
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
