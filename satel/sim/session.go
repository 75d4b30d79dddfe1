package sim

import (
	"errors"
	"io"
	"net"
	"os"
	"time"

	"dozor/satel"
)

const (
	// writeLimit ends a connection whose client does not read.
	writeLimit = 5 * time.Second
	// busyLimit is how long a refused client may keep its connection after it was told.
	busyLimit = time.Second

	readSize = 1024
)

// busyFiller ends the text of a taken module.
var busyFiller = [8]byte{0xD8, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5}

// session is one connection to a module. It belongs to the goroutine that runs it, except for seen, which the link
// guards.
type session struct {
	panel *Panel
	conn  net.Conn
	seen  *Connection

	decoder  satel.Decoder
	heardAt  time.Time // last request
	answer   []byte    // frame that waits for its time, nil when none does
	answerAt time.Time
	sentAt   time.Time // last answer
	damaged  uint64    // frames dropped by the decoder, as counted so far
}

// run serves one connection until it ends. It closes it.
func (s *session) run() {
	link := s.panel.link
	if !link.open(s) {
		s.refuse()
		return
	}
	link.closed(s, s.serve())
	_ = s.conn.Close() // nothing is left to be sent
}

// refuse tells a second client that the module is taken, and lets it read that in peace.
func (s *session) refuse() {
	_ = s.conn.SetDeadline(time.Now().Add(busyLimit)) // fails only on a closed connection, which the next line shows
	if _, err := s.conn.Write(satel.AppendBusy(nil, busyFiller)); err == nil {
		if tcp, ok := s.conn.(*net.TCPConn); ok {
			_ = tcp.CloseWrite() // the copy below ends at the latest with the deadline
		}
		_, _ = io.Copy(io.Discard, s.conn) // closing with unread data would take the text away again
	}
	_ = s.conn.Close()
}

// serve reads requests and writes answers, each at its own time, until the connection ends, and returns why it did.
//
// One goroutine does both: it reads until the answer is due, so that what comes meanwhile is seen and lost.
func (s *session) serve() string {
	s.heardAt = time.Now()
	buf := make([]byte, readSize)
	for {
		if s.answer != nil && time.Until(s.answerAt) <= coarse {
			sleepExactly(time.Until(s.answerAt))
			if err := s.send(); err != nil {
				return "the client does not read: " + err.Error()
			}
		}
		if err := s.conn.SetReadDeadline(s.deadline()); err != nil {
			return "closed by the module"
		}
		n, err := s.conn.Read(buf)
		if n > 0 {
			s.receive(buf[:n], time.Now())
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

// coarse is what a timer of an otherwise idle process is late at most. Benchmarks compare with the answer's own time, so
// the last of it is slept in the kernel; what comes meanwhile is lost all the same, being read inside of the gap.
const coarse = 1200 * time.Microsecond

// deadline is when reading must stop: for the answer, or because the client is silent.
func (s *session) deadline() time.Time {
	switch limit := s.panel.cfg.IdleLimit; {
	case s.answer != nil:
		return s.answerAt.Add(-coarse)
	case limit > 0:
		return s.heardAt.Add(limit)
	default:
		return time.Time{}
	}
}

func (s *session) idle() bool {
	limit := s.panel.cfg.IdleLimit
	return limit > 0 && !time.Now().Before(s.heardAt.Add(limit))
}

func (s *session) send() error {
	frame := s.answer
	s.answer = nil
	if err := s.conn.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
		return err
	}
	// The gap runs from when the answer goes out: the client may have it, and count from
	// there, before the write below has returned.
	s.sentAt = time.Now()
	if _, err := s.conn.Write(frame); err != nil {
		return err
	}
	link := s.panel.link
	link.mu.Lock()
	s.seen.Answers++
	link.mu.Unlock()
	return nil
}

// receive takes what has come in at the given time.
func (s *session) receive(data []byte, at time.Time) {
	s.decoder.Write(data)
	for {
		frame, ok := s.decoder.Next()
		if !ok {
			break
		}
		s.heardAt = at
		s.request(frame, at)
	}
	if dropped := s.decoder.Stats().Dropped(); dropped != s.damaged {
		link := s.panel.link
		link.mu.Lock()
		s.seen.Damaged += int(dropped - s.damaged)
		link.mu.Unlock()
		s.damaged = dropped
	}
}

// request does one request, unless it comes at a bad moment, and plans the answer.
func (s *session) request(frame satel.Frame, at time.Time) {
	cfg, link := &s.panel.cfg, s.panel.link
	link.mu.Lock()
	mode := link.present()
	link.mu.Unlock()
	switch {
	case mode == LinkHung:
		link.note(s, frame, at, FateHung)
		return
	case s.answer != nil, !s.sentAt.IsZero() && at.Before(s.sentAt.Add(cfg.MinGap)):
		link.note(s, frame, at, FateLost)
		return
	}
	answer, ok := s.panel.Answer(frame)
	if !ok {
		link.note(s, frame, at, FateSilent)
		return
	}
	link.note(s, frame, at, FateAnswered)
	s.answer = satel.AppendFrame(nil, answer.Cmd, answer.Data)
	if mode == LinkGarbled {
		s.answer = link.damage(s.answer)
	}
	s.answerAt = at.Add(cfg.AnswerDelay)
}
