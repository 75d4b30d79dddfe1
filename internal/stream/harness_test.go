package stream_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"dozor/internal/ids"
	"dozor/internal/live"
	"dozor/internal/live/pglive"
	"dozor/internal/outbox"
	"dozor/internal/pg"
	"dozor/internal/stream"
	"dozor/internal/testkit"
	"dozor/internal/wire"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// faulty is a fan-out that loses, doubles and reorders what passes through it, as a
// broker without promises may.
type faulty struct {
	live.Fanout
	noRange bool

	mu     sync.Mutex
	random *rand.Rand
	lose   float64
	double float64
	late   float64
	kept   []live.Frame
}

func (f *faulty) Subscribe(ctx context.Context, deliver func([]live.Frame)) error {
	return f.Fanout.Subscribe(ctx, func(frames []live.Frame) { deliver(f.spoil(frames)) })
}

func (f *faulty) spoil(frames []live.Frame) []live.Frame {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []live.Frame
	for _, frame := range frames {
		switch r := f.random.Float64(); {
		case r < f.lose:
		case r < f.lose+f.double:
			out = append(out, frame, frame)
		case r < f.lose+f.double+f.late:
			f.kept = append(f.kept, frame)
		default:
			out = append(out, frame)
		}
	}
	if f.random.IntN(2) == 0 {
		out, f.kept = append(out, f.kept...), nil
	}
	return out
}

func (f *faulty) Range(ctx context.Context, epoch, after, upTo int64, limit int) ([]live.Frame, bool, error) {
	if f.noRange {
		return nil, false, nil
	}
	return f.Fanout.Range(ctx, epoch, after, upTo, limit)
}

// station is a database with a relay, and instances over it.
type station struct {
	*testkit.Database
	t     testing.TB
	log   *slog.Logger
	hints *pg.Hints
	relay *outbox.Relay
}

func newStation(t testing.TB) *station {
	s := &station{Database: testkit.DB(t), t: t, log: testkit.Logger(t)}
	s.hints = pg.NewHints(s.Pool, s.Direct, s.log)
	store := s.store()
	s.relay = outbox.NewRelay(outbox.Config{DB: s.Direct, Fanout: store, Log: s.log})
	s.run(s.hints.Run)
	return s
}

func (s *station) store() *pglive.Store { return pglive.New(s.Pool, s.hints, s.log) }

// run runs a service until the test ends or stop is called.
func (s *station) run(service func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := service(ctx); err != nil {
			s.t.Errorf("a service ended: %v", err)
		}
	}()
	stop = func() { cancel(); <-done }
	s.t.Cleanup(stop)
	return stop
}

// hub starts an instance; wrap may put something between it and the fan-out.
func (s *station) hub(wrap func(live.Fanout) live.Fanout) *stream.Hub {
	store := s.store()
	var fanout live.Fanout = store
	if wrap != nil {
		fanout = wrap(store)
	}
	h := stream.NewHub(stream.Config{Fanout: fanout, Reader: stream.NewTable(s.Pool), Log: s.log})
	s.run(func(ctx context.Context) error {
		defer store.Wait()
		return h.Run(ctx)
	})
	return h
}

func (s *station) readyHub() *stream.Hub {
	h := s.hub(nil)
	require.Eventually(s.t, h.Ready, 10*time.Second, 2*time.Millisecond)
	return h
}

func (s *station) append(rows ...outbox.Row) {
	s.t.Helper()
	require.NoError(s.t, s.Pool.InTx(context.Background(), func(tx pgx.Tx) error {
		return outbox.Append(context.Background(), tx, rows...)
	}))
}

func (s *station) stamp() {
	s.t.Helper()
	for {
		n, err := s.relay.Stamp(context.Background())
		require.NoError(s.t, err)
		if n == 0 {
			return
		}
	}
}

// emit appends n frames of a site and stamps them.
func (s *station) emit(n int, site ids.SiteID) {
	s.t.Helper()
	rows := make([]outbox.Row, n)
	for i := range rows {
		rows[i] = outbox.Row{Type: wire.EventRecorded, SiteID: site, Data: map[string]int{"i": i}}
	}
	s.append(rows...)
	s.stamp()
}

func (s *station) head() wire.StreamPosition {
	s.t.Helper()
	head, err := outbox.Head(context.Background(), s.Pool)
	require.NoError(s.t, err)
	return head
}

func everyone() stream.Viewer {
	return stream.Viewer{UserID: 1, SessionID: "s1", Audiences: []string{wire.Operators}}
}

// said is any message to a client.
type said struct {
	Type     string          `json:"type"`
	Epoch    int64           `json:"epoch"`
	Position int64           `json:"position"`
	Data     json.RawMessage `json:"data"`
}

func parse(t testing.TB, m stream.Message) said {
	t.Helper()
	var s said
	require.NoError(t, json.Unmarshal(m.Data, &s), "%s", m.Data)
	return s
}

// reader is a client that reads until it has what it waits for.
type reader struct {
	t   testing.TB
	sub *stream.Subscription
}

func (s *station) attach(h *stream.Hub, v stream.Viewer, from wire.StreamPosition) *reader {
	s.t.Helper()
	sub, err := h.Attach(context.Background(), v, from)
	require.NoError(s.t, err)
	s.t.Cleanup(sub.Close)
	return &reader{t: s.t, sub: sub}
}

// until reads messages up to the first that stop accepts, which is the last returned.
func (r *reader) until(stop func(said) bool) []said {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var out []said
	for {
		messages, err := r.sub.Next(ctx)
		require.NoError(r.t, err, "after %v", out)
		for i, m := range messages {
			out = append(out, parse(r.t, m))
			if stop(out[len(out)-1]) {
				require.Equal(r.t, len(messages)-1, i, "more than expected: %s", messages[i:])
				return out
			}
		}
	}
}

// frames reads up to a position and returns the positions of frames.
func (r *reader) frames(last int64) []int64 {
	r.t.Helper()
	var out []int64
	for _, s := range r.until(func(s said) bool { return isFrame(s) && s.Position == last }) {
		if isFrame(s) {
			out = append(out, s.Position)
		}
	}
	return out
}

func (r *reader) reset() wire.StreamPosition {
	r.t.Helper()
	got := r.until(func(s said) bool { return s.Type != "heartbeat" })
	last := got[len(got)-1]
	require.Equal(r.t, "reset", last.Type)
	return wire.StreamPosition{Epoch: last.Epoch, Position: last.Position}
}

func isFrame(s said) bool {
	return s.Type != "heartbeat" && s.Type != "reset" && s.Type != wire.PanelState
}

func between(after, upTo int64) []int64 {
	var out []int64
	for p := after + 1; p <= upTo; p++ {
		out = append(out, p)
	}
	return out
}

func at(epoch, position int64) wire.StreamPosition {
	return wire.StreamPosition{Epoch: epoch, Position: position}
}

func (s *station) site(name string) ids.SiteID {
	return testkit.One[ids.SiteID](s.t, s.Database, "INSERT INTO sites (name) VALUES ($1) RETURNING id", name)
}

func (s *station) panel(site ids.SiteID) ids.PanelID {
	return testkit.One[ids.PanelID](s.t, s.Database, `INSERT INTO panels (site_id, name, host, port, code_secret)
		VALUES ($1, 'panel', gen_random_uuid()::text, 7094, '') RETURNING id`, int64(site))
}
