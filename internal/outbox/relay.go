package outbox

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/live"
	"dozor/internal/pg"
	"dozor/internal/wire"
)

const (
	// batch is how many rows one step stamps and one publication carries at most.
	batch = 500
	// pollEvery is how long a notification may wait whose hint was lost.
	pollEvery = 500 * time.Millisecond
	// standBy is how long a relay leaves the work alone after it saw another do it.
	standBy = 500 * time.Millisecond
	// stepTimeout bounds one step's statements, so that a frozen host is left.
	stepTimeout = 10 * time.Second
	// publishTimeout bounds one publication: a fan-out that hangs must not hold up the
	// stamping, which receivers see by themselves within half a second.
	publishTimeout = time.Second
	// measureEvery is how often depth and age are read.
	measureEvery = 10 * time.Second
)

// Points at which Config.Hit is called.
const (
	AfterStamp   = "relay.after_stamp"   // committed, not published
	AfterPublish = "relay.after_publish" // published, not noted as published
)

// Config of a relay.
type Config struct {
	DB     *pg.Direct
	Fanout live.Fanout
	Log    *slog.Logger
	// Wakes is where hints come in, those of HintChannel; may be nil.
	Wakes <-chan struct{}
	// Metrics may be nil.
	Metrics *Metrics
	// Hit is called at the points above, for tests that crash there; may be nil.
	Hit func(point string)
}

// Relay gives notifications their positions and hands them to the fan-out.
//
// Any number may run at once: the lock of stream_head's row keeps positions right. One
// works, the others stand by: a relay that finds that another has stamped since it
// looked last leaves the work alone for half a second, and takes over when nothing has
// moved by then.
type Relay struct {
	cfg  Config
	wake chan struct{} // capacity 1

	// What follows belongs to the goroutine that calls Stamp.

	known   bool // seen below is from this relay's own last step
	seen    wire.StreamPosition
	resting time.Time // standing by until then
	// published is the highest position, in the epoch of seen, up to which everything
	// is known to be published. Not mine: others may have published or died.
	published int64
	mine      bool
	floor     floor
	failing   bool
}

// NewRelay makes a relay; nothing happens before Run or Stamp.
func NewRelay(cfg Config) *Relay {
	cfg.Log = cfg.Log.With("component", "relay")
	if cfg.Metrics == nil {
		cfg.Metrics = NewMetrics(nil)
	}
	if cfg.Hit == nil {
		cfg.Hit = func(string) {}
	}
	return &Relay{cfg: cfg, wake: make(chan struct{}, 1), floor: floor{riseOver: riseAfter}}
}

// Wake says that something was appended, after the commit. It never blocks.
func (r *Relay) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run stamps and publishes until ctx ends; it returns nil then. What goes wrong is
// logged once and tried again: nothing is lost while rows wait.
func (r *Relay) Run(ctx context.Context) error {
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	measured := time.Time{}
	for {
		for ctx.Err() == nil {
			n, err := r.Stamp(ctx)
			if ctx.Err() != nil {
				return nil
			}
			r.report(err)
			if err != nil || n < batch {
				break
			}
		}
		if time.Since(measured) > measureEvery {
			measured = time.Now()
			r.measure(ctx)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-poll.C:
		case <-r.wake:
		case <-r.cfg.Wakes:
		}
	}
}

func (r *Relay) report(err error) {
	switch {
	case err != nil && !r.failing:
		r.cfg.Log.Warn("the relay waits and tries again", "err", err)
	case err == nil && r.failing:
		r.cfg.Log.Info("the relay works again")
	}
	r.failing = err != nil
}

