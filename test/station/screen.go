package station

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"dozor/internal/ids"
	"dozor/internal/wire"
)

// Screen follows the stream by the rules for clients and remembers every frame: it resumes from where it was, loads
// anew when it is told to, keeps the alarm of the higher version, and drops what it has.
type Screen struct {
	desk *Desk

	mu      sync.Mutex
	changed chan struct{} // closed and made anew with every frame
	at      wire.StreamPosition
	from    wire.StreamPosition // where it began
	frames  []Frame
	seen    map[wire.StreamPosition]bool
	alarms  map[ids.AlarmID]wire.Alarm
	beat    wire.StreamPosition // of the last heartbeat
	resets  int
	again   int // frames that came although they were there
	dials   int // connections that stood
	told    int // how often a server that stops said so
	trouble []string
}

// Frame is a frame of the stream with its data read.
type Frame struct {
	Epoch    int64     `json:"epoch"`
	Position int64     `json:"position"`
	Type     string    `json:"type"`
	At       time.Time `json:"at"`
	Ring     int       `json:"ring"`
	Data     struct {
		Alarm   *wire.Alarm   `json:"alarm"`
		Events  []wire.Event  `json:"events"`
		Command *wire.Command `json:"command"`
	} `json:"data"`
	// SeenAt is when it was on the screen.
	SeenAt time.Time `json:"-"`
}

func (f Frame) position() wire.StreamPosition {
	return wire.StreamPosition{Epoch: f.Epoch, Position: f.Position}
}

// Times of a client.
const (
	silence       = 3 * time.Second // without a message: reconnect
	reconnectMin  = 500 * time.Millisecond
	reconnectMax  = 5 * time.Second
	maxWebMessage = 4 << 20
)

// reconnectNow is how a server that stops closes its connections.
const reconnectNow websocket.StatusCode = 4000

// Screen loads the lists at the desk's instance and follows the stream until the test ends.
func (d *Desk) Screen() *Screen {
	t := d.s.T
	t.Helper()
	c := &Screen{
		desk: d, changed: make(chan struct{}), seen: map[wire.StreamPosition]bool{}, alarms: map[ids.AlarmID]wire.Alarm{},
	}
	require.NoError(t, c.load(t.Context()))
	c.from = c.at
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	return c
}

// load reads the lists and takes the position that they are of.
func (c *Screen) load(ctx context.Context) error {
	alarms, at, err := c.desk.Alarms(ctx)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
	for _, a := range alarms {
		c.keep(a)
	}
	return nil
}

// keep takes an alarm unless a higher version of it is there. The caller holds the lock.
func (c *Screen) keep(a wire.Alarm) {
	if have, ok := c.alarms[a.ID]; !ok || a.Version > have.Version {
		c.alarms[a.ID] = a
	}
}

func (c *Screen) run(ctx context.Context) {
	wait := reconnectMin
	for ctx.Err() == nil {
		stood, err := c.connect(ctx)
		if ctx.Err() != nil {
			return
		}
		if stood {
			wait = reconnectMin
		}
		c.note(err)
		c.desk.elsewhere()
		select {
		case <-ctx.Done():
		case <-time.After(wait/2 + rand.N(wait/2)):
		}
		wait = min(2*wait, reconnectMax)
	}
}

// note remembers why connections ended, for people.
func (c *Screen) note(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if websocket.CloseStatus(err) == reconnectNow {
		c.told++
	}
	c.trouble = append(c.trouble, fmt.Sprintf("%s %v", time.Now().UTC().Format("15:04:05.000"), err))
}

