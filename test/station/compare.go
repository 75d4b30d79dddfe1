package station

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"dozor/internal/ids"
	"dozor/internal/wire"
	"dozor/satel"
)

// Difference is what a panel has recorded and what the database has of it, where they are not the same.
type Difference struct {
	Missing []PanelEvent // recorded, not in the database
	Doubled []PanelEvent // more often in the database than recorded
	Foreign []string     // in the database, never recorded
	Order   []string     // neighbours in the database's order of the panel's log that happened the other way round
}

// None reports whether there is no difference.
func (d Difference) None() bool {
	return len(d.Missing)+len(d.Doubled)+len(d.Foreign)+len(d.Order) == 0
}

func (d Difference) String() string {
	show := func(events []PanelEvent) string {
		var b strings.Builder
		for _, e := range events[:min(len(events), 5)] {
			fmt.Fprintf(&b, " #%d %s/%s", e.Sequence, e.Index, e.Record)
		}
		return b.String()
	}
	return fmt.Sprintf("%d missing%s; %d doubled%s; %d foreign %v; %d in the wrong order %v", len(d.Missing), show(d.Missing),
		len(d.Doubled), show(d.Doubled), len(d.Foreign), d.Foreign[:min(len(d.Foreign), 5)], len(d.Order), d.Order[:min(len(d.Order), 5)])
}

// record tells records of one panel apart, as far as they can be: place and masked bytes.
type record struct{ index, masked string }

func recordOf(index, raw string) (record, error) {
	bytes, err := hex.DecodeString(raw)
	if err != nil || len(bytes) != len(satel.Record{}) {
		return record{}, fmt.Errorf("%q is no record", raw)
	}
	return record{index, satel.Record(bytes).Masked().String()}, nil
}

// Difference compares a panel's whole record with the database.
func (s *Station) Difference(p Panel) (Difference, error) {
	var d Difference
	recorded := map[record][]PanelEvent{}
	for _, e := range s.Sim.Events(p.Number) {
		r, err := recordOf(e.Index, e.Record)
		if err != nil {
			return d, err
		}
		recorded[r] = append(recorded[r], e)
	}
	stored, err := s.stored(p.ID)
	if err != nil {
		return d, err
	}
	count := map[record]int{}
	var last uint64
	for _, r := range stored {
		count[r]++
		events := recorded[r]
		if len(events) == 0 {
			d.Foreign = append(d.Foreign, r.index+"/"+r.masked)
			continue
		}
		if len(events) > 1 {
			continue // equal ones can't be told apart
		}
		if sequence := events[0].Sequence; sequence <= last {
			d.Order = append(d.Order, fmt.Sprintf("#%d behind #%d", sequence, last))
		} else {
			last = sequence
		}
	}
	for r, events := range recorded {
		switch n := count[r]; {
		case n < len(events):
			d.Missing = append(d.Missing, events[:len(events)-n]...)
		case n > len(events):
			d.Doubled = append(d.Doubled, events[0])
		}
	}
	if s.wrapped[p.Number] {
		d.Missing = s.readable(p, d.Missing)
	}
	older := func(a, b PanelEvent) int { return int(a.Sequence) - int(b.Sequence) }
	slices.SortFunc(d.Missing, older)
	slices.SortFunc(d.Doubled, older)
	return d, nil
}

// Wrapped says that the memory of a panel has come round, so that what it has overwritten may be missing: if a gap is on
// record.
func (s *Station) Wrapped(number int) { s.wrapped[number] = true }

// readable are those records that the panel's memory still holds; the others may be missing where that was said.
func (s *Station) readable(p Panel, missing []PanelEvent) []PanelEvent {
	view := s.Sim.Panel(p.Number)
	all := s.Sim.Events(p.Number)
	if len(all) == 0 || !s.Is("SELECT EXISTS (SELECT FROM events WHERE panel_id = $1 AND kind = 'memory_gap' AND priority = 3)", int64(p.ID)) {
		return missing
	}
	oldest := all[len(all)-1].Sequence - uint64(view.LogHeld)
	return slices.DeleteFunc(missing, func(e PanelEvent) bool { return e.Sequence <= oldest })
}