// Stamp does one step: it gives positions to at most 500 notifications and publishes
// them, and before them whatever an earlier relay stamped and may not have published.
// It returns how many got a position; with an error besides when they could not be
// published, which the next step does again. Not for concurrent use.
func (r *Relay) Stamp(ctx context.Context) (int, error) {
	if time.Now().Before(r.resting) {
		return 0, nil
	}
	began := time.Now()
	stepCtx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	s, err := r.step(stepCtx)
	if err != nil {
		// Whether it was committed is not known: look at everything anew.
		r.known, r.mine = false, false
		r.floor.reset()
		return 0, err
	}
	r.cfg.Metrics.lastStep.SetToCurrentTime()
	if s.renewed {
		r.cfg.Log.Warn("the database lives another life: the stream begins a new epoch", "epoch", s.before.Epoch)
	}
	r.follow(s)
	if s.yielded {
		return 0, nil
	}
	if len(s.frames) > 0 {
		r.cfg.Metrics.stamped.Add(float64(len(s.frames)))
		r.cfg.Metrics.stampSeconds.Observe(time.Since(began).Seconds())
		r.cfg.Hit(AfterStamp)
	}
	if err := r.publishUpTo(ctx, s); err != nil {
		r.cfg.Metrics.publishErrors.Inc()
		return len(s.frames), err
	}
	if len(s.frames) > 0 {
		r.cfg.Hit(AfterPublish)
	}
	if err := r.floor.listWriters(stepCtx, r.cfg.DB); err != nil {
		return len(s.frames), err
	}
	return len(s.frames), nil
}

// step is what one transaction found and did.
type step struct {
	before    wire.StreamPosition // head under the lock, after a new epoch if one began
	published int64               // as the row said
	renewed   bool
	yielded   bool // another relay has stamped since this one looked
	frames    []live.Frame
	topID     int64
}

func (r *Relay) step(ctx context.Context) (step, error) {
	var s step
	err := r.cfg.DB.InTx(ctx, func(tx pgx.Tx) error {
		s = step{}
		if err := r.lockHead(ctx, tx, &s); err != nil {
			return err
		}
		if r.known && !s.renewed && s.before != r.seen {
			s.yielded = true
			return nil
		}
		if err := r.floor.checkWriters(ctx, tx); err != nil {
			return err
		}
		return r.stampRows(ctx, tx, &s)
	})
	if err != nil {
		return step{}, fmt.Errorf("stamp notifications: %w", err)
	}
	return s, nil
}

// lockHead takes the row that every relay needs and begins a new epoch in it where the
// database is not the one that the positions were counted in.
func (r *Relay) lockHead(ctx context.Context, tx pgx.Tx, s *step) error {
	var (
		timeline, now string
		server        time.Time
	)
	err := tx.QueryRow(ctx, `SELECT epoch, last, published, timeline, dozor_timeline(), pg_postmaster_start_time()
		FROM stream_head FOR UPDATE`).Scan(&s.before.Epoch, &s.before.Position, &s.published, &timeline, &now, &server)
	if err != nil {
		return fmt.Errorf("lock the stream's head: %w", err)
	}
	r.floor.begin(server)
	if timeline == now {
		return nil
	}
	epoch, err := renewEpoch(ctx, tx)
	if err != nil {
		return err
	}
	r.floor.reset()
	s.before, s.published, s.renewed = wire.StreamPosition{Epoch: epoch}, 0, true
	return nil
}

func renewEpoch(ctx context.Context, tx pgx.Tx) (epoch int64, err error) {
	err = tx.QueryRow(ctx, `UPDATE stream_head SET last = 0, published = 0, timeline = dozor_timeline(),
		epoch = greatest(epoch + 1, extract(epoch FROM dozor_now())::bigint) RETURNING epoch`).Scan(&epoch)
	if err != nil {
		return 0, fmt.Errorf("begin a new epoch: %w", err)
	}
	return epoch, nil
}

// Each lane is read in the order of the index of unstamped rows, from the floor on. The
// row comparison, rather than lane = 0 AND id > floor, leaves that index as the only one
// that gives the order: the primary key would be walked over everything ever stamped.
const stampRows = `
WITH next AS (
    SELECT id, row_number() OVER (ORDER BY lane, id) AS n
    FROM (
        (SELECT lane, id FROM outbox
         WHERE position IS NULL AND (lane, id) > (0::smallint, $3::bigint) AND (lane, id) < (1::smallint, 0::bigint)
         ORDER BY lane, id LIMIT $4)
        UNION ALL
        (SELECT lane, id FROM outbox
         WHERE position IS NULL AND (lane, id) > (1::smallint, $3::bigint)
         ORDER BY lane, id LIMIT $4)
        ORDER BY lane, id LIMIT $4
    ) waiting
), stamped AS (
    UPDATE outbox o SET epoch = $1, position = $2 + next.n FROM next WHERE o.id = next.id
    RETURNING o.*
), raised AS (
    UPDATE stream_head SET last = $2 + (SELECT count(*) FROM next), published = greatest(published, $5)
    WHERE EXISTS (SELECT FROM next)
)
SELECT ` + frameColumns + `, (SELECT max(id) FROM next) FROM stamped ORDER BY position`

