package worker

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"dozor/internal/command"
	"dozor/internal/event"
	"dozor/internal/ids"
	"dozor/internal/live"
	"dozor/internal/obs"
	"dozor/internal/panellog"
	"dozor/internal/site"
	"dozor/internal/wire"
	"dozor/satel"
	"dozor/satel/client"
)

// Times of a session.
const (
	settleEvery    = 250 * time.Millisecond
	lookAnyway     = 10 * time.Second      // without any sign of news
	pollWhileWalk  = 5 * time.Second       // state waits while the memory is read
	followUp       = time.Second           // looks go on after a sign of news: the record may come late
	hurryEvery     = 60 * time.Millisecond // looks while an alarm bit is unexplained
	clockEvery     = time.Minute
	backoffFirst   = time.Second
	backoffMax     = 30 * time.Second
	busyEvery      = 2 * time.Second // a module says Busy while a dead worker's session lasts
	busyPatience   = 35 * time.Second
	stableAfter    = 15 * time.Second
	connectTimeout = 5 * time.Second
	storeAttempt   = 2 * time.Second // of one statement; the panel waits meanwhile
)

// session is the actor of one panel. Everything in it belongs to its goroutine but
// what is said to be shared.
type session struct {
	w     *Worker
	panel ids.PanelID
	fence int64
	log   *slog.Logger

	memory *panellog.Log
	reader *watchedReader
	conn   *client.Conn
	model  satel.Model

	state    live.PanelState
	lists    *lists
	suspects []suspect
	inferred int64
	names    *nameReader
	size     int // of 0x7F answers, as far as the module has them

	nextPoll, nextSettle, nextLook, nextClock time.Time
	lookUntil                                 time.Time
	settleFailed                              bool

	commands chan command.Claimed // capacity 1, from the worker
	ready    atomic.Bool          // shared: takes commands
	busy     atomic.Bool          // shared: the module says that somebody else has it
	held     atomic.Int64         // shared: messages whose keys were not seen in PostgreSQL
	answered atomic.Int64         // shared: when the panel last answered, Unix ns

	reach       atomic.Pointer[site.Reach] // shared: a new code comes in here
	endingSince time.Time                  // of the worker: since when it was to end, but for what is not stored
}

func newSession(w *Worker, lease live.Lease, access site.Reach) *session {
	s := &session{
		w: w, panel: lease.PanelID, fence: lease.Fence,
		log: w.cfg.Logger.With("panel_id", lease.PanelID, "site_id", access.SiteID), commands: make(chan command.Claimed, 1),
	}
	s.reach.Store(&access)
	s.reader = &watchedReader{model: func() satel.Model { return s.model }}
	s.memory = panellog.New(panellog.Config{
		Panel: s.panel, Fence: s.fence, Pool: w.cfg.Pool, Logger: s.log, Clock: w.cfg.Clock, Location: event.PanelZone(),
		Send: w.sender.send, Room: w.budget.room, Held: func(delta int) { w.budget.change(delta); s.held.Add(int64(delta)) }, Trace: w.cfg.Trace, Hit: w.cfg.Hit,
	})
	s.state = live.PanelState{PanelID: s.panel, Fence: s.fence, Link: live.LinkConnecting}
	return s
}

// run keeps the session until ctx ends or another worker took the panel over.
func (s *session) run(ctx context.Context) {
	defer s.memory.Close()
	backoff := backoffFirst
	for ctx.Err() == nil {
		started := s.w.cfg.Clock()
		err := s.connected(ctx)
		s.disconnected(ctx, err)
		if ctx.Err() != nil || errors.Is(err, panellog.ErrLost) {
			return
		}
		wait := backoff/2 + rand.N(backoff/2+1)
		switch {
		case errors.Is(err, client.ErrBusy):
			wait = busyEvery
		case s.w.cfg.Clock().Sub(started) > stableAfter:
			backoff, wait = backoffFirst, backoffFirst/2+rand.N(backoffFirst/2)
		default:
			backoff = min(2*backoff, backoffMax)
		}
		s.idle(ctx, wait)
	}
}

