package panelwatch

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/bus"
	"dozor/internal/event"
	"dozor/internal/ids"
	"dozor/internal/pg"
	"dozor/internal/wire"
)

const (
	stepTimeout = 5 * time.Second
	// perRound bounds one round; the rest takes the next.
	perRound = 200
	// gather is how long changes of one panel may go on coming before they are told of, so
	// that an installer's evening makes a few events and not a hundred.
	gather     = 15 * time.Second
	gatherMost = time.Minute
)

// Config of a watch.
type Config struct {
	Pool  *pg.Pool
	Bus   bus.Publisher
	Trace func() string
	// ClockLimit is how far a panel's clock may be off; 0: as far as it likes.
	ClockLimit time.Duration
}

// Watch finds wrong clocks and changed settings and says so. Safe beside others of its kind.
type Watch struct{ cfg Config }

// New makes a watch.
func New(cfg Config) *Watch { return &Watch{cfg: cfg} }

// Round looks once, and publishes what was not said yet.
func (w *Watch) Round(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	if err := w.judgeClocks(ctx); err != nil {
		return err
	}
	if err := w.sayClocks(ctx); err != nil {
		return err
	}
	return w.sayChanges(ctx)
}

func (w *Watch) judgeClocks(ctx context.Context) error {
	limit := w.cfg.ClockLimit.Milliseconds()
	if limit > 0 {
		_, err := w.cfg.Pool.Exec(ctx, `
			INSERT INTO clock_faults (panel_id, offset_ms)
			SELECT p.id, (s.body->>'clock_offset_ms')::bigint
			FROM panels p JOIN panel_states s ON s.panel_id = p.id
			WHERE p.enabled AND s.body->>'link' = 'up' AND abs((s.body->>'clock_offset_ms')::bigint) > $1
			  AND NOT EXISTS (SELECT FROM clock_faults f WHERE f.panel_id = p.id AND f.ended_at IS NULL)
			LIMIT $2
			ON CONFLICT (panel_id) WHERE ended_at IS NULL DO NOTHING`, limit, perRound)
		if err != nil {
			return fmt.Errorf("record wrong clocks: %w", err)
		}
	}
	_, err := w.cfg.Pool.Exec(ctx, `
		UPDATE clock_faults f SET ended_at = dozor_now()
		FROM panel_states s
		WHERE f.ended_at IS NULL AND s.panel_id = f.panel_id AND s.body->>'link' = 'up'
		  AND ($1::bigint = 0 OR abs((s.body->>'clock_offset_ms')::bigint) <= $1::bigint / 2)`, limit)
	if err != nil {
		return fmt.Errorf("record clocks that are right again: %w", err)
	}
	return nil
}

