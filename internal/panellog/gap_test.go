package panellog_test

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/bus"
	"dozor/internal/event"
	"dozor/internal/testkit"
	"dozor/internal/wire"
	"dozor/satel"
	"dozor/satel/sim"
)

// ring is a bench whose panel keeps few records.
func ring(t *testing.T, capacity int) *bench {
	t.Helper()
	b := setup(t, 1)
	var err error
	b.panel, err = sim.New(sim.Config{Model: "INTEGRA 24", LogDelay: -1, LogCapacity: capacity, Now: func() time.Time { return b.now }})
	require.NoError(t, err)
	b.record(5)
	b.log.SetModel(0)
	b.follow()
	return b
}

// gaps are the reports of gaps among what was sent, one a key.
func (b *bench) gaps() []map[string]string {
	seen := map[[16]byte]bool{}
	var gaps []map[string]string
	for i, r := range b.reports() {
		if r.Station != nil && r.Station.Code == wire.MemoryGap && !seen[b.sent[i].Key] {
			seen[b.sent[i].Key] = true
			gaps = append(gaps, r.Station.Args)
		}
	}
	return gaps
}

// sentOnce counts the records sent and requires that each has a place of its own.
func (b *bench) sentOnce() int {
	b.t.Helper()
	places := map[string]bool{}
	for i, r := range b.reports() {
		if r.Record == nil {
			continue
		}
		key := string(b.sent[i].Key[:])
		require.False(b.t, places[key], "record %d was sent twice", i)
		places[key] = true
	}
	return len(places)
}

func TestAMemoryThatWrappedWhileNobodyReadIsSaidWithAnEstimate(t *testing.T) {
	t.Parallel()
	for _, laps := range []int{1, 2} {
		const capacity = 439 // of that model
		b := ring(t, 0)
		lost := 200 + capacity*(laps-1)
		for range capacity + lost { // one a minute, so that the pace is known
			b.now = b.now.Add(time.Minute)
			b.record(1)
		}
		b.connect()
		b.walk()
		require.Equal(t, capacity, b.sentOnce(), "all that the ring holds is read")
		gaps := b.gaps()
		require.Len(t, gaps, 1)
		require.Equal(t, "wrapped", gaps[0]["reason"])
		require.Empty(t, gaps[0]["count"], "no bound can be known")
		about, err := strconv.Atoi(gaps[0]["about"])
		require.NoError(t, err)
		require.InDelta(t, lost, about, 3)
		require.NotEmpty(t, gaps[0]["from"])
		require.Less(t, gaps[0]["from"], gaps[0]["to"])
		b.store()
		b.settle()
		require.Zero(t, b.log.Unsettled(), "what is missing is settled as what is there")
	}
}

func TestAnErasedMemoryIsSaidAsSuch(t *testing.T) {
	t.Parallel()
	b := ring(t, 40)
	b.panel.EraseMemory()
	b.now = b.now.Add(time.Minute)
	b.record(3)
	b.connect()
	b.walk()
	gaps := b.gaps()
	require.Len(t, gaps, 1)
	pl, _ := event.Describe(0, false, event.StationText(wire.Station{Code: wire.MemoryGap, Args: gaps[0]}), "")
	require.Equal(t, "erased", gaps[0]["reason"])
	require.Contains(t, pl, "została wyczyszczona")
}

func TestAnEpochThatAFailoverTookBackIsRaisedBeforeAnythingIsRead(t *testing.T) {
	t.Parallel()
	b := ring(t, 40)
	before := len(b.sent)
	b.panel.EraseMemory()
	b.now = b.now.Add(time.Minute)
	b.record(3)
	b.connect()
	require.Equal(t, 2, testkit.One[int](t, b.db, "SELECT epoch FROM panel_logs"))
	b.db.Exec(t, "DELETE FROM panel_log_epochs WHERE epoch = 2")
	b.db.Exec(t, "UPDATE panel_logs SET epoch = 1, mark = mark - 1")
	b.db.Exec(t, "UPDATE station_clock SET salt = '+1'") // the life of the database in which that is so
	b.walk()
	b.walk()
	var epochs []int
	for _, r := range b.reports()[before:] {
		if r.Record != nil {
			epochs = append(epochs, r.Record.Epoch)
		}
	}
	require.Equal(t, []int{2, 2, 2, 2}, epochs, "three records and the mark of the erasure")
}

