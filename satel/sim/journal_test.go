package sim

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"dozor/satel"
)

// journaled is a small panel with a memory on disk; each seed has other indexes.
func journaled(path string, clock *handClock, seed uint64) Config {
	return Config{LogDelay: -1, LogCapacity: 12, Journal: path, Now: clock.Now, Seed: seed}
}

func TestMemoryOutlivesThePanel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "memory")
	clock := &handClock{now: start}
	p, err := New(journaled(path, clock, 7))
	require.NoError(t, err)
	require.Zero(t, p.Held(), "a new memory is empty")
	for n := range 20 { // more than it holds
		p.Record(numbered(t, n))
	}
	clock.advance(time.Minute)
	erased := p.EraseMemory()
	events, err := p.Violate(8)
	require.NoError(t, err)
	before := p.Events(0, 0)
	records, indexes := walk(p)
	// The panel is not closed: what was recorded is on disk when it can be read.

	clock.advance(time.Hour)
	again, err := New(journaled(path, clock, 8))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, errors.Join(p.Close(), again.Close())) })
	after := again.Events(0, 0)
	require.Len(t, after, len(before)+1)
	for i, e := range before {
		require.Equal(t, e.Sequence, after[i].Sequence)
		require.Equal(t, e.Index, after[i].Index)
		require.Equal(t, e.Record, after[i].Record)
		require.True(t, e.HappenedAt.Equal(after[i].HappenedAt))
		require.Equal(t, e.PanelClock.Format(time.RFC3339), after[i].PanelClock.Format(time.RFC3339), "in the panel's zone")
	}
	restart := after[len(before)]
	require.Equal(t, codeRestart, restart.Record.Code())
	recordsAfter, indexesAfter := walk(again)
	require.Equal(t, records, recordsAfter[1:], "the erase point holds")
	require.Equal(t, indexes, indexesAfter[1:])
	require.Equal(t, erased.Index, indexesAfter[2])
	require.Equal(t, events[0].Index, indexesAfter[1])
	require.NotZero(t, again.ReadLog(restart.Index).Record[0]&bothSent, "it was reported an hour ago")
	list, ok := again.Answer(satel.Frame{Cmd: satel.CmdZonesAlarm})
	require.True(t, ok)
	require.Empty(t, satel.Bits(list.Data).Numbers(), "state bits are those of a panel that has just got its power")
}

func TestHalfALineNeverWas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "memory")
	clock := &handClock{now: start}
	p, err := New(journaled(path, clock, 1))
	require.NoError(t, err)
	p.Record(numbered(t, 0))
	p.Record(numbered(t, 1))
	require.NoError(t, p.Close())
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	lines := strings.SplitAfter(string(text), "\n")
	require.Len(t, lines, 4, "head, two records, nothing")

	for cut := range text {
		require.NoError(t, os.WriteFile(path, text[:cut], 0o600))
		p, err := New(journaled(path, clock, 1))
		require.NoError(t, err, "cut after %d bytes", cut)
		whole := max(0, strings.Count(string(text[:cut]), "\n")-1)
		want := whole
		if whole > 0 {
			want++ // and the restart
		}
		require.Len(t, p.Events(0, 0), want, "cut after %d bytes", cut)
		p.Record(numbered(t, 5))
		require.NoError(t, p.Close())

		p, err = New(journaled(path, clock, 1))
		require.NoError(t, err, "what is written behind a cut can be read")
		require.Len(t, p.Events(0, 0), want+2)
		require.NoError(t, p.Close())
	}
}

func TestJournalOfAnotherPanelIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "memory")
	clock := &handClock{now: start}
	p, err := New(journaled(path, clock, 1))
	require.NoError(t, err)
	p.Record(numbered(t, 0))
	require.NoError(t, p.Close())

	other := journaled(path, clock, 1)
	other.LogCapacity = 13
	_, err = New(other)
	require.ErrorContains(t, err, "the memory of another panel")

	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, append(append([]byte{}, text...), "{\"record\":\"00\"}\n"...), 0o600))
	_, err = New(journaled(path, clock, 1))
	require.ErrorContains(t, err, "line 3")
	require.NoError(t, os.WriteFile(path, []byte("dear diary\n"), 0o600))
	_, err = New(journaled(path, clock, 1))
	require.ErrorContains(t, err, "not a journal of a panel")
	_, err = New(journaled(filepath.Join(path, "deeper"), clock, 1))
	require.ErrorContains(t, err, "open journal")
}

func TestUnwritableJournalIsSaid(t *testing.T) {
	clock := &handClock{now: start}
	p, err := New(journaled(filepath.Join(t.TempDir(), "memory"), clock, 1))
	require.NoError(t, err)
	p.Record(numbered(t, 0))
	require.Empty(t, p.State().Journal)
	require.NoError(t, p.memory.file.file.Close())
	p.Record(numbered(t, 1))
	require.Equal(t, 2, p.Held(), "the panel goes on")
	require.NotEmpty(t, p.State().Journal)
	require.Error(t, p.Close())
}

// However often a panel is made again, its memory is that of one that was never gone.
func TestJournalIsTheMemory(t *testing.T) {
	folder := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		path := filepath.Join(folder, rapid.StringMatching(`[a-z]{12}`).Draw(rt, "name"))
		defer os.Remove(path)
		size := rapid.IntRange(1, 20).Draw(rt, "size")
		clock := &handClock{now: start}
		var p *Panel
		powerUp := func() {
			var err error
			p, err = New(Config{LogCapacity: size, LogDelay: -1, Now: clock.Now, Journal: path, Seed: rapid.Uint64().Draw(rt, "seed")})
			require.NoError(rt, err)
		}
		powerUp()
		defer func() { require.NoError(rt, p.Close()) }()
		rt.Repeat(map[string]func(*rapid.T){
			"record": func(rt *rapid.T) { p.Record(numbered(rt, rapid.IntRange(0, 1000).Draw(rt, "n"))) },
			"erase":  func(*rapid.T) { p.EraseMemory() },
			"power": func(rt *rapid.T) {
				records, indexes := walk(p)
				count := len(p.Events(0, 0))
				require.NoError(rt, p.Close())
				powerUp()
				if count == 0 {
					return
				}
				require.Len(rt, p.Events(0, 0), count+1)
				recordsNow, indexesNow := walk(p)
				kept := min(len(records), size-1) // the restart has taken a place
				require.Equal(rt, records[:kept], recordsNow[1:])
				require.Equal(rt, indexes[:kept], indexesNow[1:])
			},
		})
	})
}

func TestRunKeepsOneJournalForEachPanel(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "flash")
	for round := range 2 {
		ctx, stop := context.WithCancel(t.Context())
		err := Run(ctx, Options{
			Listen: "127.0.0.1:0", Control: "127.0.0.1:0", Panels: 2, LogDelay: -1, Journal: folder,
			Started: func(s *Server) {
				defer stop()
				require.Len(t, s.Panel(1).Events(0, 0), 2*round, "a record and the restart")
				require.Empty(t, s.Panel(2).Events(0, 0))
				s.Panel(1).Record(numbered(t, round))
			},
		})
		require.NoError(t, err)
	}
}
