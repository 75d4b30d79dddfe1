package presence_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"dozor/internal/ids"
	"dozor/internal/presence"
	"dozor/internal/testkit"
	"dozor/internal/wire"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// bench is a database with people in it: Anna is 1, Jan is 2.
type bench struct {
	*testkit.Database
	t *testing.T
}

func setup(t *testing.T) *bench {
	b := &bench{testkit.DB(t), t}
	b.Exec(t, `INSERT INTO users (id, login, name, role, password_hash) VALUES (1, 'anna', 'Anna', 'operator', ''), (2, 'jan', 'Jan', 'operator', '')`)
	return b
}

func (b *bench) instance(name string, change ...func(*presence.Config)) *presence.Presence {
	cfg := presence.Config{Pool: b.Pool, Instance: name, Logger: testkit.Logger(b.t)}
	for _, c := range change {
		c(&cfg)
	}
	return presence.New(cfg)
}

func (b *bench) refresh(p *presence.Presence) {
	b.t.Helper()
	require.NoError(b.t, p.Refresh(context.Background()))
}

// list is what an instance sees, without the times.
func (b *bench) list(p *presence.Presence) []wire.Desk {
	b.t.Helper()
	desks, err := p.List(context.Background())
	require.NoError(b.t, err)
	for i := range desks {
		require.False(b.t, desks[i].Since.IsZero())
		desks[i].Since = time.Time{}
	}
	return desks
}

func (b *bench) pass(interval string) {
	b.Exec(b.t, `UPDATE station_clock SET shift = shift + $1::interval`, interval)
}

func window() presence.Desk { return presence.Desk{ID: uuid.New(), CanSound: true, Visible: true} }

func seen(user ids.UserID, name string, d presence.Desk) wire.Desk {
	return wire.Desk{User: wire.UserRef{ID: user, Name: name}, ID: d.ID.String(), CanSound: d.CanSound, Visible: d.Visible, AlarmID: d.AlarmID}
}

func TestEveryInstanceSeesTheDesksOfAll(t *testing.T) {
	t.Parallel()
	b := setup(t)
	one, two := b.instance("one"), b.instance("two")
	anna, jan := window(), window()
	jan.CanSound, jan.AlarmID = false, 7
	annas, jans := one.Seat(1), two.Seat(2)
	annas.Say(anna)
	jans.Say(jan)
	b.refresh(one)
	b.refresh(two)
	both := []wire.Desk{seen(1, "Anna", anna), seen(2, "Jan", jan)}
	require.Equal(t, both, b.list(one))
	require.Equal(t, both, b.list(two))

	jan.CanSound, jan.AlarmID, jan.Visible = true, 0, false
	jans.Say(jan)
	annas.Leave()
	annas.Leave()
	annas.Say(anna)
	b.refresh(one)
	b.refresh(two)
	require.Equal(t, []wire.Desk{seen(2, "Jan", jan)}, b.list(one), "who has left says nothing more")
}

func TestTheDesksOfADeadInstanceLapse(t *testing.T) {
	t.Parallel()
	b := setup(t)
	dead, alive := b.instance("dead"), b.instance("alive")
	anna, jan := window(), window()
	dead.Seat(1).Say(anna)
	alive.Seat(2).Say(jan)
	b.refresh(dead)
	b.pass("9 s")
	b.refresh(alive)
	require.Len(t, b.list(alive), 2)
	b.pass("2 s")
	b.refresh(alive)
	require.Equal(t, []wire.Desk{seen(2, "Jan", jan)}, b.list(alive))

	b.pass("1 minute")
	b.refresh(alive)
	require.Equal(t, 1, testkit.One[int](t, b.Database, "SELECT count(*) FROM desks"), "rows of the dead are removed")
}

func TestAWindowThatReconnectsIsListedOnceAndSoundsIfAnyOfItsConnectionsDoes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	one, two := b.instance("one"), b.instance("two")
	old := window()
	one.Seat(1).Say(old)
	b.refresh(one)
	b.pass("1 s")
	now := old
	now.CanSound, now.AlarmID = false, 3
	seat := two.Seat(1)
	seat.Say(now)
	b.refresh(two)
	both := now
	both.CanSound = true
	require.Equal(t, []wire.Desk{seen(1, "Anna", both)}, b.list(two))

	// The id is the window's word: another person's is another desk.
	other := two.Seat(2)
	other.Say(old)
	b.refresh(two)
	require.Len(t, b.list(one), 2)
}

