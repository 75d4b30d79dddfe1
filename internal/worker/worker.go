package worker

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"

	"dozor/internal/bus"
	"dozor/internal/command"
	"dozor/internal/ids"
	"dozor/internal/live"
	"dozor/internal/panellog"
	"dozor/internal/pg"
	"dozor/internal/site"
)

// Panels tells how to reach panels and keeps what they call their parts.
type Panels interface {
	Access(ctx context.Context, panel ids.PanelID) (site.Reach, error)
	AccessAll(ctx context.Context, panels []ids.PanelID) (map[ids.PanelID]site.Reach, error)
	// Moved returns which panels are reached otherwise than under the numbers given.
	Moved(ctx context.Context, held map[ids.PanelID]int64) ([]ids.PanelID, error)
	// Survey, Heed and Record are of the reading of names, TextWanted and SaveText of that of
	// event texts; see package site.
	Survey(ctx context.Context, panel ids.PanelID, is site.Identity) (site.Survey, error)
	Heed(ctx context.Context, panel ids.PanelID, sign []byte, after time.Duration) (due time.Time, heeded bool, err error)
	Record(ctx context.Context, panel ids.PanelID, r site.Reading) (due time.Time, err error)
	TextWanted(ctx context.Context, is site.Identity, code int, restore bool) (bool, error)
	SaveText(ctx context.Context, is site.Identity, t site.EventText) error
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
	// Subscribe asks modules to say by themselves when something changed.
	Subscribe bool
	// MaxPanels bounds how many panels this worker takes. Among several workers each takes
	// its share only.
	MaxPanels int
	// Queued wakes the worker when a command was queued; it also looks by itself.
	Queued <-chan struct{}
	// RenewNow wakes the renewal of leases: the store may have lost them. May be nil.
	RenewNow <-chan struct{}
	// GivenBack wakes the taking of panels: another worker may have given some back. May be
	// nil, the worker looks by itself with every round.
	GivenBack <-chan struct{}
	// GaveBack is called after this one has: it wakes the others.
	GaveBack func()
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
	// thereFor is how long others count on a worker that says nothing any more. It ends
	// before its leases do: then those who are left know that they are to be shared out.
	thereFor = 8 * time.Second
)

// How many sessions may begin to follow a memory, and ask what is stored of it, at a time.
// When thousands begin together they would otherwise have every connection to PostgreSQL:
// leases could not be renewed, statements would be given up half-way and asked again, and
// nobody would get on.
const (
	openingAtOnce  = 10
	settlingAtOnce = 64 // what is stored is asked in one statement for all of them
	// beginAtOnce is how many panels are taken in one round while none waits to open its
	// memory: what waits too long there is hung up by its module.
	beginAtOnce = 300
)

// Worker keeps the sessions of the panels that it holds.
type Worker struct {
	cfg               Config
	sender            *sender
	settler           *settler
	states            *stateWriter
	budget            *budget
	metrics           metrics
	pace              pace
	freed             chan struct{} // capacity 1: a panel takes the next command
	opening, settling *semaphore.Weighted

	sharing // of the goroutine that keeps the leases

	claiming sync.Mutex // held while commands are claimed: no session may be given away then

	distances distances

	mu       sync.Mutex
	sessions map[ids.PanelID]*held
	passedOn map[ids.PanelID]passed
}

// held is a lease with the session that it allows.
type held struct {
	session *session
	lease   live.Lease
	since   time.Time
	// adopted says that the panel was taken beyond the worker's share because nobody took
	// it: it counts only once it answers.
	adopted bool
	stop    context.CancelFunc
	done    chan struct{}
}

// passed is a panel that did not answer here and is left to other workers for a while.
type passed struct {
	until  time.Time
	counts bool // against this worker's share, which it goes back to if nobody reaches it
}

// New makes a worker that does nothing yet.
func New(cfg Config) *Worker {
	if cfg.Hit == nil {
		cfg.Hit = func(string) {}
	}
	if cfg.GaveBack == nil {
		cfg.GaveBack = func() {}
	}
	if cfg.StateWritten == nil {
		cfg.StateWritten = func() {}
	}
	cfg.Logger = cfg.Logger.With("component", "worker")
	w := &Worker{
		cfg: cfg, sender: newSender(cfg.Bus, cfg.Logger), states: newStateWriter(cfg.States, cfg.StateWritten, cfg.Logger),
		settler: newSettler(panellog.Present(cfg.Pool)),
		freed:   make(chan struct{}, 1),
		opening: semaphore.NewWeighted(openingAtOnce), settling: semaphore.NewWeighted(settlingAtOnce),
		sessions: map[ids.PanelID]*held{}, passedOn: map[ids.PanelID]passed{},
		budget:  newBudget(),
		pace:    pace{pause: namesPause, every: namesEvery, settle: namesSettle},
		sharing: sharing{given: map[ids.PanelID]gift{}},
	}
	w.register(cfg.Metrics)
	return w
}

// Run works until ctx ends; then it gives its panels to the other workers, a few at a time,
// hangs up on what is left, gives those leases back, and returns.
func (w *Worker) Run(ctx context.Context) error {
	var background sync.WaitGroup
	// Sessions, and commands to them, go on until each is hung up. The writers outlive
	// them: what a session says last is still carried.
	sessions, endSessions := context.WithCancel(context.WithoutCancel(ctx))
	defer endSessions()
	helpers, stopHelpers := context.WithCancel(context.WithoutCancel(ctx))
	for _, lane := range bus.Lanes {
		background.Go(func() { w.sender.run(helpers, lane) })
	}
	background.Go(func() { w.settler.run(helpers) })
	background.Go(func() { w.states.run(helpers) })
	var dispatching sync.WaitGroup
	dispatching.Go(func() { w.dispatch(sessions) })

	w.keepLeases(ctx, sessions)

	after := context.WithoutCancel(ctx)
	w.drain(after, sessions)
	w.hangUpAll(after)
	endSessions()
	dispatching.Wait()
	stopHelpers()
	background.Wait()
	return nil
}

// trusted returns until when a session may begin a connection, and whether it may: nobody
// does on a lease that was not renewed within its TTL, or that is another session's.
func (w *Worker) trusted(s *session) (until time.Time, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.sessions[s.panel]
	if h == nil || h.session != s || !time.Now().Before(h.lease.Until) {
		return time.Time{}, false
	}
	return h.lease.Until, true
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
		case <-w.freed:
		case <-round.C:
		}
		w.claim(ctx)
	}
}

func (w *Worker) claim(ctx context.Context) {
	w.claiming.Lock()
	defer w.claiming.Unlock()
	free := map[ids.PanelID]*session{}
	var ask []command.Held
	w.mu.Lock()
	for panel, h := range w.sessions {
		if h.session.ready.Load() && !h.session.taken.Load() && !h.session.leaving.Load() {
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
		free[c.PanelID].taken.Store(true) // until that session has ended it
		select {
		case free[c.PanelID].commands <- c:
		default:
			w.finish(ctx, c, command.Outcome{Result: command.LinkDown})
		}
	}
}
