package satel

import "bytes"

const (
	byteSync  = 0xFE
	byteStuff = 0xF0
	byteEnd   = 0x0D

	// maxBody bounds command, data and check value together; the longest answer known has 67 bytes.
	maxBody = 256

	// MaxData is the most data bytes that a Decoder accepts in one frame.
	MaxData = maxBody - 3

	// BusySize is the length of the text that a taken module sends before it closes a new connection.
	BusySize = 16
)

// busyText is what names the answer of a taken module; the eight bytes behind it differ from module to module.
var busyText = []byte("Busy!")

// Frame is one message, in either direction. Who made the frame says how long Data stays valid.
type Frame struct {
	Cmd  Command
	Data []byte
}

// AppendFrame appends the wire form of one message to dst and returns the result. It allocates only when dst lacks
// room; MaxFrameSize(len(data)) bytes of it are always enough. Receivers refuse more than MaxData bytes of data, and
// 0xFE is not usable as a command.
func AppendFrame(dst []byte, cmd Command, data []byte) []byte {
	crc := crcStep(crcStart, byte(cmd))
	dst = append(dst, byteSync, byteSync)
	dst = appendStuffed(dst, byte(cmd))
	for _, b := range data {
		crc = crcStep(crc, b)
		dst = appendStuffed(dst, b)
	}
	dst = appendStuffed(dst, byte(crc>>8))
	dst = appendStuffed(dst, byte(crc))
	return append(dst, byteSync, byteEnd)
}

func appendStuffed(dst []byte, b byte) []byte {
	if b == byteSync {
		return append(dst, byteSync, byteStuff)
	}
	return append(dst, b)
}

// MaxFrameSize returns the longest wire form of a message with n data bytes.
func MaxFrameSize(n int) int { return 2*(n+3) + 4 }

// IsBusy tells whether the first bytes of a connection are the text of a module that is taken by another client. Only
// the first BusySize bytes are looked at. A text that came in parts is recognised once its first six bytes are there. The
// same word inside of a frame, as in a zone's name, is something else.
func IsBusy(first []byte) bool {
	before, _, found := bytes.Cut(first[:min(len(first), BusySize)], busyText)
	return found && bytes.IndexByte(before, byteSync) < 0
}

// AppendBusy appends the text of a taken module, BusySize bytes, with the given filler at the end.
func AppendBusy(dst []byte, filler [8]byte) []byte {
	dst = append(dst, BusySize)
	dst = append(dst, busyText...)
	dst = append(dst, '\r', '\n')
	return append(dst, filler[:]...)
}
