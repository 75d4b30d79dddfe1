package bench

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

// What a listener knows of RFC 6455: it never masks in earnest, and takes no extensions.
const (
	opContinuation = 0x0
	opText         = 0x1
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA

	finalFrame = 0x80
	maskedBit  = 0x80
	length16   = 126 // the length follows in two bytes
	length64   = 127 // in eight
)

const (
	// slowBuffer is what the kernel takes for a client that does not read, in bytes.
	slowBuffer = 4 << 10
	// joinLimit bounds how long a connection may take to be served.
	joinLimit = 30 * time.Second
	// lastLook is how long a slow client reads at the end, to see whether it was let go.
	lastLook = 3 * time.Second
)

// tally counts over all attentive listeners.
type tally struct {
	after atomic.Int64 // notifications above this number are measured
	last  atomic.Int64 // when the newest came, in Unix nanoseconds
}

// measure begins to measure after a notification; until then they are for warming up.
func (t *tally) measure(after int64) { t.after.CompareAndSwap(math.MaxInt64, after) }

func (t *tally) lastArrival() time.Time { return time.Unix(0, t.last.Load()) }

// listener is a client that costs its machine as little as it can, so that thousands
// leave room for the server: one goroutine, one buffer, no library.
type listener struct {
	conn    net.Conn
	in      *bufio.Reader
	message []byte       // grows to the longest
	tally   *tally       // nil: nobody counts
	newest  atomic.Int64 // number of the newest notification

	// What follows is the reader's until it has ended.

	joined   chan struct{} // closed with the first message
	ended    chan struct{} // closed with the connection, of an attentive one
	isJoined bool
	lost     int
	doubled  int
	took     []time.Duration
}

// dialListener opens a WebSocket. A slow client's machine takes only little for it.
func dialListener(ctx context.Context, address, path string, slow bool, protocols string) (*listener, error) {
	ctx, cancel := context.WithTimeout(ctx, joinLimit)
	defer cancel()
	var dialer net.Dialer
	if slow {
		// Before it connects: what a window once was, the other side waits for later.
		dialer.Control = func(_, _ string, c syscall.RawConn) error {
			var set error
			err := c.Control(func(fd uintptr) {
				set = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, slowBuffer)
			})
			return errors.Join(err, set)
		}
	}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("open a WebSocket: %w", err)
	}
	l := &listener{conn: conn, in: bufio.NewReader(conn), joined: make(chan struct{}), ended: make(chan struct{})}
	if err := l.upgrade(ctx, address, path, protocols); err != nil {
		conn.Close()
		return nil, fmt.Errorf("open a WebSocket: %w", err)
	}
	return l, nil
}

func (l *listener) upgrade(ctx context.Context, address, path, protocols string) error {
	if limit, ok := ctx.Deadline(); ok {
		if err := l.conn.SetDeadline(limit); err != nil {
			return err
		}
	}
	var key [16]byte
	_, _ = rand.Read(key[:]) // never fails
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, http.NoBody)
	if err != nil {
		return err
	}
	request.Header = http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"},
		"Sec-Websocket-Key": {base64.StdEncoding.EncodeToString(key[:])}, "Sec-Websocket-Protocol": {protocols},
	}
	if err := request.Write(l.conn); err != nil {
		return err
	}
	answer, err := http.ReadResponse(l.in, request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusSwitchingProtocols {
		said, _ := io.ReadAll(io.LimitReader(answer.Body, 300))
		return fmt.Errorf("%s: %s", answer.Status, said)
	}
	return l.conn.SetDeadline(time.Time{})
}

func (l *listener) hasEnded() bool {
	select {
	case <-l.ended:
		return true
	default:
		return false
	}
}

// say sends a frame. The mask that clients must use is zero, which leaves it readable.
func (l *listener) say(opcode byte, payload []byte) error {
	frame := []byte{finalFrame | opcode}
	if len(payload) < length16 {
		frame = append(frame, maskedBit|byte(len(payload)))
	} else {
		frame = binary.BigEndian.AppendUint16(append(frame, maskedBit|length16), uint16(len(payload)))
	}
	frame = append(frame, 0, 0, 0, 0)
	_, err := l.conn.Write(append(frame, payload...))
	return err
}

// hear reads until the connection ends and says why it did.
func (l *listener) hear() error {
	for {
		if err := l.hearOne(); err != nil {
			return err
		}
	}
}

func (l *listener) hearOne() error {
	message, err := l.next()
	if err != nil {
		return err
	}
	if !l.isJoined {
		l.isJoined = true
		close(l.joined)
	}
	return l.take(message, time.Now())
}

