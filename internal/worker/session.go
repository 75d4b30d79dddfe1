package worker

import (
	"context"
	"errors"
	"log/slog"
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
	settleEvery   = 250 * time.Millisecond
	lookAnyway    = 10 * time.Second      // without any sign of news
	lookAgain     = time.Second           // after PostgreSQL failed
	aliveEvery    = time.Second           // a sign of life goes into the live state
	pollWhileWalk = 5 * time.Second       // state waits while the memory is read
	followUp      = time.Second           // looks go on after a sign of news: the record may come late
	hurryEvery    = 60 * time.Millisecond // looks while an alarm bit is unexplained
	storeAttempt  = 2 * time.Second       // of one statement; the panel waits meanwhile
)

// session is the actor of one panel. Everything in it belongs to its goroutine but
// what is said to be shared.
type session struct {
	w     *Worker
	panel ids.PanelID
	fence int64
	log   *slog.Logger

	memory *panellog.Log
	// beginning says that the link is up and not told so yet: see publishState.
	beginning bool
	reader    *watchedReader
	conn      *client.Conn
	model     satel.Model

	state      live.PanelState
	lists      *lists
	unanswered satel.CommandSet // lists that the module left without an answer
	suspects   []suspect
	inferred   int64
	names      *nameReader
	nextName   time.Time // names are read no sooner
	texts      *textReader
	signs      []settingsSign // to be heeded, oldest first
	signsSeen  []string
	size       int // of 0x7F answers, as far as the module has them
	pushes     pushes
	timer      *time.Timer // of wait

	// Of the subscription on this connection.
	pushAskedAt     time.Time // when the module last left it without an answer
	pushedSincePoll satel.CommandSet
	missed          int // polls in a row that found what was not pushed

	// Of the connection, from one to the next.
	tries         tries
	begun         time.Time
	upSince       time.Time // of the present connection; zero when there is none
	halfOpenSince time.Time // when our last connection ended and the module may not have noticed
	recalled      bool
	before        live.PanelState // what was said of the panel before this session
	floor         time.Duration   // the shortest gap that the module was found to bear

	touched                                   time.Time // when the sign of life was last given to the state writer
	nextPoll, nextSettle, nextLook, nextClock time.Time
	lookUntil                                 time.Time
	settleFailed                              bool

	commands    chan command.Claimed // capacity 1, from the worker
	after       *aftermath           // of the command sent last; nil: it has ended
	answers     chan satel.Result    // capacity 1, from the connection: nobody asked for them
	taken       atomic.Bool          // shared: a claimed command has not ended yet
	leaving     atomic.Bool          // shared: is to be given away, takes no more commands
	ready       atomic.Bool          // shared: takes commands
	quarantined atomic.Bool          // shared: tried seldom, and stays here
	queued      atomic.Bool          // shared: it waits for its turn to open the memory
	busy        atomic.Bool          // shared: the module says that somebody else has it
	held        atomic.Int64         // shared: records read whose keys were not seen in PostgreSQL
	answered    atomic.Int64         // shared: since when it owes an answer, Unix ns

	reach       atomic.Pointer[site.Reach] // shared: a new code comes in here
	endingSince time.Time                  // of the worker: since when it was to end, but for what is not stored
}

func newSession(w *Worker, lease live.Lease, access site.Reach) *session {
	s := &session{
		w: w, panel: lease.PanelID, fence: lease.Fence,
		log: w.cfg.Logger.With("panel_id", lease.PanelID, "site_id", access.SiteID), commands: make(chan command.Claimed, 1),
		answers: make(chan satel.Result, 1),
	}
	s.reach.Store(&access)
	s.begun, s.pushAskedAt = w.cfg.Clock(), w.cfg.Clock()
	s.pushes.wake = make(chan struct{}, 1)
	s.reader = &watchedReader{model: func() satel.Model { return s.model }, noted: func(e satel.LogEntry) { s.noteSign(e); s.texts.note(e) }}
	s.texts = &textReader{tries: map[textOf]int{}}
	part := w.budget.open()
	s.memory = panellog.New(panellog.Config{
		Panel: s.panel, Fence: s.fence, Pool: w.cfg.Pool, Logger: s.log, Clock: w.cfg.Clock, Location: event.PanelZone(),
		Send: w.sender.send, Room: part.room, Held: func(delta int) { part.change(delta); s.held.Add(int64(delta)) }, Present: w.settler.ask,
		Trace: w.cfg.Trace, Hit: w.cfg.Hit,
	})
	s.state = live.PanelState{PanelID: s.panel, Fence: s.fence, Link: live.LinkConnecting, Holder: w.cfg.Instance}
	return s
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
	s.upSince = s.w.cfg.Clock()
	s.state.Link, s.state.LinkReason, s.state.Trying, s.state.ChangedAt = live.LinkUp, "", nil, s.upSince
	s.busy.Store(false)
	s.quarantined.Store(false)
	if err := s.readClock(ctx); err != nil {
		return err
	}
	if err := s.openMemory(ctx); err != nil {
		return err
	}
	s.names = newNameReader(model)
	s.names.identity = identityOf(version, model)
	if err := s.meetModule(ctx); err != nil {
		return err
	}
	s.nextPoll = s.w.cfg.Clock()
	s.publishState()
	if err := s.subscribe(ctx); err != nil {
		return err
	}
	s.log.Info("connected to the panel", "model", s.state.Model, "version", s.state.Version, "module", s.state.Module, "news", s.state.News)
	return nil
}

