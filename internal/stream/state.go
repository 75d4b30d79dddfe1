package stream

import (
	"container/list"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"dozor/internal/errs"
	"dozor/internal/ids"
	"dozor/internal/live"
	"dozor/internal/wire"
)

// MaxPanels is how many panels a client may name in a subscription.
const MaxPanels = 500

// sitesEvery is how many ticks of the head lie between two readings of the panels'
// sites, while somebody is attached who may not see all of them.
const sitesEvery = 20

// stateLog holds the latest state of each panel in the order of their changes. A
// subscription remembers the number of the last change that it took; what it has not
// taken is replaced in place, so that nothing queues up.
type stateLog struct {
	changes int64
	panels  map[ids.PanelID]*list.Element
	order   *list.List // of stateEntry, oldest change first
}

type stateEntry struct {
	change     int64
	panel      ids.PanelID
	fence, seq int64
	answeredAt time.Time
	data       []byte
}

func newStateLog() stateLog {
	return stateLog{panels: map[ids.PanelID]*list.Element{}, order: list.New()}
}

func (l *stateLog) put(s live.PanelState, data []byte) bool {
	known := l.panels[s.PanelID]
	if known != nil {
		was := known.Value.(stateEntry)
		older := s.Fence < was.fence || s.Fence == was.fence && (s.Seq < was.seq || s.Seq == was.seq && !s.AnsweredAt.After(was.answeredAt))
		if older {
			return false
		}
		l.order.Remove(known)
	}
	l.changes++
	l.panels[s.PanelID] = l.order.PushBack(stateEntry{
		change: l.changes, panel: s.PanelID, fence: s.Fence, seq: s.Seq, answeredAt: s.AnsweredAt, data: data,
	})
	return true
}

// after returns the oldest change after a number, nil when there is none. It walks over
// the newer ones only.
func (l *stateLog) after(change int64) *list.Element {
	var found *list.Element
	for e := l.order.Back(); e != nil && e.Value.(stateEntry).change > change; e = e.Prev() {
		found = e
	}
	return found
}

type stateMessage struct {
	Type string          `json:"type"`
	At   time.Time       `json:"at"`
	Data live.PanelState `json:"data"`
}

// PublishState hands states of panels to the clients that subscribed to them. States
// older than what is known, by (fence, seq), are ignored. It does not wait for anyone.
func (h *Hub) PublishState(states []live.PanelState) {
	now := time.Now().UTC()
	encoded := make([][]byte, len(states))
	for i, s := range states {
		data, err := json.Marshal(stateMessage{Type: wire.PanelState, At: now, Data: s})
		if err != nil {
			h.cfg.Log.Error("a panel's state can't be encoded", "panel_id", s.PanelID, "err", err)
			continue
		}
		encoded[i] = data
	}
	changed := false
	h.mu.Lock()
	for i, s := range states {
		if encoded[i] != nil && h.states.put(s, encoded[i]) {
			changed = true
		}
	}
	h.mu.Unlock()
	if changed {
		h.wake()
	}
}

// panelChoice is what a client subscribed to.
type panelChoice struct {
	all    bool
	panels map[ids.PanelID]struct{}
}

func (c panelChoice) has(panel ids.PanelID) bool {
	if c.all {
		return true
	}
	_, ok := c.panels[panel]
	return ok
}

// SubscribePanels replaces the choice of panels whose states the client is sent, and
// begins with what is known of them; all means every one that it may see. Of more than
// MaxPanels it returns an error of kind errs.Invalid. Panels out of scope, or that are
// not there, are silent.
func (s *Subscription) SubscribePanels(ctx context.Context, all bool, panels []ids.PanelID) error {
	if len(panels) > MaxPanels {
		return errs.New(errs.Invalid, "too_many_panels", fmt.Sprintf("At most %d panels can be subscribed to.", MaxPanels))
	}
	if s.scope.sites != nil {
		if err := s.hub.needSites(ctx); err != nil {
			return err
		}
	}
	choice := panelChoice{all: all, panels: make(map[ids.PanelID]struct{}, len(panels))}
	for _, id := range panels {
		choice.panels[id] = struct{}{}
	}
	s.mu.Lock()
	s.newChoice = &choice
	s.mu.Unlock()
	s.nudge()
	return nil
}

func (s *Subscription) choosesPanels() bool { return s.choice.all || len(s.choice.panels) > 0 }

// takeStates collects states that the client has not got yet, oldest change first.
func (s *Subscription) takeStates() []Message {
	if !s.choosesPanels() {
		return nil
	}
	s.hub.mu.RLock()
	defer s.hub.mu.RUnlock()
	var out []Message
	for e := s.hub.states.after(s.stateChange); e != nil && len(out) < maxMessages; e = e.Next() {
		state := e.Value.(stateEntry)
		s.stateChange = state.change
		if s.choice.has(state.panel) && s.seesPanel(state.panel) {
			out = append(out, Message{Data: state.data})
		}
	}
	return out
}

// seesPanel decides by the panel's site; called under the hub's lock.
func (s *Subscription) seesPanel(panel ids.PanelID) bool {
	if s.scope.sites == nil {
		return true
	}
	site, ok := s.hub.sites[panel]
	return ok && s.scope.seesSite(site)
}

// needSites reads the panels' sites unless they are kept fresh already.
func (h *Hub) needSites(ctx context.Context) error {
	h.mu.RLock()
	known := h.sites != nil
	h.mu.RUnlock()
	if known {
		return nil
	}
	return h.readSites(ctx)
}

func (h *Hub) readSites(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	sites, err := h.cfg.Reader.PanelSites(ctx)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sites = sites
	return nil
}

// refreshSites keeps the panels' sites fresh while a viewer with a limited scope is
// there, and forgets them when none is.
func (h *Hub) refreshSites(ctx context.Context) {
	h.mu.Lock()
	needed := false
	for s := range h.subs {
		needed = needed || s.scope.sites != nil
	}
	if !needed {
		h.sites = nil
	}
	known := h.sites != nil
	h.mu.Unlock()
	if !known {
		return
	}
	if err := h.readSites(ctx); err != nil && ctx.Err() == nil {
		h.cfg.Log.Warn("the panels' sites can't be read: the scope of panel states is as it was", "err", err)
	}
}