// connect holds one connection until it ends; stood says whether anything came over it.
func (c *Screen) connect(ctx context.Context) (stood bool, err error) {
	var ticket struct {
		Ticket string `json:"ticket"`
	}
	if _, err := c.desk.Do(ctx, http.MethodPost, "/api/ws/ticket", struct{}{}, &ticket); err != nil {
		return false, fmt.Errorf("get a ticket: %w", err)
	}
	dial, cancel := context.WithTimeout(ctx, requestTime)
	conn, _, err := websocket.Dial(dial, "ws"+strings.TrimPrefix(c.desk.url(), "http")+"/api/ws", &websocket.DialOptions{
		Subprotocols: []string{"dozor.v1", "ticket." + ticket.Ticket}, HTTPClient: &http.Client{Transport: &http.Transport{}},
	})
	cancel()
	if err != nil {
		return false, fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(maxWebMessage)
	if conn.Subprotocol() != "dozor.v1" {
		return false, fmt.Errorf("the server chose the protocol %q", conn.Subprotocol())
	}
	if err := c.resume(ctx, conn); err != nil {
		return false, err
	}
	for {
		reading, cancel := context.WithTimeout(ctx, silence)
		_, data, err := conn.Read(reading)
		cancel()
		if err != nil {
			return stood, fmt.Errorf("read: %w", err)
		}
		if !stood {
			stood = true
			c.mu.Lock()
			c.dials++
			c.mu.Unlock()
		}
		if err := c.take(ctx, conn, data); err != nil {
			return stood, err
		}
	}
}

func (c *Screen) resume(ctx context.Context, conn *websocket.Conn) error {
	c.mu.Lock()
	at := c.at
	c.mu.Unlock()
	message, err := json.Marshal(map[string]any{"resume": at})
	if err != nil {
		return err
	}
	return conn.Write(ctx, websocket.MessageText, message)
}

// take does with one message what a client must.
func (c *Screen) take(ctx context.Context, conn *websocket.Conn, data []byte) error {
	var f Frame
	if err := json.Unmarshal(data, &f); err != nil {
		return fmt.Errorf("a frame that can't be read: %w: %s", err, data)
	}
	f.SeenAt = time.Now()
	switch f.Type {
	case "":
		return errors.New("a frame without a type")
	case "reset":
		c.mu.Lock()
		c.resets++
		c.mu.Unlock()
		if err := c.load(ctx); err != nil {
			return err
		}
		return c.resume(ctx, conn)
	case "heartbeat":
		c.mu.Lock()
		c.beat = f.position()
		c.mu.Unlock()
		return nil
	case wire.PanelState, wire.DeskList, wire.StationState:
		return nil
	}
	c.show(f)
	return nil
}

func (c *Screen) show(f Frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.Epoch < c.at.Epoch || f.Epoch == c.at.Epoch && f.Position <= c.at.Position {
		c.again++
		return
	}
	c.at = f.position()
	c.seen[c.at] = true
	c.frames = append(c.frames, f)
	if f.Data.Alarm != nil {
		c.keep(*f.Data.Alarm)
	}
	close(c.changed)
	c.changed = make(chan struct{})
}

// Mark is a place in what the screen has shown: everything after it is new.
func (c *Screen) Mark() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.frames)
}

// Frames returns what came after a mark.
func (c *Screen) Frames(after int) []Frame {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Frame(nil), c.frames[after:]...)
}

// Wait returns the first frame after a mark that is wanted.
func (c *Screen) Wait(after int, within time.Duration, what string, wanted func(Frame) bool) Frame {
	t := c.desk.s.T
	t.Helper()
	timeout := time.After(within)
	for {
		c.mu.Lock()
		frames, changed := c.frames[after:], c.changed
		c.mu.Unlock()
		for _, f := range frames {
			if wanted(f) {
				return f
			}
		}
		after += len(frames)
		select {
		case <-changed:
		case <-timeout:
			c.mu.Lock()
			defer c.mu.Unlock()
			require.Fail(t, "not on the screen", "%s within %v; the screen is at %v, last heartbeat %v, connections ended: %v",
				what, within, c.at, c.beat, c.trouble)
		}
	}
}

// Alarm returns the newest version of an alarm that the screen knows.
func (c *Screen) Alarm(id ids.AlarmID) (wire.Alarm, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, ok := c.alarms[id]
	return a, ok
}

// Connections returns how many connections have stood, and how often the screen had to load anew.
func (c *Screen) Connections() (dials, resets int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dials, c.resets
}

// Repeated returns how many frames came although the screen had them.
func (c *Screen) Repeated() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.again
}

// WasToldToReconnect reports whether a server that stops has said so.
func (c *Screen) WasToldToReconnect() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.told > 0
}

// EventOf finds the first event in a frame that is wanted.
func EventOf(f Frame, wanted func(wire.Event) bool) (wire.Event, bool) {
	for _, e := range f.Data.Events {
		if wanted(e) {
			return e, true
		}
	}
	return wire.Event{}, false
}
