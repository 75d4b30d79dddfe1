package stream

import (
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"

	"dozor/internal/ids"
	"dozor/internal/live"
)

// entry is a frame as it goes out, shared by all who are sent it.
type entry struct {
	position   int64
	site       ids.SiteID
	audience   string
	kind       string
	data       []byte
	trace      string
	answeredAt time.Time
	shown      atomic.Bool // the first client has it
}

func encode(f live.Frame) (*entry, error) {
	data, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("encode the frame at %d: %w", f.Position, err)
	}
	return &entry{position: f.Position, site: f.SiteID, audience: f.Audience, kind: f.Type, data: data, trace: f.Trace, answeredAt: f.AnsweredAt}, nil
}

// ring holds the newest frames of one epoch, first..top without a hole; empty when first
// is beyond top. The zero ring holds nothing and must be reset before use.
type ring struct {
	slots []*entry
	first int64
	top   int64
}

func newRing(size int) ring { return ring{slots: make([]*entry, size), first: 1} }

func (r *ring) at(position int64) *entry { return r.slots[position%int64(len(r.slots))] }

// add appends the entry that follows top.
func (r *ring) add(e *entry) {
	r.slots[e.position%int64(len(r.slots))] = e
	r.top = e.position
	r.first = max(r.first, r.top-int64(len(r.slots))+1)
}

// reset empties the ring; the next entry is the one after top.
func (r *ring) reset(top int64) {
	clear(r.slots)
	r.first, r.top = top+1, top
}
