package client

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync"

	"dozor/satel"
)

// errStranger means that a message of the module answers something that this connection has never sent.
var errStranger = errors.New("encrypted message answers another client")

// sealed is the encrypted form of a connection: each Write is one frame and becomes one message, each Read returns the
// frame of one message. One goroutine may read while another writes.
//
// It has one number for the whole connection instead of one for each message. Modules take both, and what the module
// pushes while a request is on its way still mirrors the request before: under new numbers for each that would look
// like a message that is not for us.
type sealed struct {
	conn   io.ReadWriter
	cipher *satel.Cipher
	own    byte // never 0, which a module mirrors before it has heard of us

	mu      sync.Mutex
	counter uint16
	peer    byte // the module's number in its last message, 0 before any
	asked   bool // whether anything was written

	out []byte // the writer's

	// The reader's: buf[:n] is received and not yet taken.
	buf  [2 * (1 + satel.MaxMessage)]byte
	n    int
	read bool // whether any message could be read
}

func newSealed(conn io.ReadWriter, cipher *satel.Cipher) *sealed {
	s := &sealed{conn: conn, cipher: cipher}
	for s.own == 0 {
		s.own = randomPair()[0]
	}
	return s
}

func randomPair() (pair [2]byte) {
	_, _ = rand.Read(pair[:]) // never fails: without random numbers the process ends
	return pair
}

// Write sends one frame of at most satel.MaxMessageFrame bytes.
func (s *sealed) Write(frame []byte) (int, error) {
	s.mu.Lock()
	m := satel.Message{
		Random: randomPair(), Counter: s.counter, Sender: s.own, Receiver: s.peer, Frame: frame,
	}
	s.counter++
	s.asked = true
	s.mu.Unlock()
	s.out = s.cipher.AppendMessage(s.out[:0], m)
	if _, err := s.conn.Write(s.out); err != nil {
		return 0, err
	}
	return len(frame), nil
}

// Read returns one whole frame; p must have room for satel.MaxMessageFrame bytes. Errors wrap ErrBusy when the module is
// taken: then it speaks before it is asked, in which form is not known, so any byte is enough.
func (s *sealed) Read(p []byte) (int, error) {
	for {
		if s.n > 0 {
			size := int(s.buf[0])
			switch {
			case !s.read && size == satel.BusySize && satel.IsBusy(s.buf[:s.n]):
				return 0, ErrBusy
			case size < satel.MinMessage:
				return 0, fmt.Errorf("%w: length %d", satel.ErrMessage, size)
			case s.n > size:
				return s.take(p, size)
			}
		}
		n, err := s.conn.Read(s.buf[s.n:])
		s.n += n
		if n > 0 && !s.wasAsked() {
			return 0, ErrBusy
		}
		if n == 0 && err != nil {
			if s.n > 0 && errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return 0, err
		}
	}
}

// take opens the message of the given size at the buffer's beginning.
func (s *sealed) take(p []byte, size int) (int, error) {
	body := s.buf[1 : 1+size]
	m, err := s.cipher.ParseMessage(body)
	if err != nil {
		// It is not known whether the text of a taken module has the header of a message under its key.
		if !s.read && (satel.IsBusy(body) || satel.IsBusy(body[len(body)-satel.BusySize:])) {
			return 0, ErrBusy
		}
		return 0, err
	}
	if m.Receiver != s.own {
		return 0, errStranger
	}
	s.mu.Lock()
	s.peer = m.Sender
	s.mu.Unlock()
	s.read = true
	taken := copy(p, m.Frame)
	s.n = copy(s.buf[:], s.buf[1+size:s.n])
	return taken, nil
}

func (s *sealed) wasAsked() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}
