package satel

import "fmt"

// EventText is the panel's own wording of an event, in its own language.
type EventText struct {
	Code      int // 0 to 1023
	Restore   bool
	Long      bool
	LongKind  LongKind
	ShortKind int
	Text      string
}

const (
	eventTextHeaderSize = 5
	shortTextSize       = 16
	longTextSize        = 46
	longTextBit         = 0x80
	fullCodeHigh        = 0x07
)

// AppendEventTextRequest appends the data of a request CmdEventText.
func AppendEventTextRequest(dst []byte, code int, restore, long bool) []byte {
	hi := byte(code >> 8)
	if restore {
		hi |= restoreBit >> 8
	}
	if long {
		hi |= longTextBit
	}
	return append(dst, hi, byte(code))
}

// ParseEventTextRequest reads the data of a request CmdEventText, for the side of the module.
func ParseEventTextRequest(data []byte) (code int, restore, long bool, err error) {
	if len(data) != 2 {
		return 0, false, false, fmt.Errorf("event text request: %w: %d bytes", ErrLength, len(data))
	}
	full := int(data[0]&fullCodeHigh)<<8 | int(data[1])
	return full &^ restoreBit, full&restoreBit != 0, data[0]&longTextBit != 0, nil
}

// ParseEventText reads the data of an answer to CmdEventText.
func ParseEventText(data []byte) (EventText, error) {
	if len(data) < 2 {
		return EventText{}, fmt.Errorf("event text: %w: %d bytes", ErrLength, len(data))
	}
	var t EventText
	t.Code, t.Restore, t.Long, _ = ParseEventTextRequest(data[:2])
	if len(data) != eventTextHeaderSize+t.textSize() {
		return EventText{}, fmt.Errorf("event text: %w: %d bytes", ErrLength, len(data))
	}
	t.LongKind, t.ShortKind = LongKind(data[2]), int(data[3])<<8|int(data[4])
	t.Text = decodeText(data[eventTextHeaderSize:])
	return t, nil
}

// AppendEventText appends the data of an answer to CmdEventText.
func AppendEventText(dst []byte, t EventText) ([]byte, error) {
	if t.Code < 0 || t.Code >= restoreBit || t.ShortKind < 0 || t.ShortKind > 0xFFFF {
		return nil, fmt.Errorf("event text of code %d: %w", t.Code, ErrValue)
	}
	dst = AppendEventTextRequest(dst, t.Code, t.Restore, t.Long)
	dst, err := appendText(append(dst, byte(t.LongKind), byte(t.ShortKind>>8), byte(t.ShortKind)), t.Text, t.textSize())
	if err != nil {
		return nil, fmt.Errorf("event text of code %d: %w", t.Code, err)
	}
	return dst, nil
}

func (t EventText) textSize() int {
	if t.Long {
		return longTextSize
	}
	return shortTextSize
}