func TestAWindowThatSaysNothingForLongIsNoDesk(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var mu sync.Mutex
	now := time.Now()
	p := b.instance("one", func(c *presence.Config) {
		c.Clock = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	})
	advance := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now = now.Add(d) }
	anna, seat := window(), p.Seat(1)
	seat.Say(anna)
	advance(70 * time.Second) // a hidden page's timer
	b.refresh(p)
	require.Len(t, b.list(p), 1)
	advance(10 * time.Second)
	b.refresh(p)
	require.Empty(t, b.list(p), "the page is frozen")
	seat.Say(anna)
	b.refresh(p)
	require.Len(t, b.list(p), 1)
}

func TestTheWindowsOfAnInstanceAreBounded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.instance("one", func(c *presence.Config) { c.Logger = testkit.Logger(t, "more windows than can be listed") })
	seats := make([]*presence.Seat, presence.MaxDesks+1)
	for i := range seats {
		seats[i] = p.Seat(1)
		seats[i].Say(window())
	}
	b.refresh(p)
	require.Len(t, b.list(p), presence.MaxDesks)
	late := window()
	seats[0].Leave()
	seats[presence.MaxDesks].Say(late)
	b.refresh(p)
	require.Contains(t, b.list(p), seen(1, "Anna", late), "a place that became free is taken")
}

func TestWhenADeskCouldLastSoundIsKept(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.instance("one")
	mute := window()
	mute.CanSound = false
	seat := p.Seat(1)
	seat.Say(mute)
	b.refresh(p)
	require.True(t, testkit.One[bool](t, b.Database, "SELECT sounding_at IS NULL FROM desk_watch"))
	seat.Say(window())
	b.refresh(p)
	require.True(t, testkit.One[bool](t, b.Database, "SELECT dozor_now() - sounding_at < interval '1 minute' FROM desk_watch"))
	seat.Leave()
	b.pass("1 hour")
	b.refresh(p)
	require.True(t, testkit.One[bool](t, b.Database, "SELECT dozor_now() - sounding_at > interval '59 minutes' FROM desk_watch"))
}

// Two instances as they run: what changes on one is told by the other within two seconds,
// and what stops takes its windows along.
func TestWhatChangesOnOneInstanceIsToldByTheOther(t *testing.T) {
	t.Parallel()
	b := setup(t)
	told := make(chan []wire.Desk, 1000)
	metrics := prometheus.NewRegistry()
	one := b.instance("one")
	two := b.instance("two", func(c *presence.Config) {
		c.Publish = func(d wire.DesksData) { told <- d.Desks }
		c.Metrics = metrics
	})
	run := func(p *presence.Presence) (stop func()) {
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- p.Run(ctx) }()
		return sync.OnceFunc(func() { cancel(); require.NoError(t, <-ended) })
	}
	stopOne, stopTwo := run(one), run(two)
	defer stopTwo()
	defer stopOne()
	await := func(within time.Duration, what string, wanted func([]wire.Desk) bool) {
		t.Helper()
		deadline := time.After(within)
		for {
			select {
			case desks := <-told:
				if wanted(desks) {
					return
				}
			case <-deadline:
				require.Fail(t, "not told in time", what)
			}
		}
	}
	await(5*time.Second, "nobody", func(d []wire.Desk) bool { return len(d) == 0 })
	seat, anna := one.Seat(1), window()
	seat.Say(anna)
	await(2*time.Second, "Anna", func(d []wire.Desk) bool { return len(d) == 1 && d[0].CanSound })
	require.EqualValues(t, 1, gauge(t, metrics, "true"))
	anna.CanSound = false
	seat.Say(anna)
	await(2*time.Second, "muted", func(d []wire.Desk) bool { return len(d) == 1 && !d[0].CanSound })
	require.EqualValues(t, 0, gauge(t, metrics, "true"))
	stopOne()
	await(2*time.Second, "gone with the instance", func(d []wire.Desk) bool { return len(d) == 0 })
}

func gauge(t *testing.T, metrics *prometheus.Registry, canSound string) float64 {
	t.Helper()
	families, err := metrics.Gather()
	require.NoError(t, err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "dozor_desks" && m.GetLabel()[0].GetValue() == canSound {
				return m.GetGauge().GetValue()
			}
		}
	}
	return -1 // not measured yet
}
