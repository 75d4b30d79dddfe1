package sim

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"dozor/satel"
)

const (
	// writeLimit ends a connection whose client does not read.
	writeLimit = 5 * time.Second
	// busyLimit is how long a refused client may keep its connection after it was told.
	busyLimit = time.Second
	// pushGap lies between two answers that nobody asked for, as captured from an ETHM-1 Plus.
	pushGap = 20 * time.Millisecond

	readSize = 1024
)

// busyFiller ends the text of a taken module.
var busyFiller = [8]byte{0xD8, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5}

// coarse is what a timer of an otherwise idle process is late at most. Benchmarks compare with the answer's own time, so
// the last of it is slept in the kernel; what comes meanwhile is lost all the same, being read inside of the gap. Such a
// sleep holds a thread, so it is done only while no more than exactSessions connections are open in the process: with
// many of them the timers are awake anyhow.
const (
	coarse        = 1200 * time.Microsecond
	exactSessions = 32
)

// openSessions counts the connections of this process that are served.
var openSessions atomic.Int32

// session is one connection to a module. It belongs to the goroutine that runs it, except for seen, which the link
// guards, and for what wake touches.
type session struct {
	panel *Panel
	conn  net.Conn
	seen  *Connection

	seal     *seal // nil for a plain connection
	decoder  satel.Decoder
	caller   caller
	heardAt  time.Time // last request
	answer   []byte    // frame that waits for its time, nil when none does
	answerAt time.Time
	sentAt   time.Time // last answer
	damaged  uint64    // frames dropped by the decoder, as counted so far

	following atomic.Bool // it has subscribed
	lookAt    time.Time   // when to look for what may be pushed
	pushedAt  time.Time

	waking sync.Mutex
	woken  bool
}

// run serves one connection until it ends. It closes it.
func (s *session) run() {
	link := s.panel.link
	if !link.open(s) {
		s.refuse()
		return
	}
	openSessions.Add(1)
	defer openSessions.Add(-1)
	link.closed(s, s.serve())
	_ = s.conn.Close() // nothing is left to be sent
}

// refuse tells a second client that the module is taken, and lets it read that in peace.
func (s *session) refuse() {
	_ = s.conn.SetDeadline(time.Now().Add(busyLimit)) // fails only on a closed connection, which the next line shows
	if _, err := s.conn.Write(s.sealed(satel.AppendBusy(nil, busyFiller))); err == nil {
		if tcp, ok := s.conn.(*net.TCPConn); ok {
			_ = tcp.CloseWrite() // the copy below ends at the latest with the deadline
		}
		_, _ = io.Copy(io.Discard, s.conn) // closing with unread data would take the text away again
	}
	_ = s.conn.Close()
}

// serve reads requests and writes answers, each at its own time, until the connection ends, and returns why it did.
//
// One goroutine does all of it: it reads until something is to be sent, so that what comes meanwhile is seen and lost.
func (s *session) serve() string {
	s.heardAt = time.Now()
	buf := make([]byte, readSize)
	for {
		if err := s.sendDue(); err != nil {
			return "the client does not read: " + err.Error()
		}
		if err := s.await(); err != nil {
			return "closed by the module"
		}
		n, err := s.conn.Read(buf)
		if n > 0 && !s.receive(buf[:n], time.Now()) {
			return "the client has another key"
		}
		switch {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded):
			if s.answer == nil && s.idle() {
				return "silent for too long"
			}
		case errors.Is(err, io.EOF):
			return "closed by the client"
		case errors.Is(err, net.ErrClosed):
			return "closed by the module"
		default:
			return "broken: " + err.Error()
		}
	}
}

// sendDue sends the answer when its time has come, and at most one frame that nobody asked for.
func (s *session) sendDue() error {
	if s.answer != nil {
		if left := time.Until(s.answerAt); left <= lateness() {
			sleepExactly(left)
			if err := s.sendAnswer(); err != nil {
				return err
			}
		}
	}
	if now := time.Now(); s.following.Load() && !now.Before(s.lookAt) {
		return s.push(now)
	}
	return nil
}

// lateness is how much before its time an answer is seen to.
func lateness() time.Duration {
	if openSessions.Load() > exactSessions {
		return 0
	}
	return coarse
}