// stored returns the records of a panel in the order of its log.
func (s *Station) stored(panel ids.PanelID) ([]record, error) {
	rows, err := s.DB.Query(context.Background(), `
		SELECT encode(log_index, 'hex'), encode(raw, 'hex') FROM events
		WHERE panel_id = $1 AND raw IS NOT NULL ORDER BY epoch, segment, log_offset`, int64(panel))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (record, error) {
		var index, raw string
		if err := row.Scan(&index, &raw); err != nil {
			return record{}, err
		}
		return recordOf(index, raw)
	})
}

// Stored waits until the database has everything that a panel has recorded, exactly once and in order.
func (s *Station) Stored(p Panel, within time.Duration) {
	s.T.Helper()
	deadline := time.Now().Add(within)
	for {
		waiting := s.Sim.Panel(p.Number).Waiting
		d, err := s.Difference(p)
		if err == nil && d.None() && waiting == 0 {
			return
		}
		if time.Now().After(deadline) {
			require.NoError(s.T, err)
			require.Fail(s.T, "the database has another story than the panel", "panel %d after %v: %v; its log: %s", p.ID, within, d, s.logOf(p))
		}
		pause(s.T, 100*time.Millisecond)
	}
}

// logOf describes a panel's segments, for people.
func (s *Station) logOf(p Panel) string {
	var text string
	err := s.DB.QueryRow(context.Background(), `
		SELECT coalesce(string_agg(format('%s/%s %s low %s', epoch, number, state, low_offset), '; ' ORDER BY number DESC), 'no segment')
		FROM (SELECT * FROM panel_log_segments WHERE panel_id = $1 ORDER BY number DESC LIMIT 12) s`, int64(p.ID)).Scan(&text)
	if err != nil {
		return err.Error()
	}
	return text
}

// quiet says what must have come to rest before the station can be judged.
const quiet = `
SELECT NOT EXISTS (SELECT FROM panel_log_segments WHERE state = 'open')
   AND NOT EXISTS (SELECT FROM outbox WHERE position IS NULL)
   AND NOT EXISTS (SELECT FROM commands WHERE state IN ('queued', 'executing'))
   AND (SELECT published = last FROM stream_head)`

// armingTime is how long a simulated panel goes on by itself: the time to leave, and the time to enter after it where a zone
// was left open.
const armingTime = time.Minute

// Compare waits until everything has come to rest, and then holds against each other what the panels recorded, what the
// database has, what the screen saw, and what the panels were told to do. Nothing may be done to the panels meanwhile.
func (s *Station) Compare(screen *Screen, within time.Duration) {
	s.T.Helper()
	for _, p := range s.Panels {
		require.Eventually(s.T, func() bool { return s.Sim.AtRest(p.Number) }, armingTime, 100*time.Millisecond, "panel %d at rest", p.ID)
	}
	deadline := time.Now().Add(within)
	for _, p := range s.Panels {
		s.Stored(p, max(time.Until(deadline), time.Second))
	}
	s.Eventually(max(time.Until(deadline), time.Second), "the station comes to rest", quiet)
	head := wire.StreamPosition{Epoch: One[int64](s, "SELECT epoch FROM stream_head"), Position: One[int64](s, "SELECT last FROM stream_head")}
	require.Eventually(s.T, func() bool {
		screen.mu.Lock()
		defer screen.mu.Unlock()
		return screen.beat == head
	}, max(time.Until(deadline), 10*time.Second), 50*time.Millisecond, "the screen is told that it has everything up to %v", head)

	s.compareTables()
	s.compareStream(screen)
	s.compareAlarms(screen)
	for _, p := range s.Panels {
		s.compareCommands(p)
	}
}