// errCut is a connection that ends.
var errCut = errors.New("cut")

// cutting is a bench whose connection ends after some reads.
type cutting struct {
	*bench
	reads int
}

func (c *cutting) Newest(ctx context.Context) (satel.LogEntry, time.Time, error) {
	return c.Older(ctx, satel.NewestIndex)
}

func (c *cutting) Older(ctx context.Context, arg satel.Index) (satel.LogEntry, time.Time, error) {
	if c.reads--; c.reads < 0 {
		return satel.LogEntry{}, time.Time{}, errCut
	}
	return c.bench.Older(ctx, arg)
}

func TestAReadThatIsCutThreeTimesBringsEachRecordOnce(t *testing.T) {
	t.Parallel()
	b := ring(t, 400)
	b.record(300)
	for _, reads := range []int{100, 101, 60} {
		c := &cutting{bench: b, reads: reads}
		err := b.log.Connect(t.Context(), c)
		if err == nil {
			_, err = b.log.Look(t.Context())
		}
		for err == nil {
			_, err = b.log.Step(t.Context())
		}
		require.ErrorIs(t, err, errCut)
		b.store() // of what was read, PostgreSQL has it by the time the link is back
		b.settle()
		b.record(1)
	}
	b.connect()
	b.walk()
	require.Empty(t, b.gaps(), "nothing is missing")
	require.Equal(t, 303, b.sentOnce())
	b.store()
	b.settle()
	require.Zero(t, b.log.Unsettled())
}

func TestWhatIsOvertakenWhileItIsReadHasABound(t *testing.T) {
	t.Parallel()
	b := ring(t, 0)
	b.record(300)
	b.connect()
	_, err := b.log.Look(t.Context())
	require.NoError(t, err)
	for range 50 {
		_, err := b.log.Step(t.Context())
		require.NoError(t, err)
	}
	read := b.sentOnce()
	require.Greater(t, read, 30, "a look has confirmed what was read")
	b.now = b.now.Add(5 * time.Second)
	b.record(450)
	b.walk()
	b.sentOnce()
	gaps := b.gaps()
	require.Len(t, gaps, 2, "of what was being read, and of what came and is gone already")
	require.Equal(t, "lost", gaps[0]["reason"])
	require.Equal(t, strconv.Itoa(439-read), gaps[0]["count"])
	require.Equal(t, "wrapped", gaps[1]["reason"])
}

// A walk that met what was known and whose records are not stored yet stands below others that the ring came past. Neither
// a new connection nor a failover may leave it where nothing leads to.
func TestNothingStaysOpenBelowAGap(t *testing.T) {
	t.Parallel()
	for name, happens := range map[string]func(b *bench){
		"a new connection": func(b *bench) { b.connect() },
		"a failover": func(b *bench) {
			b.db.Exec(b.t, "UPDATE station_clock SET salt = '+1'") // the life of the database
			b.store()
			b.settle()
			b.connect()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := ring(t, 40)
			b.record(2)
			b.walk() // down to what was known
			b.record(1)
			news, err := b.log.Look(t.Context()) // its top, and no more
			require.NoError(t, err)
			require.True(t, news)
			b.now = b.now.Add(time.Minute)
			b.record(60)
			b.walk()
			require.Len(t, b.gaps(), 2, "below the newest, and in place of the walk that was not made")
			happens(b)
			b.walk()
			b.store()
			b.settle()
			require.Zero(t, testkit.One[int](t, b.db, "SELECT count(*) FROM panel_log_segments WHERE state = 'open'"))
			places := map[bus.Key]bool{} // what a failover may have lost goes out again under its key
			for i, r := range b.reports() {
				places[b.sent[i].Key] = r.Record != nil
			}
			maps.DeleteFunc(places, func(_ bus.Key, record bool) bool { return !record })
			require.Len(t, places, 2+1+40, "all that was seen, and all that the ring holds")
		})
	}
}