// await sets when reading must stop: for something to be sent, or because the client is silent.
func (s *session) await() error {
	deadline := time.Time{}
	earlier := func(at time.Time) {
		if deadline.IsZero() || at.Before(deadline) {
			deadline = at
		}
	}
	if s.answer != nil {
		earlier(s.answerAt.Add(-lateness()))
	} else if limit := s.panel.cfg.IdleLimit; limit > 0 {
		earlier(s.heardAt.Add(limit))
	}
	s.waking.Lock()
	defer s.waking.Unlock()
	if s.woken {
		s.woken = false
		s.lookAt = s.pushedAt.Add(pushGap)
	}
	if s.following.Load() {
		earlier(s.lookAt)
	}
	return s.conn.SetReadDeadline(deadline)
}

// wake makes the session look for what may be pushed. Anybody may call it.
func (s *session) wake() {
	s.waking.Lock()
	defer s.waking.Unlock()
	s.woken = true
	_ = s.conn.SetReadDeadline(time.Unix(1, 0)) // fails only on a closed connection
}

func (s *session) idle() bool {
	limit := s.panel.cfg.IdleLimit
	return limit > 0 && !time.Now().Before(s.heardAt.Add(limit))
}

func (s *session) sendAnswer() error {
	frame := s.answer
	s.answer = nil
	// The gap runs from when the answer goes out: the client may have it, and count from
	// there, before the write below has returned.
	s.sentAt = time.Now()
	return s.write(frame, func(seen *Connection) { seen.Answers++ })
}

// push sends the next thing that the subscriber was not told, if there is one.
func (s *session) push(now time.Time) error {
	frame, next, ok := s.panel.untold(&s.caller)
	s.lookAt = now.Add(next)
	if !ok {
		return nil
	}
	s.lookAt, s.pushedAt = now.Add(pushGap), now
	if mode, _ := s.panel.link.now(); mode == LinkHung {
		return nil
	}
	return s.write(satel.AppendFrame(nil, frame.Cmd, frame.Data), func(seen *Connection) { seen.Pushed++ })
}

func (s *session) write(frame []byte, count func(*Connection)) error {
	link := s.panel.link
	frame = s.sealed(frame)
	if mode, _ := link.now(); mode == LinkGarbled {
		frame = link.damage(frame)
	}
	if err := s.conn.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
		return err
	}
	if _, err := s.conn.Write(frame); err != nil {
		return err
	}
	link.mu.Lock()
	count(s.seen)
	link.mu.Unlock()
	return nil
}

// sealed returns a frame in the form in which it goes over this connection.
func (s *session) sealed(frame []byte) []byte {
	if s.seal == nil {
		return frame
	}
	return s.seal.wrap(frame)
}

// receive takes what has come in at the given time. It returns false when the module hangs up on it.
func (s *session) receive(data []byte, at time.Time) bool {
	strangers := 0
	if s.seal == nil {
		s.decoder.Write(data)
	} else {
		strangers = s.seal.open(data, s.decoder.Write)
	}
	for {
		frame, ok := s.decoder.Next()
		if !ok {
			break
		}
		s.heardAt = at
		s.request(frame, at)
	}
	if dropped := s.decoder.Stats().Dropped(); dropped != s.damaged || strangers > 0 {
		link := s.panel.link
		link.mu.Lock()
		s.seen.Damaged += int(dropped-s.damaged) + strangers
		link.mu.Unlock()
		s.damaged = dropped
	}
	return strangers == 0 || !s.seal.closes
}

// request does one request, unless it comes at a bad moment, and plans the answer.
func (s *session) request(frame satel.Frame, at time.Time) {
	cfg, link := &s.panel.cfg, s.panel.link
	mode, slow := link.now()
	switch {
	case mode == LinkHung:
		link.note(s, frame, at, FateHung)
		return
	case s.answer != nil, !s.sentAt.IsZero() && at.Before(s.sentAt.Add(cfg.MinGap)), mode == LinkLossy && link.loses():
		link.note(s, frame, at, FateLost)
		return
	}
	answer, ok := s.panel.answer(frame, &s.caller)
	if !ok {
		link.note(s, frame, at, FateSilent)
		return
	}
	link.note(s, frame, at, FateAnswered)
	s.answer = satel.AppendFrame(nil, answer.Cmd, answer.Data)
	s.answerAt = at.Add(cfg.AnswerDelay + slow)
	if frame.Cmd == satel.CmdNewData {
		s.following.Store(s.caller.subscribed())
		s.lookAt = s.answerAt.Add(pushGap)
	}
}