// compareTables holds the database against itself.
func (s *Station) compareTables() {
	s.T.Helper()
	for what, question := range map[string]string{
		"no dead letter": `SELECT NOT EXISTS (SELECT FROM dead_letters)`,
		"every event has one key": `SELECT (SELECT count(*) FROM events) = (SELECT count(*) FROM event_keys)
			AND NOT EXISTS (SELECT FROM event_keys k WHERE NOT EXISTS (SELECT FROM events e WHERE e.id = k.event_id))`,
		"every alarm counts its events": `SELECT NOT EXISTS (SELECT FROM alarms a
			WHERE event_count <> (SELECT count(*) FROM events e WHERE e.alarm_id = a.id))`,
		"what is pressing is in an alarm": `SELECT NOT EXISTS (SELECT FROM events
			WHERE alarm_id IS NULL AND priority <= 2 AND NOT restore AND source = 'panel' AND NOT historic)`,
		"positions have no gap": `SELECT NOT EXISTS (SELECT FROM outbox WHERE position IS NOT NULL
			GROUP BY epoch HAVING max(position) - min(position) + 1 <> count(*))`,
		"one alarm takes what may join": `SELECT NOT EXISTS (SELECT FROM alarms WHERE joinable GROUP BY site_id, kind HAVING count(*) > 1)`,
	} {
		require.True(s.T, One[bool](s, question), what)
	}
}

// compareStream holds the screen against the outbox and the events: every frame once, every event in one frame.
func (s *Station) compareStream(screen *Screen) {
	t := s.T
	t.Helper()
	frames := screen.Frames(0)
	rows, err := s.DB.Query(context.Background(), `
		SELECT epoch, position FROM outbox WHERE audience = 'operators' AND (epoch, position) > ($1, $2) ORDER BY epoch, position`,
		screen.from.Epoch, screen.from.Position)
	require.NoError(t, err)
	published, err := pgx.CollectRows(rows, pgx.RowToStructByPos[wire.StreamPosition])
	require.NoError(t, err)
	seen := make([]wire.StreamPosition, len(frames))
	in := map[ids.EventID][]wire.StreamPosition{}
	for i, f := range frames {
		seen[i] = f.position()
		for _, e := range f.Data.Events {
			in[e.ID] = append(in[e.ID], f.position())
		}
	}
	require.Equal(t, published, seen, "the screen saw every frame, each once and in order")

	rows, err = s.DB.Query(context.Background(), "SELECT id FROM events")
	require.NoError(t, err)
	events, err := pgx.CollectRows(rows, pgx.RowTo[ids.EventID])
	require.NoError(t, err)
	for _, id := range events {
		require.Len(t, in[id], 1, "event %s is in exactly one frame, not in %v", id, in[id])
	}
	require.Len(t, in, len(events), "frames tell of stored events only")
}

// compareAlarms holds the screen's newest versions against the table.
func (s *Station) compareAlarms(screen *Screen) {
	t := s.T
	t.Helper()
	type row struct {
		ID         ids.AlarmID
		Version    int64
		State      string
		Ring       int
		EventCount int
		IsRestored bool
	}
	rows, err := s.DB.Query(context.Background(), "SELECT id, version, state, ring, event_count, restored_at IS NOT NULL FROM alarms ORDER BY id")
	require.NoError(t, err)
	stored, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
	require.NoError(t, err)
	for _, a := range stored {
		v, ok := screen.Alarm(a.ID)
		require.True(t, ok, "alarm %d was never on the screen", a.ID)
		shown := row{v.ID, v.Version, v.State, v.Ring, v.EventCount, v.RestoredAt != nil}
		require.Equal(t, a, shown)
	}
}

// orders are the names that the simulator has for what dozor can order.
var orders = map[string][]string{
	"arm":            {"0x80", "0x81", "0x82", "0x83"},
	"force_arm":      {"0xA0", "0xA1", "0xA2", "0xA3"},
	"disarm":         {"0x84"},
	"clear_alarm":    {"0x85"},
	"bypass":         {"0x86"},
	"unbypass":       {"0x87"},
	"isolate":        {"0x90"},
	"outputs_on":     {"0x88"},
	"outputs_off":    {"0x89"},
	"outputs_switch": {"0x91"},
	"open_door":      {"0x8A"},
	"clear_troubles": {"0x8B"},
	"set_clock":      {"0x8E"},
}