// idle waits for the next try. What was read and not stored goes on being sent.
func (s *session) idle(ctx context.Context, wait time.Duration) {
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	settle := time.NewTicker(settleEvery)
	defer settle.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-deadline.C:
			return
		case <-settle.C:
			s.settle(ctx)
		case c := <-s.commands:
			s.w.finish(ctx, c, command.Outcome{Result: command.LinkDown})
		}
	}
}

// connected holds one connection until it fails.
func (s *session) connected(ctx context.Context) error {
	if !s.w.mayConnect(s) {
		return errNoLease
	}
	dial, cancel := context.WithTimeout(ctx, connectTimeout)
	conn, err := client.Dial(dial, client.Config{Address: s.reach.Load().Address, MinGap: s.w.cfg.MinGap, Logger: s.log})
	cancel()
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, conn.Close)
	defer stop()
	s.conn, s.reader.Reader = conn, conn
	if err := s.introduce(ctx); err != nil {
		return err
	}
	s.ready.Store(true)
	for {
		err := s.turn(ctx)
		if err != nil && (client.IsLost(err) || ctx.Err() != nil || !errors.Is(err, client.ErrTimeout)) {
			return err
		}
		if err != nil {
			// One lost answer is ordinary; what was asked stays to be asked. A second in a
			// row ends the connection, and the client says so.
			s.log.Debug("the panel left a request without an answer", "err", err)
		}
	}
}

// introduce asks who is there, and reads the memory before anything else.
func (s *session) introduce(ctx context.Context) error {
	version, err := s.conn.PanelVersion(ctx)
	if err != nil {
		return err
	}
	s.alive()
	model, known := satel.ModelByCode(version.Type)
	if !known {
		s.log.Warn("the panel's type is not known; taken for the largest of the usual ones", "type", version.Type)
	}
	s.model = model
	s.memory.SetModel(int(version.Type))
	s.state.Model, s.state.Version = model.Name, version.Firmware.Version
	s.state.Link, s.state.LinkReason, s.state.ChangedAt = live.LinkUp, "", s.w.cfg.Clock()
	if err := s.readClock(ctx); err != nil {
		return err
	}
	if err := s.store(ctx, func(ctx context.Context) error { return s.memory.Connect(ctx, s.reader) }); err != nil {
		return err
	}
	if err := s.look(ctx); err != nil {
		return err
	}
	wide := false
	s.size = satel.NewDataShort
	if module, err := s.conn.ModuleVersion(ctx); err == nil {
		wide = module.Wide && model.Wide()
		s.size = satel.NewDataMiddle
	} else if client.IsLost(err) {
		return err
	}
	s.lists = newLists(wide)
	s.names = newNameReader(model)
	s.nextPoll = s.w.cfg.Clock()
	s.publishState()
	s.log.Info("connected to the panel", "model", s.state.Model, "version", s.state.Version)
	return nil
}

// turn does the most urgent thing there is, or waits for one.
func (s *session) turn(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case c := <-s.commands:
		return s.execute(ctx, c)
	default:
	}
	now := s.w.cfg.Clock()
	if !now.Before(s.nextSettle) {
		s.settle(ctx)
		s.nextSettle = now.Add(settleEvery)
	}
	if err := s.judgeSuspects(now); err != nil {
		return err
	}
	if !now.Before(s.nextPoll) {
		return s.poll(ctx, now)
	}
	if !now.Before(s.nextLook) {
		return s.look(ctx)
	}
	idle, err := s.walk(ctx)
	if err != nil || !idle {
		return err
	}
	if cmd, due := s.lists.next(); due {
		return s.readList(ctx, cmd)
	}
	if !now.Before(s.nextClock) {
		return s.readClock(ctx)
	}
	if more, err := s.readName(ctx); more || err != nil {
		return err
	}
	return s.wait(ctx, now)
}

