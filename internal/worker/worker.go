package worker

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"dozor/internal/bus"
	"dozor/internal/command"
	"dozor/internal/ids"
	"dozor/internal/lifecycle"
	"dozor/internal/live"
	"dozor/internal/pg"
	"dozor/internal/site"
)

// Panels tells how to reach panels and keeps what they call their parts.
type Panels interface {
	Access(ctx context.Context, panel ids.PanelID) (site.Reach, error)
	// Moved returns which panels are reached otherwise than under the numbers given.
	Moved(ctx context.Context, held map[ids.PanelID]int64) ([]ids.PanelID, error)
	SaveObjects(ctx context.Context, panel ids.PanelID, objects []site.Object) error
}

// Commands is the executing side of the orders to panels.
type Commands interface {
	Claim(ctx context.Context, held []command.Held) ([]command.Claimed, error)
	Finish(ctx context.Context, id ids.CommandID, fence int64, o command.Outcome) error
}

// Config of a worker. Everything but Hit and the wake-ups is required.
type Config struct {
	Instance string // unique among all processes, and new with each start
	Pool     *pg.Pool
	Bus      bus.Publisher
	Leases   live.Leases
	States   live.States
	Panels   Panels
	Commands Commands
	Logger   *slog.Logger
	Clock    func() time.Time
	Trace    func() string
	Metrics  prometheus.Registerer
	// Poll is the time between two questions for news, MinGap the least that a module
	// wants between answer and request.
	Poll   time.Duration
	MinGap time.Duration
	// MaxPanels bounds how many panels this worker takes.
	MaxPanels int
	// Queued wakes the worker when a command was queued; it also looks by itself.
	Queued <-chan struct{}
	// StateWritten is called after live state was written.
	StateWritten func()
	// Hit marks points at which tests kill; nil in production.
	Hit func(point string)
}

// LeaseTTL is how long a worker holds a panel without renewing.
const LeaseTTL = 10 * time.Second

// Times of leases. A worker that died is replaced within LeaseTTL and one round of
// another: less than 15 s.
const (
	leaseRound   = 3 * time.Second
	leaseGrace   = 30 * time.Second // after the TTL, while the store can't be asked
	silentTooMax = 15 * time.Second // without an answer: perhaps another worker can reach it
	passedOnFor  = 6 * time.Second  // not asked for again: two rounds of another worker
	commandRound = 500 * time.Millisecond
)

// Worker keeps the sessions of the panels that it holds.
type Worker struct {
	cfg     Config
	sender  *sender
	states  *stateWriter
	budget  budget
	metrics metrics

	mu       sync.Mutex
	sessions map[ids.PanelID]*held
	passedOn map[ids.PanelID]time.Time
}

// held is a lease with the session that it allows.
type held struct {
	session *session
	lease   live.Lease
	since   time.Time
	stop    context.CancelFunc
	done    chan struct{}
}

// New makes a worker that does nothing yet.
func New(cfg Config) *Worker {
	if cfg.Hit == nil {
		cfg.Hit = func(string) {}
	}
	if cfg.StateWritten == nil {
		cfg.StateWritten = func() {}
	}
	cfg.Logger = cfg.Logger.With("component", "worker")
	w := &Worker{
		cfg: cfg, sender: newSender(cfg.Bus, cfg.Logger), states: newStateWriter(cfg.States, cfg.StateWritten, cfg.Logger),
		sessions: map[ids.PanelID]*held{}, passedOn: map[ids.PanelID]time.Time{},
	}
	w.register(cfg.Metrics)
	return w
}

// Run works until ctx ends; then it hangs up, gives its leases back, and returns.
func (w *Worker) Run(ctx context.Context) error {
	var background sync.WaitGroup
	// The writers outlive the sessions: what a session says last is still carried.
	helpers, stopHelpers := context.WithCancel(context.WithoutCancel(ctx))
	for _, lane := range bus.Lanes {
		background.Go(func() { w.sender.run(helpers, lane) })
	}
	background.Go(func() { w.states.run(helpers) })
	background.Go(func() { w.dispatch(ctx) })

	w.keepLeases(ctx)

	w.hangUpAll(context.WithoutCancel(ctx))
	stopHelpers()
	background.Wait()
	return nil
}

