package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"dozor/internal/live"
	"dozor/internal/outbox"
	"dozor/internal/pg"
	"dozor/internal/wire"
)

const (
	// atOnce is how many notifications are handed over with one wait for the confirms.
	atOnce = 500
	// turnFor is how long a turn stands without being renewed.
	turnFor = 10 * time.Second
	// renewEvery is how often it is renewed: long before another could take it.
	renewEvery = turnFor / 5
	// lookEvery is how long a notification may wait when nobody said that it is there.
	lookEvery = time.Second
	// stepTime bounds one reading and handing over.
	stepTime = 5 * time.Second
)

// Note is one notification for the broker.
type Note struct {
	ID, Topic, Trace string
	Body             []byte
}

// Broker takes notifications.
type Broker interface {
	// Usable says whether it is worth trying.
	Usable() bool
	// Notify returns once all are confirmed.
	Notify(ctx context.Context, notes []Note) error
}

// Config of a Publisher.
type Config struct {
	Pool   *pg.Pool
	Broker Broker
	// Holder is this process, unique among processes and their starts.
	Holder string
	// Wakes says that there may be something new; it may be nil.
	Wakes   <-chan struct{}
	Logger  *slog.Logger
	Metrics prometheus.Registerer // may be nil
}

// Publisher hands notifications over.
type Publisher struct {
	cfg     Config
	sent    prometheus.Counter
	skipped prometheus.Counter
	lag     prometheus.Gauge
	failing bool

	// While the turn is this process's, nobody else moves the cursor.
	at        wire.StreamPosition
	renewedAt time.Time // zero: it is not
}

// New makes a Publisher.
func New(cfg Config) *Publisher {
	cfg.Logger = cfg.Logger.With("component", "integration")
	f := promauto.With(cfg.Metrics)
	return &Publisher{
		cfg: cfg,
		sent: f.NewCounter(prometheus.CounterOpts{
			Name: "dozor_integration_sent_total", Help: "Notifications that the broker has confirmed.",
		}),
		skipped: f.NewCounter(prometheus.CounterOpts{
			Name: "dozor_integration_skipped_total", Help: "Notifications that were no longer kept when the broker returned.",
		}),
		lag: f.NewGauge(prometheus.GaugeOpts{
			Name: "dozor_integration_lag", Help: "Positions that the broker has not confirmed, in the process whose turn it is.",
		}),
	}
}

// Run hands over until ctx ends; then it gives its turn back.
func (p *Publisher) Run(ctx context.Context) error {
	defer p.giveBack(context.WithoutCancel(ctx))
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		for more := true; more && ctx.Err() == nil; {
			var err error
			more, err = p.Step(ctx)
			p.report(ctx, err)
			more = more && err == nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-p.cfg.Wakes:
		}
	}
}

func (p *Publisher) report(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil || (err != nil) == p.failing:
		return
	case err != nil:
		p.cfg.Logger.Warn("integrations are not told for now; what is due is kept", "err", err)
	default:
		p.cfg.Logger.Info("integrations are told again")
	}
	p.failing = err != nil
}

// Step hands over at most 500 notifications, if it is this process's turn, and says
// whether there may be more.
func (p *Publisher) Step(ctx context.Context) (more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	at, mine, err := p.turn(ctx)
	if err != nil || !mine || !p.cfg.Broker.Usable() {
		return false, err
	}
	head, err := outbox.Head(ctx, p.cfg.Pool)
	if err != nil {
		return false, fmt.Errorf("hand notifications over: %w", err)
	}
	if at.Epoch == 0 { // the first broker of this station: history is no news
		return false, p.note(ctx, at, head)
	}
	if at.Epoch == head.Epoch {
		p.lag.Set(float64(head.Position - at.Position))
		if at.Position >= head.Position {
			return false, nil
		}
	}
	// Frames of an epoch that is over are handed over to its end.
	frames, err := outbox.Frames(ctx, p.cfg.Pool, at.Epoch, at.Position, lastOf(at, head), atOnce)
	if err != nil {
		return false, fmt.Errorf("hand notifications over: %w", err)
	}
	to := at
	if len(frames) == 0 {
		to = wire.StreamPosition{Epoch: head.Epoch}
		if at.Epoch == head.Epoch {
			to.Position = head.Position
			p.gap(head.Position - at.Position)
		}
		return true, p.note(ctx, at, to)
	}
	p.gap(frames[0].Position - at.Position - 1)
	notes, err := encode(frames)
	if err != nil {
		return false, err
	}
	if len(notes) > 0 {
		if err := p.cfg.Broker.Notify(ctx, notes); err != nil {
			return false, err
		}
	}
	p.sent.Add(float64(len(notes)))
	to.Position = frames[len(frames)-1].Position
	return true, p.note(ctx, at, to)
}

func lastOf(at, head wire.StreamPosition) int64 {
	if at.Epoch == head.Epoch {
		return head.Position
	}
	return 1 << 62
}

func (p *Publisher) gap(n int64) {
	if n > 0 {
		p.skipped.Add(float64(n))
		p.cfg.Logger.Warn("notifications were trimmed before integrations were told of them", "count", n)
	}
}

// turn takes the turn if nobody else has it, and says where to go on.
func (p *Publisher) turn(ctx context.Context) (at wire.StreamPosition, mine bool, err error) {
	if asked := time.Now(); time.Since(p.renewedAt) > renewEvery {
		p.renewedAt = time.Time{}
		err = p.cfg.Pool.QueryRow(ctx, `
			UPDATE integration_cursor SET holder = $1, held_until = dozor_now() + $2::interval
			WHERE holder = $1 OR held_until < dozor_now() RETURNING epoch, position`, p.cfg.Holder, turnFor).Scan(&p.at.Epoch, &p.at.Position)
		if errors.Is(err, pgx.ErrNoRows) {
			return at, false, nil
		}
		if err != nil {
			return at, false, fmt.Errorf("take the turn to tell integrations: %w", err)
		}
		p.renewedAt = asked
	}
	return p.at, true, nil
}

// note writes down how far everything was handed over, unless another process has the turn.
func (p *Publisher) note(ctx context.Context, from, to wire.StreamPosition) error {
	tag, err := p.cfg.Pool.Exec(ctx, `
		UPDATE integration_cursor SET epoch = $4, position = $5 WHERE holder = $1 AND epoch = $2 AND position = $3`,
		p.cfg.Holder, from.Epoch, from.Position, to.Epoch, to.Position)
	p.at = to
	if err != nil || tag.RowsAffected() == 0 {
		p.renewedAt = time.Time{} // look again where it stands, and whose turn it is
	}
	if err != nil {
		return fmt.Errorf("note how far integrations were told: %w", err)
	}
	return nil
}

func (p *Publisher) giveBack(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	if _, err := p.cfg.Pool.Exec(ctx, "UPDATE integration_cursor SET held_until = '-infinity' WHERE holder = $1", p.cfg.Holder); err != nil {
		p.cfg.Logger.Debug("the turn ends by itself", "err", err)
	}
}

// encode makes notes of the frames that may leave the house.
func encode(frames []live.Frame) ([]Note, error) {
	notes := make([]Note, 0, len(frames))
	for _, f := range frames {
		if f.Audience != wire.Operators {
			continue
		}
		body, err := json.Marshal(f)
		if err != nil {
			return nil, fmt.Errorf("encode notification %d: %w", f.Position, err)
		}
		notes = append(notes, Note{
			ID: strconv.FormatInt(f.Epoch, 10) + "-" + strconv.FormatInt(f.Position, 10), Topic: f.Type, Trace: f.Trace, Body: body,
		})
	}
	return notes, nil
}
