package push

import (
	"encoding/binary"
	"sync"
)

// Frames that a server writes (RFC 6455, section 5): whole messages, never masked.
const (
	frameText byte = 0x81 // final, text
	framePing byte = 0x89 // final, ping

	length16 = 126 // the length follows in two bytes
	length64 = 127 // in eight
)

// appendFrame appends a frame with this payload.
func appendFrame(b []byte, kind byte, payload []byte) []byte {
	switch n := len(payload); {
	case n < length16:
		b = append(b, kind, byte(n))
	case n <= 0xFFFF:
		b = binary.BigEndian.AppendUint16(append(b, kind, length16), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, kind, length64), uint64(n))
	}
	return append(b, payload...)
}

// writeAtOnce bounds what is composed for one write, in bytes and one message more: a
// client has its time for so much.
const writeAtOnce = 16 << 10

// buffers are for composing. A connection has one only while it writes.
var buffers = sync.Pool{New: func() any { return &buffer{} }}

type buffer struct{ b []byte }

func takeBuffer() *buffer { return buffers.Get().(*buffer) }

// giveBack keeps a buffer for others, unless a single message has made it large.
func (f *buffer) giveBack() {
	if cap(f.b) > 4*writeAtOnce {
		return
	}
	f.b = f.b[:0]
	buffers.Put(f)
}