// keepLeases renews and takes leases, a round at a time, and between rounds follows what
// is edited.
func (w *Worker) keepLeases(ctx context.Context) {
	round, edits := time.NewTicker(leaseRound), time.NewTicker(followRound)
	defer round.Stop()
	defer edits.Stop()
	var blind, failing bool
	for due := true; ; {
		// Edits first: a renewal refuses what was disabled without saying why.
		err := w.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		switch {
		case !turned(&blind, err):
		case blind:
			w.cfg.Logger.Warn("edits of panels can't be followed", "err", err)
		default:
			w.cfg.Logger.Info("edits of panels are followed again")
		}
		if due {
			err := w.leaseRound(ctx)
			if ctx.Err() != nil {
				return
			}
			switch {
			case !turned(&failing, err):
			case failing:
				w.cfg.Logger.Warn("leases can't be renewed", "err", err)
			default:
				w.cfg.Logger.Info("leases are renewed again")
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-round.C:
			due = true
		case <-edits.C:
			due = false
		}
	}
}

// turned reports whether something began to fail, or works again.
func turned(failing *bool, err error) bool {
	before := *failing
	*failing = err != nil
	return before != *failing
}

func (w *Worker) leaseRound(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	w.reap()
	if err := w.renew(bounded); err != nil {
		w.hangUpLapsed()
		return err
	}
	w.passOnSilent(bounded)
	return w.acquire(ctx, bounded)
}

// reap forgets sessions that ended by themselves: another worker has the panel.
func (w *Worker) reap() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for panel, h := range w.sessions {
		select {
		case <-h.done:
			delete(w.sessions, panel)
		default:
		}
	}
}

// renew prolongs what is held; what is not held any more is hung up.
func (w *Worker) renew(ctx context.Context) error {
	w.mu.Lock()
	leases := make([]live.Lease, 0, len(w.sessions))
	for _, h := range w.sessions {
		leases = append(leases, h.lease)
	}
	w.mu.Unlock()
	if len(leases) == 0 {
		return nil
	}
	renewed, err := w.cfg.Leases.Renew(ctx, w.cfg.Instance, leases, LeaseTTL)
	if err != nil {
		return fmt.Errorf("renew %d leases: %w", len(leases), err)
	}
	still := map[ids.PanelID]live.Lease{}
	for _, l := range renewed {
		still[l.PanelID] = l
	}
	var lost []ids.PanelID
	w.mu.Lock()
	for panel, h := range w.sessions {
		l, ok := still[panel]
		switch {
		case ok:
			h.lease = l
		case contains(leases, panel):
			lost = append(lost, panel)
		}
	}
	w.mu.Unlock()
	for _, panel := range lost {
		w.hangUp(panel, "the lease was lost")
	}
	return nil
}

func contains(leases []live.Lease, panel ids.PanelID) bool {
	for _, l := range leases {
		if l.PanelID == panel {
			return true
		}
	}
	return false
}

// hangUpLapsed ends sessions whose lease ran out long ago while the store can't be
// asked: somebody else may have been granted the panel.
func (w *Worker) hangUpLapsed() {
	now := time.Now()
	var lapsed []ids.PanelID
	w.mu.Lock()
	for panel, h := range w.sessions {
		if now.After(h.lease.Until.Add(leaseGrace)) {
			lapsed = append(lapsed, panel)
		}
	}
	w.mu.Unlock()
	for _, panel := range lapsed {
		w.hangUp(panel, "the lease ran out and can't be renewed")
	}
}

// passOnSilent gives back panels that do not answer here. For a moment they are left to
// other workers; when nobody takes them they are taken again.
func (w *Worker) passOnSilent(ctx context.Context) {
	now := w.cfg.Clock()
	var silent []live.Lease
	w.mu.Lock()
	for _, h := range w.sessions {
		// What was read and is not stored yet is in nobody's hands but ours and the
		// panel's, and the panel may be gone.
		if h.session.silentFor(now, h.since) > silentTooMax && h.session.held.Load() == 0 {
			silent = append(silent, h.lease)
		}
	}
	w.mu.Unlock()
	if len(silent) == 0 {
		return
	}
	for _, l := range silent {
		w.hangUp(l.PanelID, "no answer; perhaps another worker can reach it")
		w.mu.Lock()
		w.passedOn[l.PanelID] = now.Add(passedOnFor)
		w.mu.Unlock()
	}
	if err := w.cfg.Leases.Release(ctx, w.cfg.Instance, silent); err != nil {
		w.cfg.Logger.Warn("leases were not given back", "err", err)
	}
}

