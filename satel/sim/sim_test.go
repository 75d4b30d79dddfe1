package sim

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"dozor/satel"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// handClock is a clock that moves when told.
type handClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *handClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// start is 12:00 of a summer day in Warsaw.
var start = time.Date(2026, 8, 22, 10, 0, 0, 0, time.UTC)

// bench is a panel on a clock of its own, without any delay of its records unless the test wants one.
type bench struct {
	*Panel
	t     *testing.T
	clock *handClock
}

func setup(t *testing.T, change ...func(*Config)) *bench {
	t.Helper()
	clock := &handClock{now: start}
	cfg := Config{LogDelay: -1, Now: clock.Now, Seed: 7}
	for _, c := range change {
		c(&cfg)
	}
	p, err := New(cfg)
	require.NoError(t, err)
	return &bench{Panel: p, t: t, clock: clock}
}

// list asks for a state list over the protocol.
func (b *bench) list(cmd satel.Command) []int {
	b.t.Helper()
	return satel.Bits(b.ask(cmd).Data).Numbers()
}

// ask sends a request that must be answered.
func (b *bench) ask(cmd satel.Command, data ...byte) satel.Frame {
	b.t.Helper()
	answer, ok := b.Answer(satel.Frame{Cmd: cmd, Data: data})
	require.True(b.t, ok, "%s must be answered", cmd)
	return answer
}

// order sends a control command with the given code and returns its result.
func (b *bench) order(cmd satel.Command, code string, data ...byte) satel.Result {
	b.t.Helper()
	head, err := satel.EncodeUserCode(code, "", satel.UserCodeSize)
	require.NoError(b.t, err)
	answer := b.ask(cmd, append(head, data...)...)
	require.Equal(b.t, satel.CmdResult, answer.Cmd)
	result, err := satel.ParseResult(answer.Data)
	require.NoError(b.t, err)
	return result
}

// news asks for the news flags, the clock's left out.
func (b *bench) news() []satel.Command {
	b.t.Helper()
	set, err := satel.ParseNewData(b.ask(satel.CmdNewData, 0, 0).Data)
	require.NoError(b.t, err)
	require.True(b.t, set.Has(satel.CmdClock), "the clock always has news")
	return set.Without(satel.CmdClock).List()
}

// readAll reads every list, as after connecting.
func (b *bench) readAll() {
	b.t.Helper()
	for cmd := range satel.CmdTroublesMemory8 + 1 {
		b.ask(cmd)
	}
}

// log returns what the journal holds beyond the given sequence, one short text per event.
func (b *bench) log(after uint64) []string {
	return texts(b.Model(), b.Events(after, 0))
}

func texts(m satel.Model, events []Event) []string {
	out := []string{}
	for _, e := range events {
		d := e.Record.Decode(m)
		text := fmt.Sprint(d.Code)
		if d.Restore {
			text += "R"
		}
		if d.Partition != 0 {
			text += fmt.Sprintf(" p%d", d.Partition)
		}
		if d.Source.Kind != satel.SourceNone {
			text += fmt.Sprintf(" %s%d", d.Source.Kind, d.Source.Index)
		}
		out = append(out, text)
	}
	return out
}

// do is for acts that must succeed.
func (b *bench) do(events []Event, err error) []string {
	b.t.Helper()
	require.NoError(b.t, err)
	return texts(b.Model(), events)
}
