package panellog_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"dozor/internal/wire"
	"dozor/satel"
)

// Whatever happens in whatever order, a record that the panel's memory still holds in the end was sent, in its place; and
// where one that it does not hold any more was not, a gap was said.
func TestWhatTheMemoryHoldsIsSentAndTheRestIsSaidToBeMissing(t *testing.T) {
	t.Parallel()
	b := setup(t, 3)
	rapid.Check(t, func(rt *rapid.T) {
		b.anew(rt)
		acts := map[string]func(*rapid.T){
			"record": func(rt *rapid.T) { b.record(rapid.IntRange(1, 5).Draw(rt, "records")) },
			"many":   func(rt *rapid.T) { b.record(rapid.IntRange(30, 120).Draw(rt, "records")) },
			"wrap": func(*rapid.T) {
				// Records of one minute and place can't be told apart.
				b.now = b.now.Add(time.Minute)
				_, err := b.panel.Fill(b.capacity() + 1)
				require.NoError(rt, err)
				b.now = b.now.Add(time.Minute)
			},
			"second": func(*rapid.T) { b.now = b.now.Add(time.Second) },
			"minute": func(*rapid.T) { b.now = b.now.Add(time.Minute) },
			"look":   func(*rapid.T) { _, err := b.log.Look(t.Context()); require.NoError(rt, err) },
			"steps": func(rt *rapid.T) {
				for range rapid.IntRange(1, 60).Draw(rt, "steps") {
					_, err := b.log.Step(t.Context())
					require.NoError(rt, err)
				}
			},
			"reconnect": func(*rapid.T) { b.log.Disconnected(); b.connect() },
			"restart":   func(*rapid.T) { b.log.Close(); b.open(b.db.Pool); b.connect() },
			"store":     func(*rapid.T) { b.store() },
			"settle":    func(*rapid.T) { b.settle() },
		}
		rt.Repeat(acts)
		b.atRest(rt)
	})
}

func (b *bench) capacity() int {
	for _, m := range satel.Models() {
		if m.Name == smallModel {
			return m.LogSize
		}
	}
	panic("no such model")
}

const smallModel = "INTEGRA 24"

// anew begins with another panel of a small memory, that was followed so far.
func (b *bench) anew(rt *rapid.T) {
	for _, table := range []string{"panel_log_segments", "panel_log_epochs", "panel_logs", "event_keys"} {
		b.db.Exec(b.t, "DELETE FROM "+table)
	}
	b.empty()
	b.sent, b.seen = nil, 0
	b.open(b.db.Pool)
	if rapid.Bool().Draw(rt, "empty at first contact") {
		b.connect()
		b.store()
		b.settle()
		b.sent = nil
		return
	}
	b.record(3)
	b.follow()
	b.seen = 3
}

func (b *bench) atRest(rt *rapid.T) {
	require.Eventually(rt, func() bool {
		b.walk()
		b.store()
		b.settle()
		news, err := b.log.Look(b.t.Context())
		require.NoError(rt, err)
		return !news && b.log.Settled()
	}, 10*time.Second, time.Nanosecond)

	events := b.panel.Events(b.seen, 0)
	held := b.panel.Held()
	type spot struct {
		index  satel.Index
		record satel.Record
	}
	sent := map[spot]bool{}
	gaps := 0
	for _, r := range b.reports() {
		if r.Station != nil && r.Station.Code == wire.MemoryGap {
			gaps++
		}
		if r.Record != nil {
			sent[spot{satel.Index(r.Record.Index), satel.Record(r.Record.Raw).Masked()}] = true
		}
	}
	missing := ""
	for i, e := range events {
		if !sent[spot{e.Index, e.Record.Masked()}] {
			if i >= len(events)-held {
				missing += fmt.Sprintf(" #%d", e.Sequence)
			} else {
				require.Positive(rt, gaps, "#%d is missing, and nothing says so", e.Sequence)
			}
		}
	}
	require.Empty(rt, missing, "the panel still has them (of %d, %d held)", len(events), held)
}
