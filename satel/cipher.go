package satel

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
)

const (
	// KeySize is the most characters of an integration key that count.
	KeySize = 12

	// messageHeaderSize is what stands before the frame: random, counter, both ids.
	messageHeaderSize = 6

	// MinMessage is the least that the length byte before an encrypted message may say.
	MinMessage = aes.BlockSize

	// MaxMessage is the most that the length byte before an encrypted message can say.
	MaxMessage = 255

	// MaxMessageFrame is the longest wire form of a frame that an encrypted message holds.
	MaxMessageFrame = MaxMessage - messageHeaderSize
)

// Message is what one encrypted message says: a whole frame in its wire form, and the numbers by which the two sides
// know each other's messages.
type Message struct {
	// Random makes equal messages look different on the wire.
	Random [2]byte
	// Counter counts the sender's messages and wraps.
	Counter uint16
	// Sender is the number that the sender gave itself in this message, Receiver the one that it last got from the other
	// side, 0 before any. An answer's Receiver therefore equals the Sender of the last request.
	Sender, Receiver byte
	// Frame begins with FE FE and ends with FE 0D. Who made the message says how long it stays valid.
	Frame []byte
}

// Cipher is the encryption of one integration key: AES-192, each message by itself. It has no state, so any number of
// connections and goroutines may share one.
type Cipher struct {
	block cipher.Block
	start [aes.BlockSize]byte // what the first block is chained to: the encryption of a block of zeros
}

// NewCipher returns the cipher of an integration key as an installer enters it in DLOADX. An empty key is one too; of a
// key with more than KeySize characters the rest does not count. It wraps ErrKey when the key has characters that
// modules have no agreed form of: only printable ASCII has one. The error does not quote the key.
func NewCipher(key string) (*Cipher, error) {
	for i := range len(key) {
		if key[i] < ' ' || key[i] > '~' {
			return nil, ErrKey
		}
	}
	var half [KeySize]byte
	for i := copy(half[:], key); i < KeySize; i++ {
		half[i] = ' '
	}
	block, err := aes.NewCipher(append(half[:], half[:]...))
	if err != nil {
		return nil, fmt.Errorf("integration key: %w", err)
	}
	c := &Cipher{block: block}
	block.Encrypt(c.start[:], c.start[:])
	return c, nil
}

// AppendMessage appends a message as it goes over the wire, behind the byte that gives its length, and returns the
// result. It allocates only when dst lacks room; 2*MaxMessage bytes of it are always enough. It panics when the frame is
// longer than MaxMessageFrame.
func (c *Cipher) AppendMessage(dst []byte, m Message) []byte {
	size := max(MinMessage, messageHeaderSize+len(m.Frame))
	if size > MaxMessage {
		panic("satel: frame too long for an encrypted message")
	}
	dst = append(dst, byte(size), m.Random[0], m.Random[1])
	dst = binary.BigEndian.AppendUint16(dst, m.Counter)
	dst = append(dst, m.Sender, m.Receiver)
	dst = append(dst, m.Frame...)
	for n := messageHeaderSize + len(m.Frame); n < size; n++ {
		dst = append(dst, 0)
	}
	body := dst[len(dst)-size:]
	chain := c.start[:]
	for len(body) >= aes.BlockSize {
		block := body[:aes.BlockSize]
		subtle.XORBytes(block, block, chain)
		c.block.Encrypt(block, block)
		chain, body = block, body[aes.BlockSize:]
	}
	if len(body) == 0 {
		return dst
	}
	// The room behind the message serves as a scratch pad: one on the stack would escape to the heap.
	n := len(dst)
	dst = append(dst, chain...)
	pad := dst[n:]
	c.block.Encrypt(pad, pad)
	rest := dst[n-len(body) : n]
	subtle.XORBytes(rest, rest, pad)
	clear(pad)
	return dst[:n]
}

// ParseMessage reads an encrypted message, without the byte that gives its length. It decrypts body where it lies, and
// the message's Frame shares it. Errors wrap ErrLength when no message has that length, and ErrMessage when it holds no
// frame: most often the two sides have different keys. The frame's own check value is the Decoder's to look at.
func (c *Cipher) ParseMessage(body []byte) (Message, error) {
	if len(body) < MinMessage || len(body) > MaxMessage {
		return Message{}, fmt.Errorf("encrypted message: %w: %d bytes", ErrLength, len(body))
	}
	c.decrypt(body)
	end := frameEnd(body[messageHeaderSize:])
	if end < 0 {
		return Message{}, ErrMessage
	}
	return Message{
		Random: [2]byte(body), Counter: binary.BigEndian.Uint16(body[2:]), Sender: body[4], Receiver: body[5],
		Frame: body[messageHeaderSize : messageHeaderSize+end : messageHeaderSize+end],
	}, nil
}

// decrypt works from the end, since each block needs its encrypted predecessor.
func (c *Cipher) decrypt(body []byte) {
	whole := len(body) / aes.BlockSize * aes.BlockSize
	rest := body[whole:]
	for at := whole - aes.BlockSize; at >= 0; at -= aes.BlockSize {
		block := body[at : at+aes.BlockSize]
		if len(rest) > 0 {
			// The rest is hidden by the encryption of the last whole block, which decrypting brings back.
			c.block.Encrypt(block, block)
			subtle.XORBytes(rest, rest, block)
			c.block.Decrypt(block, block)
			rest = nil
		}
		c.block.Decrypt(block, block)
		chain := c.start[:]
		if at > 0 {
			chain = body[at-aes.BlockSize : at]
		}
		subtle.XORBytes(block, block, chain)
	}
}

// frameEnd returns the length of the frame that data begin with, -1 when they begin with none.
func frameEnd(data []byte) int {
	start := 0
	for start < len(data) && data[start] == byteSync {
		start++
	}
	if start < 2 {
		return -1
	}
	// Inside of a frame FE stands before F0 alone; the command itself may be 0D.
	end := bytes.Index(data[start:], []byte{byteSync, byteEnd})
	if end < 0 {
		return -1
	}
	return start + end + 2
}