func (r *Relay) stampRows(ctx context.Context, tx pgx.Tx, s *step) error {
	var done int64 // known to be published; the row is told when it is written anyway
	if r.mine && r.seen.Epoch == s.before.Epoch {
		done = r.published
	}
	rows, err := tx.Query(ctx, stampRows, s.before.Epoch, s.before.Position, r.floor.id, batch, done)
	if err != nil {
		return fmt.Errorf("give positions: %w", err)
	}
	s.frames, s.topID, err = collectStamped(rows)
	if err != nil {
		return fmt.Errorf("give positions: %w", err)
	}
	for i, f := range s.frames {
		if f.Position != s.before.Position+int64(i)+1 {
			return fmt.Errorf("give positions: got %d where %d was due", f.Position, s.before.Position+int64(i)+1)
		}
	}
	if len(s.frames) > 0 || done <= s.published {
		return nil
	}
	if _, err := tx.Exec(ctx, "UPDATE stream_head SET published = $1", done); err != nil {
		return fmt.Errorf("note what is published: %w", err)
	}
	return nil
}

// follow takes over what a committed step found.
func (r *Relay) follow(s step) {
	after := s.before
	after.Position += int64(len(s.frames))
	if s.yielded {
		r.known, r.seen, r.mine = true, after, false
		r.floor.reset()
		r.resting = time.Now().Add(standBy)
		return
	}
	if !r.mine || r.seen.Epoch != s.before.Epoch {
		r.published = s.published
	}
	r.known, r.seen, r.mine = true, after, true
	r.published = max(r.published, s.published)
	r.floor.stamped(len(s.frames), s.topID, len(s.frames) == batch)
}

// publishUpTo publishes what is not: first what was stamped by somebody who may have
// died before, or by this relay when the fan-out was away, then this step's frames.
func (r *Relay) publishUpTo(ctx context.Context, s step) error {
	for r.published < s.before.Position {
		readCtx, cancel := context.WithTimeout(ctx, stepTimeout)
		frames, err := Frames(readCtx, r.cfg.DB, s.before.Epoch, r.published, s.before.Position, batch)
		cancel()
		if err != nil {
			return fmt.Errorf("publish again: %w", err)
		}
		if len(frames) == 0 {
			// Somebody emptied the table; receivers find the same and reset their clients.
			r.cfg.Log.Warn("stamped notifications are gone before they were published", "position", s.before.Position)
			r.published = s.before.Position
			break
		}
		if err := r.publish(ctx, frames); err != nil {
			return err
		}
	}
	return r.publish(ctx, s.frames)
}

func (r *Relay) publish(ctx context.Context, frames []live.Frame) error {
	if len(frames) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	if err := r.cfg.Fanout.Publish(ctx, frames); err != nil {
		return fmt.Errorf("publish up to %d: %w", frames[len(frames)-1].Position, err)
	}
	r.published = frames[len(frames)-1].Position
	return nil
}

// measure reads what waits without the floor, so that the figure also shows what a
// mistake of the floor would hide.
func (r *Relay) measure(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	var (
		depth  int64
		oldest float64
	)
	err := r.cfg.DB.QueryRow(ctx, `SELECT count(*), coalesce(extract(epoch FROM dozor_now() - min(at)), 0)::float8
		FROM (SELECT at FROM outbox WHERE position IS NULL LIMIT 10000) waiting`).Scan(&depth, &oldest)
	if err != nil {
		r.cfg.Log.Debug("the outbox can't be measured", "err", err)
		return
	}
	r.cfg.Metrics.depth.Set(float64(depth))
	r.cfg.Metrics.oldest.Set(max(oldest, 0))
}
