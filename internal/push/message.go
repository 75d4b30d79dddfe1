package push

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"dozor/internal/ids"
	"dozor/internal/stream"
	"dozor/internal/wire"
)

// maxMessage bounds what a client may send at once, in bytes.
const maxMessage = 4 << 10

// order is what a client asks for: at least one of the two.
type order struct {
	resume    *wire.StreamPosition
	subscribe *panels
}

// panels is whose states a client wants.
type panels struct {
	all bool
	ids []ids.PanelID
}

var errEmptyOrder = errors.New("neither resume nor subscribe")

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
	if o.resume == nil && o.subscribe == nil {
		return order{}, errEmptyOrder
	}
	return o, nil
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
