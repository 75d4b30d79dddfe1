package sim

import (
	"math/rand/v2"

	"dozor/satel"
)

// seal is the module's side of one encrypted connection.
//
// The module draws a new id for each of its messages, repeats the client's last one in all of them, pushed ones too, and
// looks at neither the client's counter nor at the id that comes back: nobody knows whether a real one does.
type seal struct {
	cipher  *satel.Cipher
	closes  bool // a message under another key ends the connection
	random  *rand.Rand
	counter uint16
	heard   byte   // id of the client's last message
	in      []byte // a message that has not come whole yet, with its length in front
}

// open takes what has come in and hands on the frames of the messages in it. It returns how many messages could not be
// read, which means that the client has another key.
func (e *seal) open(data []byte, deliver func([]byte)) (strangers int) {
	e.in = append(e.in, data...)
	for len(e.in) > 0 && len(e.in) > int(e.in[0]) {
		size := 1 + int(e.in[0])
		message, err := e.cipher.ParseMessage(e.in[1:size])
		if err != nil {
			strangers++
		} else {
			e.heard = message.Sender
			deliver(message.Frame)
		}
		e.in = e.in[size:]
	}
	if len(e.in) == 0 {
		e.in = nil
	}
	return strangers
}

// wrap returns a frame as an encrypted message.
func (e *seal) wrap(frame []byte) []byte {
	noise := e.random.Uint32()
	message := satel.Message{
		Random: [2]byte{byte(noise), byte(noise >> 8)}, Counter: e.counter, Sender: byte(noise >> 16), Receiver: e.heard,
		Frame: frame,
	}
	e.counter++
	return e.cipher.AppendMessage(nil, message)
}

// SetKey sets whether the module speaks encrypted, and with which integration key, as an installer does: the present
// connection ends. The error, of a key that no module takes, does not quote it.
func (p *Panel) SetKey(encrypted bool, key string) error {
	var cipher *satel.Cipher
	if encrypted {
		var err error
		if cipher, err = satel.NewCipher(key); err != nil {
			return err
		}
	}
	p.link.mu.Lock()
	p.link.cipher = cipher
	p.link.mu.Unlock()
	p.link.cut("the integration key was changed")
	return nil
}

// SetWrongKey sets what the module does with messages under another key. Connections that are there keep to the old way.
func (p *Panel) SetWrongKey(w WrongKey) {
	p.link.mu.Lock()
	defer p.link.mu.Unlock()
	p.link.wrongKey = w
}
