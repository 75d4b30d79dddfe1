package redislive

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"dozor/internal/ids"
	"dozor/internal/live"
)

// A frame's encoding: "<epoch> <position> <header>\n<data>". The header is JSON, which
// has no line break in it; the data are the frame's, byte for byte.
type header struct {
	Type       string     `json:"type"`
	At         time.Time  `json:"at"`
	Ring       int        `json:"ring,omitempty"`
	SiteID     ids.SiteID `json:"site,omitempty"`
	Audience   string     `json:"audience,omitempty"`
	Trace      string     `json:"trace,omitempty"`
	AnsweredAt time.Time  `json:"answered_at,omitzero"`
}

func encodeFrame(f live.Frame) ([]byte, error) {
	h, err := json.Marshal(header{
		Type: f.Type, At: f.At.UTC(), Ring: f.Ring, SiteID: f.SiteID, Audience: f.Audience, Trace: f.Trace, AnsweredAt: f.AnsweredAt.UTC(),
	})
	if err != nil {
		return nil, fmt.Errorf("encode the frame at position %d: %w", f.Position, err)
	}
	b := make([]byte, 0, len(h)+len(f.Data)+32)
	b = strconv.AppendInt(b, f.Epoch, 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, f.Position, 10)
	b = append(b, ' ')
	b = append(b, h...)
	b = append(b, '\n')
	return append(b, f.Data...), nil
}

var errFrame = errors.New("not the encoding of a frame")

func decodeFrame(b []byte) (live.Frame, error) {
	var f live.Frame
	head, data, ok := bytes.Cut(b, []byte{'\n'})
	if !ok {
		return f, errFrame
	}
	epoch, rest, ok := bytes.Cut(head, []byte{' '})
	if !ok {
		return f, errFrame
	}
	position, rest, ok := bytes.Cut(rest, []byte{' '})
	if !ok {
		return f, errFrame
	}
	var err error
	if f.Epoch, err = strconv.ParseInt(string(epoch), 10, 64); err != nil {
		return f, fmt.Errorf("%w: %w", errFrame, err)
	}
	if f.Position, err = strconv.ParseInt(string(position), 10, 64); err != nil {
		return f, fmt.Errorf("%w: %w", errFrame, err)
	}
	var h header
	if err := json.Unmarshal(rest, &h); err != nil {
		return f, fmt.Errorf("%w: %w", errFrame, err)
	}
	f.Type, f.At, f.Ring, f.SiteID, f.Audience, f.Trace = h.Type, h.At.UTC(), h.Ring, h.SiteID, h.Audience, h.Trace
	if !h.AnsweredAt.IsZero() {
		f.AnsweredAt = h.AnsweredAt.UTC()
	}
	f.Data = data
	return f, nil
}

// decodeMessage reads a publication: each frame's encoding after its length and a colon.
func decodeMessage(b []byte) ([]live.Frame, error) {
	var frames []live.Frame
	for len(b) > 0 {
		length, rest, ok := bytes.Cut(b, []byte{':'})
		if !ok {
			return nil, errFrame
		}
		n, err := strconv.Atoi(string(length))
		if err != nil || n < 0 || n > len(rest) {
			return nil, errFrame
		}
		f, err := decodeFrame(rest[:n:n])
		if err != nil {
			return nil, err
		}
		frames = append(frames, f)
		b = rest[n:]
	}
	return frames, nil
}