func (w *Worker) acquire(ctx, bounded context.Context) error {
	now := w.cfg.Clock()
	var except []ids.PanelID
	w.mu.Lock()
	for panel, until := range w.passedOn {
		if now.After(until) {
			delete(w.passedOn, panel)
			continue
		}
		except = append(except, panel)
	}
	for panel := range w.sessions {
		except = append(except, panel)
	}
	room := w.cfg.MaxPanels - len(w.sessions)
	w.mu.Unlock()
	if room <= 0 {
		w.metrics.renewed()
		return nil
	}
	granted, err := w.cfg.Leases.Acquire(bounded, w.cfg.Instance, room, except, LeaseTTL)
	if err != nil {
		return fmt.Errorf("acquire leases: %w", err)
	}
	for _, l := range granted {
		access, err := w.cfg.Panels.Access(bounded, l.PanelID)
		if err != nil {
			w.cfg.Logger.Error("a panel's access data can't be read", "panel_id", l.PanelID, "err", err)
			continue
		}
		w.begin(ctx, l, access)
	}
	w.metrics.renewed()
	return nil
}

func (w *Worker) begin(ctx context.Context, l live.Lease, access site.Reach) {
	ctx, stop := context.WithCancel(ctx)
	h := &held{lease: l, since: w.cfg.Clock(), stop: stop, done: make(chan struct{}), session: newSession(w, l, access)}
	w.mu.Lock()
	w.sessions[l.PanelID] = h
	w.mu.Unlock()
	go func() {
		defer close(h.done)
		defer stop()
		// A panel that makes us stumble must not take the others with it; the lease is
		// taken again with the next round.
		err := lifecycle.Guard(func(ctx context.Context) error { h.session.run(ctx); return nil })(ctx)
		if err != nil {
			w.cfg.Logger.Error("a session broke", "panel_id", l.PanelID, "err", err)
		}
	}()
}

// hangUp ends a session and waits for it.
func (w *Worker) hangUp(panel ids.PanelID, reason string) {
	w.mu.Lock()
	h := w.sessions[panel]
	delete(w.sessions, panel)
	w.mu.Unlock()
	if h == nil {
		return
	}
	w.cfg.Logger.Info("hanging up", "panel_id", panel, "reason", reason)
	h.stop()
	<-h.done
}

func (w *Worker) hangUpAll(ctx context.Context) {
	w.mu.Lock()
	var leases []live.Lease
	var all []*held
	for _, h := range w.sessions {
		h.stop()
		all = append(all, h)
		leases = append(leases, h.lease)
	}
	clear(w.sessions)
	w.mu.Unlock()
	for _, h := range all {
		<-h.done
	}
	if len(leases) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := w.cfg.Leases.Release(ctx, w.cfg.Instance, leases); err != nil {
		w.cfg.Logger.Warn("leases were not given back", "err", err)
	}
}

// mayConnect reports whether a session's lease was renewed within its TTL: nobody
// begins a connection on an older one.
func (w *Worker) mayConnect(s *session) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.sessions[s.panel]
	return h != nil && h.session == s && time.Now().Before(h.lease.Until)
}

// dispatch claims commands for panels whose sessions can take one.
func (w *Worker) dispatch(ctx context.Context) {
	round := time.NewTicker(commandRound)
	defer round.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.cfg.Queued:
		case <-round.C:
		}
		w.claim(ctx)
	}
}

func (w *Worker) claim(ctx context.Context) {
	free := map[ids.PanelID]*session{}
	var ask []command.Held
	w.mu.Lock()
	for panel, h := range w.sessions {
		if h.session.ready.Load() && len(h.session.commands) == 0 {
			free[panel] = h.session
			ask = append(ask, command.Held{PanelID: panel, Fence: h.lease.Fence})
		}
	}
	w.mu.Unlock()
	if len(ask) == 0 {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	claimed, err := w.cfg.Commands.Claim(bounded, ask)
	if err != nil {
		if ctx.Err() == nil {
			w.cfg.Logger.Debug("commands can't be claimed", "err", err)
		}
		return
	}
	for _, c := range claimed {
		w.cfg.Hit("command.claimed")
		select {
		case free[c.PanelID].commands <- c:
		default:
			w.finish(ctx, c, command.Outcome{Result: command.LinkDown})
		}
	}
}