// openMemory loads what is known of the panel's event memory, and looks at it.
func (s *session) openMemory(ctx context.Context) error {
	s.queued.Store(true)
	err := s.w.opening.Acquire(ctx, 1)
	s.queued.Store(false)
	if err != nil {
		return err
	}
	defer s.w.opening.Release(1)
	s.answered.Store(s.w.cfg.Clock().UnixNano()) // it was not asked meanwhile: the silence was ours
	if err := s.store(ctx, func(ctx context.Context) error { return s.memory.Connect(ctx, s.reader) }); err != nil {
		return err
	}
	return s.look(ctx)
}

// meetModule asks the network module which lists there are.
func (s *session) meetModule(ctx context.Context) error {
	module, err := s.conn.ModuleVersion(ctx)
	if err != nil && (client.IsLost(err) || ctx.Err() != nil) {
		return err
	}
	name := ""
	s.size = satel.NewDataShort
	if err == nil {
		s.names.identity.Module = module.Firmware.Version
		name = module.Firmware.Version + " " + module.Firmware.Date
		s.size = satel.NewDataMiddle
		if module.Troubles8 {
			s.size = satel.NewDataLong
		}
	}
	if name != s.state.Module || name == "" || !s.w.cfg.Subscribe {
		s.state.Module, s.state.News = name, ""
	}
	s.lists = newLists(module, s.size, s.model.Wide(), s.unanswered)
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
		if !s.memory.Settled() {
			s.settle(ctx)
		}
		s.nextSettle = now.Add(settleEvery)
		if s.beginning && s.memory.Begun() {
			s.publishState()
		}
	}
	if err := s.judgeSuspects(now); err != nil {
		return err
	}
	if lists, record := s.pushes.take(); lists != 0 || record {
		return s.followPushes(ctx, lists, record)
	}
	if !now.Before(s.nextPoll) {
		return s.poll(ctx, now)
	}
	if !now.Before(s.nextLook) {
		return s.look(ctx)
	}
	if asked, err := s.followCommand(ctx, now); asked || err != nil {
		return err
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
	if s.awaitsAnswer() {
		return s.wait(ctx, now)
	}
	if asked, err := s.readText(ctx); asked || err != nil {
		return err
	}
	if asked, err := s.readName(ctx); asked || err != nil {
		return err
	}
	return s.wait(ctx, now)
}

// wait sleeps until something is due.
func (s *session) wait(ctx context.Context, now time.Time) error {
	next := s.nextPoll
	if s.nextLook.Before(next) {
		next = s.nextLook
	}
	if s.nextName.After(now) && s.nextName.Before(next) {
		next = s.nextName
	}
	if s.nextSettle.Before(next) && !s.memory.Settled() {
		next = s.nextSettle
	}
	if s.after != nil && s.after.next.Before(next) {
		next = s.after.next
	}
	if s.timer == nil {
		s.timer = time.NewTimer(next.Sub(now))
	} else {
		s.timer.Reset(next.Sub(now))
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-s.conn.Done():
		return s.conn.Err()
	case c := <-s.commands:
		return s.execute(ctx, c)
	case <-s.pushes.wake:
		return nil
	case <-s.timer.C:
		return nil
	}
}

