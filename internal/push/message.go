package push

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"dozor/internal/ids"
	"dozor/internal/presence"
	"dozor/internal/stream"
	"dozor/internal/wire"
)

// maxMessage bounds what a client may send at once, in bytes.
const maxMessage = 4 << 10

// order is what a client asks for and says: at least one of the three.
type order struct {
	resume    *wire.StreamPosition
	subscribe *panels
	desk      *presence.Desk
}

// panels is whose states a client wants.
type panels struct {
	all bool
	ids []ids.PanelID
}

var errEmptyOrder = errors.New("neither resume nor subscribe nor desk")

// parseOrder reads a client's message. Members that are not known are ignored.
func parseOrder(data []byte) (order, error) {
	var m struct {
		Resume *struct {
			Epoch    *int64 `json:"epoch"`
			Position *int64 `json:"position"`
		} `json:"resume"`
		Subscribe *struct {
			Panels json.RawMessage `json:"panels"`
		} `json:"subscribe"`
		Desk *desk `json:"desk"`
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return order{}, fmt.Errorf("read a message: %w", err)
	}
	var o order
	if m.Resume != nil {
		if m.Resume.Epoch == nil || m.Resume.Position == nil || *m.Resume.Epoch < 0 || *m.Resume.Position < 0 {
			return order{}, errors.New("resume: want an epoch and a position, not negative")
		}
		o.resume = &wire.StreamPosition{Epoch: *m.Resume.Epoch, Position: *m.Resume.Position}
	}
	if m.Subscribe != nil {
		p, err := parsePanels(m.Subscribe.Panels)
		if err != nil {
			return order{}, err
		}
		o.subscribe = &p
	}
	if m.Desk != nil {
		d, err := m.Desk.parse()
		if err != nil {
			return order{}, err
		}
		o.desk = &d
	}
	if o.resume == nil && o.subscribe == nil && o.desk == nil {
		return order{}, errEmptyOrder
	}
	return o, nil
}

// desk is what a window says of itself.
type desk struct {
	ID       string       `json:"id"`
	CanSound *bool        `json:"can_sound"`
	Visible  *bool        `json:"visible"`
	AlarmID  *ids.AlarmID `json:"alarm"`
}

const uuidLength = 36

func (d *desk) parse() (presence.Desk, error) {
	id, err := uuid.Parse(d.ID)
	switch {
	case err != nil || len(d.ID) != uuidLength || id == uuid.Nil:
		return presence.Desk{}, errors.New("desk: want an id, a UUID")
	case d.CanSound == nil || d.Visible == nil:
		return presence.Desk{}, errors.New("desk: want can_sound and visible")
	case d.AlarmID != nil && *d.AlarmID <= 0:
		return presence.Desk{}, errors.New("desk: want an alarm's number, or none")
	}
	said := presence.Desk{ID: id, CanSound: *d.CanSound, Visible: *d.Visible}
	if d.AlarmID != nil {
		said.AlarmID = *d.AlarmID
	}
	return said, nil
}

func parsePanels(data json.RawMessage) (panels, error) {
	if bytes.Equal(data, []byte(`"all"`)) {
		return panels{all: true}, nil
	}
	var p panels
	if len(data) == 0 || data[0] != '[' {
		return panels{}, errors.New(`subscribe: want panels, a list or "all"`)
	}
	if err := json.Unmarshal(data, &p.ids); err != nil {
		return panels{}, fmt.Errorf("subscribe: %w", err)
	}
	if len(p.ids) > stream.MaxPanels {
		return panels{}, fmt.Errorf("subscribe: %d panels, at most %d", len(p.ids), stream.MaxPanels)
	}
	return p, nil
}