// wait sleeps until something is due.
func (s *session) wait(ctx context.Context, now time.Time) error {
	next := s.nextPoll
	for _, t := range []time.Time{s.nextSettle, s.nextLook} {
		if t.Before(next) {
			next = t
		}
	}
	timer := time.NewTimer(next.Sub(now))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-s.conn.Done():
		return s.conn.Err()
	case c := <-s.commands:
		return s.execute(ctx, c)
	case <-timer.C:
		return nil
	}
}

// poll asks which lists changed. Anything that may stand in the event memory makes the
// newest record the next thing to be read.
func (s *session) poll(ctx context.Context, now time.Time) error {
	s.nextPoll = now.Add(s.w.cfg.Poll)
	changed, err := s.conn.NewData(ctx, s.size)
	if err != nil {
		if !client.IsLost(err) && s.size > satel.NewDataShort {
			s.size = satel.NewDataShort // an old module knows only the short form
			return nil
		}
		return err
	}
	s.alive()
	s.lists.changed(changed)
	if s.memory.Deep() {
		return nil // a long walk looks for news by itself
	}
	if changed&mayBeLogged != 0 {
		s.lookUntil = s.w.cfg.Clock().Add(followUp)
		return s.look(ctx)
	}
	if now.Before(s.lookUntil) {
		return s.look(ctx)
	}
	return nil
}

// look reads the newest record.
func (s *session) look(ctx context.Context) error {
	var news bool
	err := s.store(ctx, func(ctx context.Context) (err error) {
		news, err = s.memory.Look(ctx)
		return err
	})
	now := s.w.cfg.Clock()
	s.nextLook = now.Add(lookAnyway)
	if len(s.suspects) > 0 {
		s.nextLook = now.Add(hurryEvery)
	}
	if err != nil {
		return err
	}
	s.alive()
	if news {
		s.lookUntil = now.Add(followUp)
	}
	return nil
}

// walk reads one more record back, if there is one to be read.
func (s *session) walk(ctx context.Context) (idle bool, err error) {
	err = s.store(ctx, func(ctx context.Context) (err error) {
		idle, err = s.memory.Step(ctx)
		return err
	})
	if err == nil && !idle {
		s.alive()
		if later := s.w.cfg.Clock().Add(pollWhileWalk - s.w.cfg.Poll); s.nextPoll.Before(later) && s.memory.Deep() {
			s.nextPoll = later
		}
	}
	if idle {
		// Polls put off for a walk that is over, or has to wait, are not put off any more.
		if soon := s.w.cfg.Clock().Add(s.w.cfg.Poll); s.nextPoll.After(soon) {
			s.nextPoll = soon
		}
	}
	return idle, err
}

// store runs a step of the memory that needs PostgreSQL besides the panel. When only
// PostgreSQL failed the connection goes on: nothing is lost by reading later.
func (s *session) store(ctx context.Context, step func(context.Context) error) error {
	err := step(ctx)
	switch {
	case err == nil:
		if s.settleFailed {
			s.settleFailed = false
			s.log.Info("the event memory is followed again")
		}
		return nil
	case errors.Is(err, panellog.ErrLost), client.IsLost(err), errors.Is(err, client.ErrTimeout), ctx.Err() != nil:
		return err
	}
	if !s.settleFailed {
		s.settleFailed = true
		s.log.Warn("the event memory can't be followed for now", "err", err)
	}
	s.nextLook = s.w.cfg.Clock().Add(time.Second)
	return nil
}

// settle lets the memory ask what is stored. A failure is no reason to leave the panel.
func (s *session) settle(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, storeAttempt)
	defer cancel()
	_ = s.store(ctx, func(context.Context) error { return s.memory.Settle(bounded) })
}