// poll asks which lists changed. Anything that may stand in the event memory makes the
// newest record the next thing to be read.
func (s *session) poll(ctx context.Context, now time.Time) error {
	s.nextPoll = onBeat(now.Add(s.pollEvery()))
	changed, err := s.conn.NewData(ctx, s.size)
	if err != nil {
		if !client.IsLost(err) && s.size > satel.NewDataShort {
			s.size-- // an old module knows only a shorter form
			s.lists.within(s.size)
			return nil
		}
		return err
	}
	s.alive()
	s.mistrust(changed)
	s.lists.changed(changed)
	if s.memory.Deep() {
		return nil // a long walk looks for news by itself
	}
	if changed&s.lists.all&mayBeLogged != 0 {
		s.lookUntil = s.w.cfg.Clock().Add(followUp)
		return s.look(ctx)
	}
	return nil
}

// beat is the grid on which polls of all panels fall: those that are due together wake the
// process once, not each for itself.
const beat = 10 * time.Millisecond

// onBeat is the beat at or before an instant.
func onBeat(at time.Time) time.Time { return at.Add(-time.Duration(at.UnixNano()) % beat) }

// look reads the newest record.
func (s *session) look(ctx context.Context) error {
	var news, looked bool
	s.nextLook = s.w.cfg.Clock() // it stays due until it was made, whatever fails
	err := s.store(ctx, func(ctx context.Context) (err error) {
		news, err = s.memory.Look(ctx)
		looked = err == nil
		return err
	})
	if err != nil || !looked {
		return err
	}
	now := s.w.cfg.Clock()
	if news {
		s.lookUntil = now.Add(followUp)
	}
	switch {
	case len(s.suspects) > 0:
		s.nextLook = now.Add(hurryEvery)
	case now.Before(s.lookUntil):
		s.nextLook = now.Add(s.w.cfg.Poll)
	default:
		s.nextLook = now.Add(lookAnyway)
	}
	s.alive()
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
		if soon := s.w.cfg.Clock().Add(s.pollEvery()); s.nextPoll.After(soon) {
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
	again := lookAgain
	if errors.Is(err, panellog.ErrFull) {
		again = settleEvery
	}
	s.nextLook = s.w.cfg.Clock().Add(again)
	return nil
}

// settle lets the memory ask what is stored, unless enough others do. A failure is no
// reason to leave the panel.
func (s *session) settle(ctx context.Context) {
	if !s.w.settling.TryAcquire(1) {
		return // due again soon
	}
	defer s.w.settling.Release(1)
	bounded, cancel := context.WithTimeout(ctx, storeAttempt)
	defer cancel()
	_ = s.store(ctx, func(context.Context) error { return s.memory.Settle(bounded) })
}

// alive notes that the panel answered.
func (s *session) alive() {
	at := s.w.cfg.Clock()
	s.state.AnsweredAt = at
	s.answered.Store(at.UnixNano())
	if at.Sub(s.touched) < aliveEvery {
		return
	}
	s.touched = at
	s.w.states.touch(live.Answered{PanelID: s.panel, Fence: s.fence, AnsweredAt: at})
}

// silentFor is how long the panel has not answered; a session that just began counts
// from its beginning. While a module says Busy a dead worker may still hold it, and
// that takes longer to know. What is in quarantine stays: no worker could reach it.
func (s *session) silentFor(now, since time.Time) time.Duration {
	last := time.Unix(0, s.answered.Load())
	if last.Before(since) {
		last = since
	}
	silent := now.Sub(last)
	switch {
	case s.queued.Load():
		return 0
	case s.quarantined.Load():
		silent -= quarantinedFor - silentTooMax
	case s.busy.Load():
		silent -= busyPatience - silentTooMax
	}
	return silent
}

func (s *session) publishState() {
	s.state.Seq++
	s.state.Reach = s.reach.Load().Number
	told := s.state
	// Before the first contact is on record the panel is not guarded: should this process
	// die, another one takes what happened meanwhile for history.
	if s.beginning = told.Link == live.LinkUp && !s.memory.Begun(); s.beginning {
		told.Link = live.LinkConnecting
	}
	s.w.states.put(told)
}

// infer publishes an alarm that the state bits show and no record explains.
func (s *session) infer(code, zone, partition int, at time.Time) {
	s.inferred++
	s.w.metrics.inferred.Inc()
	trace := s.memory.Infer(wire.Inferred{Code: code, Zone: zone, Partition: partition, Fence: s.fence, Seq: s.inferred}, at)
	s.log.Warn("an alarm in the state bits that no record explains", "trace_id", obs.TraceID(trace), "zone", zone, "partition", partition)
}