// take reads what is in a message: several things, a line each, where the server joins
// what is on its way to one client.
func (l *listener) take(message []byte, now time.Time) error {
	for line := range bytes.SplitSeq(message, []byte("\n")) {
		if bytes.Equal(line, peerPing) {
			if err := l.say(opText, peerPing); err != nil {
				return err
			}
			continue
		}
		if l.tally == nil {
			continue
		}
		if err := l.note(line, now); err != nil {
			return err
		}
	}
	return nil
}

// hearUntil reads until told to stop, leaves everything untaken, and at the end reads for
// a moment: os.ErrDeadlineExceeded says that the server has kept the connection.
func (l *listener) hearUntil(stop, end <-chan struct{}) error {
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		select {
		case <-stop:
		case <-end:
		}
		_ = l.conn.SetReadDeadline(time.Now()) // a connection that has ended can't be read either
	}()
	err := l.hear()
	<-reading
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	<-end
	if err := l.conn.SetReadDeadline(time.Now().Add(lastLook)); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, l.conn)
	if err == nil {
		err = io.EOF
	}
	return err
}

// closedError is the server's reason to end the connection.
type closedError struct {
	code   int
	reason string
}

func (e closedError) Error() string { return fmt.Sprintf("closed with %d: %s", e.code, e.reason) }

// next returns a whole message, good until the next call, and answers pings.
func (l *listener) next() ([]byte, error) {
	l.message = l.message[:0]
	for {
		var head [2]byte
		if _, err := io.ReadFull(l.in, head[:]); err != nil {
			return nil, err
		}
		length, err := l.length(head[1])
		if err != nil {
			return nil, err
		}
		begin := len(l.message)
		if begin+length > maxFrame {
			return nil, fmt.Errorf("a message of %d bytes", begin+length)
		}
		l.message = append(l.message, make([]byte, length)...)
		payload := l.message[begin:]
		if _, err := io.ReadFull(l.in, payload); err != nil {
			return nil, err
		}
		switch head[0] & 0xF {
		case opText, opContinuation:
			if head[0]&finalFrame != 0 {
				return l.message, nil
			}
			continue
		case opPing:
			err = l.say(opPong, payload)
		case opPong:
		case opClose:
			err = closedError{}
			if len(payload) >= 2 {
				err = closedError{int(binary.BigEndian.Uint16(payload)), string(payload[2:])}
			}
		default:
			err = fmt.Errorf("a frame of kind %d", head[0]&0xF)
		}
		if err != nil {
			return nil, err
		}
		l.message = l.message[:begin] // a control frame may come between two parts
	}
}

func (l *listener) length(short byte) (int, error) {
	var long [8]byte
	switch short {
	case length16:
		_, err := io.ReadFull(l.in, long[:2])
		return int(binary.BigEndian.Uint16(long[:2])), err
	case length64:
		_, err := io.ReadFull(l.in, long[:])
		return int(min(binary.BigEndian.Uint64(long[:]), maxFrame+1)), err
	default:
		return int(short), nil
	}
}

// numbered composes what is sent: its number, when that was, and so many bytes that
// the whole is as long as wanted.
func numbered(number int64, sent time.Time, length int) []byte {
	data := append([]byte("{"), mark...)
	data = strconv.AppendInt(data, number, 10)
	data = append(data, ',')
	data = strconv.AppendInt(data, sent.UnixNano(), 10)
	data = append(data, `],"text":"`...)
	data = append(data, bytes.Repeat([]byte("x"), max(0, length-len(data)-2))...)
	return append(data, `"}`...)
}

var mark = []byte(`"bench":[`)

// note takes a notification, if the line is one. They are in order, with numbers from 1 on.
func (l *listener) note(line []byte, now time.Time) error {
	_, rest, found := bytes.Cut(line, mark)
	if !found {
		return nil
	}
	numbers, _, _ := bytes.Cut(rest, []byte("]"))
	text, when, _ := bytes.Cut(numbers, []byte(","))
	number, err1 := strconv.ParseInt(string(text), 10, 64)
	sent, err2 := strconv.ParseInt(string(when), 10, 64)
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("read a notification: %w", err)
	}
	newest := l.newest.Load()
	if number <= newest {
		l.doubled++
		return nil
	}
	l.lost += int(number - newest - 1)
	if number > l.tally.after.Load() {
		l.took = append(l.took, now.Sub(time.Unix(0, sent)))
	}
	l.tally.last.Store(now.UnixNano())
	l.newest.Store(number)
	return nil
}