// orderedCommand is a row of the commands table.
type orderedCommand struct {
	ID          ids.CommandID
	Kind        string
	ArmMode     int
	Partitions  []int
	Zones       []int
	Outputs     []int
	RequestedAt time.Time
	DeadlineAt  time.Time
	State       string
	Result      string
	ResultCode  *int
	Late        bool
}

// compareCommands holds what a panel was told to do against what was ordered: nothing twice, nothing late, nothing that was
// not ordered, and no result that is not true.
func (s *Station) compareCommands(p Panel) {
	t := s.T
	t.Helper()
	rows, err := s.DB.Query(context.Background(), `
		SELECT id, kind, arm_mode, partitions, zones, outputs, requested_at, deadline_at, state, result, result_code, late
		FROM commands WHERE panel_id = $1 ORDER BY requested_at`, int64(p.ID))
	require.NoError(t, err)
	ordered, err := pgx.CollectRows(rows, pgx.RowToStructByPos[orderedCommand])
	require.NoError(t, err)
	told, _ := s.Sim.Commands(p.Number)
	of := map[ids.CommandID]PanelCommand{}
	for _, c := range told {
		i := slices.IndexFunc(ordered, func(o orderedCommand) bool {
			_, taken := of[o.ID]
			return !taken && o.is(c)
		})
		require.GreaterOrEqual(t, i, 0, "panel %d was told at %v to do what was not ordered, not so often, or not at that time: %+v; ordered: %+v",
			p.ID, c.At, c, ordered)
		of[ordered[i].ID] = c
	}
	for _, o := range ordered {
		c, done := of[o.ID]
		if o.Late {
			// The write that was begun in time ended after it: nobody knows, and that is said.
			require.Equal(t, "unknown/late", o.State+"/"+o.Result, "%+v", o)
		}
		switch o.State {
		case "done":
			require.True(t, done, "the panel knows nothing of a command that is done: %+v", o)
			require.NotNil(t, o.ResultCode)
			require.Equal(t, c.ResultCode, *o.ResultCode, "%+v", o)
			require.Equal(t, c.ResultCode == resultAccepted, o.Result != "ok", "accepted is not done until it was seen: %+v", o)
		case "refused":
			require.Equal(t, o.ResultCode != nil, done, "told is what the panel refused, not what was not sent: %+v", o)
		case "expired":
			require.False(t, done, "the panel was told of a command that had expired: %+v at %v", o, c.At)
		default:
			require.Equal(t, "unknown", o.State)
			if o.Result == "no_effect" {
				require.True(t, done, "what was never accepted can't be without effect: %+v", o)
				require.Equal(t, resultAccepted, c.ResultCode, "%+v", o)
			}
		}
	}
}

// resultAccepted is a panel's answer that says no more than that it has understood.
const resultAccepted = 0xFF

// resultCodeNotFound is a panel's answer to a code that it does not know; it does not look at the rest then.
const resultCodeNotFound = 1

// onTheWay is how long a frame that was sent before its deadline may take to the panel on a busy host.
const onTheWay = 100 * time.Millisecond

// is reports whether a panel may have been told this by that order. Clocks are those of one host.
func (o orderedCommand) is(c PanelCommand) bool {
	return !c.At.Before(o.RequestedAt) && c.At.Before(o.DeadlineAt.Add(onTheWay)) && strings.Contains(c.Command, orders[o.Kind][o.ArmMode]) &&
		(c.ResultCode == resultCodeNotFound ||
			slices.Equal(c.Partitions, o.Partitions) && slices.Equal(c.Zones, o.Zones) && slices.Equal(c.Outputs, o.Outputs))
}
