package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"dozor/internal/event"
	"dozor/internal/ids"
	"dozor/internal/wire"
)

const (
	protocol     = "dozor.v1"
	ticketPrefix = "ticket."
	// silence is how long a client waits for a message before it connects anew.
	silence = 3 * time.Second
	// maxFrame bounds a message in bytes; frames are far smaller.
	maxFrame = 16 << 20
	// firstPause is how long a client waits before it tries again.
	firstPause = 500 * time.Millisecond
)

// message is what a screen reads of what it is sent.
type message struct {
	Type     string `json:"type"`
	Epoch    int64  `json:"epoch"`
	Position int64  `json:"position"`
	Data     struct {
		Events []eventView `json:"events"`
	} `json:"data"`
}

type eventView struct {
	ID          ids.EventID  `json:"id"`
	PanelID     ids.PanelID  `json:"panel_id"`
	Source      event.Source `json:"source"`
	Code        int          `json:"code"`
	Restore     bool         `json:"restore"`
	Zone        int          `json:"zone"`
	Provisional bool         `json:"provisional"`
}

// ledger is what one screen has seen.
type ledger struct {
	Arrivals    []arrival           // of panels' records, each event once, in order
	Seen        map[ids.EventID]int // in how many frames each event was, of any source
	Repeated    int                 // sightings beyond the first
	Provisional int                 // events inferred from state bits
	Last        time.Time           // of the last new event
}

// screen is one WebSocket client. It follows the rules of the stream: it drops positions
// that it has, and resumes after a broken connection.
type screen struct {
	api  *api
	log  *slog.Logger
	only map[ids.PanelID]bool // panels whose events count; nil: all

	at       wire.StreamPosition // only run uses it
	ready    chan struct{}       // closed with the first message
	isReady  bool
	mu       sync.Mutex
	seen     ledger
	restarts int
	resets   int
}

func newScreen(a *api, from wire.StreamPosition, only map[ids.PanelID]bool, log *slog.Logger) *screen {
	return &screen{api: a, at: from, only: only, log: log, ready: make(chan struct{}), seen: ledger{Seen: map[ids.EventID]int{}}}
}

// count is how many events of panels' records the screen has seen, and of all sources.
func (s *screen) count() (records, all int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.seen.Arrivals), len(s.seen.Seen)
}

// take returns what was seen so far and begins anew.
func (s *screen) take() ledger {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.seen
	s.seen = ledger{Seen: map[ids.EventID]int{}}
	return taken
}

// troubles are how often the connection broke, and how often the stream had to be
// loaded anew.
func (s *screen) troubles() (restarts, resets int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.restarts, s.resets
}

// run follows the stream until ctx ends, which is no error. A screen that never got
// through gives up with the error.
func (s *screen) run(ctx context.Context) error {
	for {
		err := s.follow(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the end was asked for
		}
		if !s.isReady {
			return fmt.Errorf("connect a screen: %w", err)
		}
		s.log.Debug("a screen connects anew", "err", err)
		s.mu.Lock()
		s.restarts++
		s.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(firstPause):
		}
	}
}

// follow is one connection, to its end.
func (s *screen) follow(ctx context.Context) error {
	ticket, err := s.api.ticket(ctx)
	if err != nil {
		return err
	}
	conn, response, err := websocket.Dial(ctx, s.api.base+"/api/ws", &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: s.api.http.Transport}, Subprotocols: []string{protocol, ticketPrefix + ticket},
	})
	if err != nil {
		return fmt.Errorf("open the stream: %w", err)
	}
	defer func() { _ = conn.CloseNow() }() // whatever it says, the connection is gone
	if response.Body != nil {
		defer response.Body.Close()
	}
	conn.SetReadLimit(maxFrame)
	if err := s.resume(ctx, conn); err != nil {
		return err
	}
	for {
		if err := s.receive(ctx, conn); err != nil {
			return err
		}
	}
}

func (s *screen) resume(ctx context.Context, conn *websocket.Conn) error {
	order, err := json.Marshal(map[string]wire.StreamPosition{"resume": s.at})
	if err != nil {
		return fmt.Errorf("resume the stream: %w", err)
	}
	if err := conn.Write(ctx, websocket.MessageText, order); err != nil {
		return fmt.Errorf("resume the stream: %w", err)
	}
	return nil
}

func (s *screen) receive(ctx context.Context, conn *websocket.Conn) error {
	bounded, cancel := context.WithTimeout(ctx, silence)
	_, data, err := conn.Read(bounded)
	now := time.Now()
	cancel()
	if err != nil {
		return fmt.Errorf("read the stream: %w", err)
	}
	var m message
	if err := json.Unmarshal(data, &m); err != nil {
		return fmt.Errorf("read the stream: %.200s: %w", data, err)
	}
	if !s.isReady {
		s.isReady = true
		close(s.ready)
	}
	switch m.Type {
	case "reset":
		return s.reset(ctx, conn)
	case "heartbeat", wire.PanelState, wire.DeskList, wire.StationState:
		return nil
	case "":
		return errors.New("read the stream: a message without a type")
	}
	s.note(m, now)
	return nil
}

func (s *screen) reset(ctx context.Context, conn *websocket.Conn) error {
	s.mu.Lock()
	s.resets++
	s.mu.Unlock()
	at, err := s.api.position(ctx)
	if err != nil {
		return err
	}
	s.at = at
	return s.resume(ctx, conn)
}

// note writes down the events of a frame, unless the frame was seen.
func (s *screen) note(m message, now time.Time) {
	if m.Epoch < s.at.Epoch || m.Epoch == s.at.Epoch && m.Position <= s.at.Position {
		return
	}
	s.at = wire.StreamPosition{Epoch: m.Epoch, Position: m.Position}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range m.Data.Events {
		// What the station says of itself, that it is late for one, is of no panel.
		if e.PanelID == 0 || s.only != nil && !s.only[e.PanelID] {
			continue
		}
		s.seen.Seen[e.ID]++
		if s.seen.Seen[e.ID] > 1 {
			s.seen.Repeated++
			continue
		}
		s.seen.Last = now
		switch {
		case e.Source != event.FromPanel:
		case e.Provisional:
			s.seen.Provisional++
		default:
			s.seen.Arrivals = append(s.seen.Arrivals, arrival{
				signature{panel: e.PanelID, code: e.Code, zone: e.Zone, restore: e.Restore}, now,
			})
		}
	}
}