// alive notes that the panel answered.
func (s *session) alive() {
	at := s.w.cfg.Clock()
	s.state.AnsweredAt = at
	s.answered.Store(at.UnixNano())
	s.w.states.touch(live.Answered{PanelID: s.panel, Fence: s.fence, AnsweredAt: at})
}

// silentFor is how long the panel has not answered; a session that just began counts
// from its beginning. While a module says Busy a dead worker may still hold it, and
// that takes longer to know.
func (s *session) silentFor(now, since time.Time) time.Duration {
	last := time.Unix(0, s.answered.Load())
	if last.Before(since) {
		last = since
	}
	silent := now.Sub(last)
	if s.busy.Load() {
		silent -= busyPatience - silentTooMax
	}
	return silent
}

func (s *session) publishState() {
	s.state.Seq++
	s.w.states.put(s.state)
}

// disconnected tells that the link is gone and why, and ends a command that waits.
func (s *session) disconnected(ctx context.Context, err error) {
	s.ready.Store(false)
	s.conn, s.suspects = nil, nil
	select {
	case c := <-s.commands:
		s.w.finish(ctx, c, command.Outcome{Result: command.LinkDown})
	default:
	}
	reason := linkReason(err)
	s.busy.Store(reason == "busy")
	if ctx.Err() != nil {
		return // given away: whoever has it next tells
	}
	s.w.metrics.lost.WithLabelValues(reason).Inc()
	if s.state.Link != live.LinkDown || s.state.LinkReason != reason {
		s.log.Warn("no connection to the panel", "reason", reason, "err", err)
		s.state.Link, s.state.LinkReason, s.state.ChangedAt = live.LinkDown, reason, s.w.cfg.Clock()
		s.publishState()
	}
}

// errNoLease says that the lease was not renewed in time to begin a connection.
var errNoLease = errors.New("no lease that may be trusted")

// linkReason is the stable word for why there is no connection.
func linkReason(err error) string {
	switch {
	case errors.Is(err, client.ErrBusy):
		return "busy"
	case errors.Is(err, errNoLease):
		return "no_lease"
	case errors.Is(err, client.ErrNoAnswer):
		return "no_answer"
	case errors.Is(err, client.ErrTimeout), errors.Is(err, client.ErrReconnect):
		return "no_answer"
	case errors.Is(err, client.ErrClosed):
		return "closed"
	case isRefused(err):
		return "refused"
	case isTimeout(err):
		return "unreachable"
	default:
		return "protocol"
	}
}

func (s *session) readClock(ctx context.Context) error {
	asked := s.w.cfg.Clock()
	clock, at, err := s.conn.Clock(ctx)
	if err != nil {
		return err
	}
	s.alive()
	s.nextClock = s.w.cfg.Clock().Add(clockEvery)
	// The panel shows whole seconds: half of one is what is missing on average.
	middle := asked.Add(at.Sub(asked) / 2)
	offset := clock.Time(event.PanelZone()).Add(500 * time.Millisecond).Sub(middle)
	s.memory.SetClockOffset(offset)
	rounded := offset.Round(time.Second).Milliseconds()
	if rounded != s.state.ClockOffsetMS || clock.ServiceMode != s.state.ServiceMode {
		s.state.ClockOffsetMS, s.state.ServiceMode = rounded, clock.ServiceMode
		s.state.ChangedAt = s.w.cfg.Clock()
		s.publishState()
	}
	return nil
}

// infer publishes an alarm that the state bits show and no record explains.
func (s *session) infer(code, zone, partition int, at time.Time) {
	s.inferred++
	s.w.metrics.inferred.Inc()
	trace := s.memory.Infer(wire.Inferred{Code: code, Zone: zone, Partition: partition, Fence: s.fence, Seq: s.inferred}, at)
	s.log.Warn("an alarm in the state bits that no record explains", "trace_id", obs.TraceID(trace), "zone", zone, "partition", partition)
}