func (w *Watch) sayClocks(ctx context.Context) error {
	rows, err := w.cfg.Pool.Query(ctx, `
		SELECT id, panel_id, offset_ms, detected_at, ended_at, wrong_said FROM clock_faults
		WHERE NOT wrong_said OR (ended_at IS NOT NULL AND NOT right_said) ORDER BY id LIMIT $1`, perRound)
	if err != nil {
		return fmt.Errorf("read wrong clocks to tell of: %w", err)
	}
	var msgs []bus.Message
	var said []int64 // by message; negative: of the end
	var id, offset int64
	var panel ids.PanelID
	var detected time.Time
	var ended *time.Time
	var wrongSaid bool
	_, err = pgx.ForEachRow(rows, []any{&id, &panel, &offset, &detected, &ended, &wrongSaid}, func() error {
		subject := "clock " + strconv.FormatInt(id, 10)
		if !wrongSaid {
			args := map[string]string{"offset_s": strconv.FormatInt(offset/1000, 10)}
			msgs, said = append(msgs, w.message(panel, wire.ClockWrong, subject, args, detected)), append(said, id)
		}
		if ended != nil {
			msgs, said = append(msgs, w.message(panel, wire.ClockRight, subject, nil, *ended)), append(said, -id)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read wrong clocks to tell of: %w", err)
	}
	wrong, right := []int64{}, []int64{} // a nil slice would be NULL
	for i, confirmed := range w.publish(ctx, msgs) {
		switch {
		case !confirmed:
		case said[i] < 0:
			right = append(right, -said[i])
		default:
			wrong = append(wrong, said[i])
		}
	}
	if len(wrong)+len(right) == 0 {
		return nil
	}
	_, err = w.cfg.Pool.Exec(ctx, `
		UPDATE clock_faults SET wrong_said = wrong_said OR id = ANY ($1), right_said = right_said OR id = ANY ($2)
		WHERE id = ANY ($1) OR id = ANY ($2)`, wrong, right)
	if err != nil {
		return fmt.Errorf("note what was told of clocks: %w", err)
	}
	return nil
}

// change is a grave one that was not told of.
type change struct {
	ID       int64
	Panel    ids.PanelID
	Kind     string
	Number   int
	What     string
	Was, Now string
	At       time.Time
}

// sayChanges tells of all changes of a panel at once when no more have come for a moment.
func (w *Watch) sayChanges(ctx context.Context) error {
	rows, err := w.cfg.Pool.Query(ctx, `
		WITH ready AS (
			SELECT panel_id FROM panel_changes WHERE grave AND NOT said GROUP BY panel_id
			HAVING max(at) < dozor_now() - $1::interval OR min(at) < dozor_now() - $2::interval ORDER BY panel_id LIMIT $3
		)
		SELECT id, panel_id, kind, number, what, was, now, at FROM panel_changes JOIN ready USING (panel_id)
		WHERE grave AND NOT said ORDER BY panel_id, id`, gather, gatherMost, perRound)
	if err != nil {
		return fmt.Errorf("read changed settings to tell of: %w", err)
	}
	changes, err := pgx.CollectRows(rows, pgx.RowToStructByPos[change])
	if err != nil {
		return fmt.Errorf("read changed settings to tell of: %w", err)
	}
	var msgs []bus.Message
	var of [][]int64
	for len(changes) > 0 {
		n := 1
		for n < len(changes) && changes[n].Panel == changes[0].Panel {
			n++
		}
		one := changes[:n]
		changes = changes[n:]
		subject := "change " + strconv.FormatInt(one[n-1].ID, 10)
		msgs = append(msgs, w.message(one[0].Panel, wire.SettingsChanged, subject, argsOf(one), one[n-1].At))
		var said []int64
		for _, c := range one {
			said = append(said, c.ID)
		}
		of = append(of, said)
	}
	told := []int64{}
	for i, confirmed := range w.publish(ctx, msgs) {
		if confirmed {
			told = append(told, of[i]...)
		}
	}
	if len(told) == 0 {
		return nil
	}
	if _, err := w.cfg.Pool.Exec(ctx, `UPDATE panel_changes SET said = true WHERE id = ANY ($1)`, told); err != nil {
		return fmt.Errorf("note which changes were told: %w", err)
	}
	return nil
}

// maxListed bounds the zones that a sentence names.
const maxListed = 20

// argsOf are the arguments of the event that tells of changes of one panel.
func argsOf(changes []change) map[string]string {
	lists := map[string][]string{}
	for _, c := range changes {
		switch {
		case c.Kind == "panel":
			lists["model"] = append(lists["model"], c.Was+" → "+c.Now)
		case c.What == "vanished":
			lists["zones_gone"] = append(lists["zones_gone"], strconv.Itoa(c.Number))
		case c.What == "partition":
			lists["zones_moved"] = append(lists["zones_moved"], strconv.Itoa(c.Number))
		default:
			lists["reactions"] = append(lists["reactions"], strconv.Itoa(c.Number))
		}
	}
	args := map[string]string{}
	for name, list := range lists {
		more := ""
		if len(list) > maxListed {
			more = fmt.Sprintf(" +%d", len(list)-maxListed)
			list = list[:maxListed]
		}
		args[name] = strings.Join(list, ", ") + more
	}
	return args
}

func (w *Watch) publish(ctx context.Context, msgs []bus.Message) []bool {
	if len(msgs) == 0 {
		return nil
	}
	confirmed := make([]bool, len(msgs))
	for i, outcome := range w.cfg.Bus.Publish(ctx, msgs) {
		confirmed[i] = outcome == bus.Confirmed
	}
	return confirmed
}

func (w *Watch) message(panel ids.PanelID, code wire.StationCode, subject string, args map[string]string, at time.Time) bus.Message {
	body, err := wire.Report{
		PanelID: panel, ReceivedAt: at.UTC(), Model: -1, Station: &wire.Station{Code: code, Subject: subject, Args: args},
	}.Encode()
	if err != nil {
		panic(err) // no instant of the database is out of JSON's range
	}
	return bus.Message{Key: event.StationKey(panel, 0, code, subject), Lane: bus.Live, Topic: "station." + string(code), Trace: w.cfg.Trace(), Body: body}
}
