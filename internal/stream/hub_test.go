package stream_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/errs"
	"dozor/internal/ids"
	"dozor/internal/live"
	"dozor/internal/outbox"
	"dozor/internal/stream"
	"dozor/internal/testkit"
	"dozor/internal/wire"
)

func TestFramesGoOutAsTheContractSays(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	h := s.readyHub()
	from := s.head()
	r := s.attach(h, everyone(), from)
	r.until(func(m said) bool { return m.Type == "heartbeat" })
	s.append(outbox.Row{Type: wire.AlarmNew, SiteID: 3, Ring: 1, Data: json.RawMessage(`{"alarm":{"id":5}}`), Trace: "abc", AnsweredAt: time.Now()},
		outbox.Row{Type: wire.CommandResult, Data: json.RawMessage(`{"command":{}}`)})
	s.stamp()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var messages []stream.Message
	for len(messages) < 2 {
		got, err := r.sub.Next(ctx)
		require.NoError(t, err)
		for _, m := range got {
			if m.Position != 0 {
				messages = append(messages, m)
			}
		}
	}
	frame := testkit.One[string](t, s.Database, `SELECT '{"epoch":' || epoch || ',"position":1,"type":"alarm.new","at":"X","ring":1,"data":{"alarm":{"id":5}}}' FROM outbox WHERE position = 1`)
	var want, got map[string]any
	require.NoError(t, json.Unmarshal([]byte(frame), &want))
	require.NoError(t, json.Unmarshal(messages[0].Data, &got))
	at, err := time.Parse(time.RFC3339Nano, got["at"].(string))
	require.NoError(t, err)
	require.Equal(t, time.UTC, at.Location())
	require.WithinDuration(t, time.Now(), at, time.Minute)
	got["at"] = "X"
	require.Equal(t, want, got)
	require.Equal(t, "abc", messages[0].Trace)
	require.NotContains(t, string(messages[1].Data), "ring")

	require.True(t, messages[0].FirstShown(), "it came while the client was up to date")
	require.False(t, messages[0].FirstShown(), "once a frame")
}

func TestResumeFromTheRing(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	h := s.readyHub()
	start := s.head()
	s.emit(20, 1)
	require.Equal(t, between(0, 20), s.attach(h, everyone(), start).frames(20))
	require.Equal(t, between(7, 20), s.attach(h, everyone(), at(start.Epoch, 7)).frames(20))
}

func TestResumeFromBelowTheRing(t *testing.T) {
	t.Parallel()
	for name, wrap := range map[string]func(live.Fanout) live.Fanout{
		"the fan-out's buffer": nil,
		"the table":            func(f live.Fanout) live.Fanout { return &faulty{Fanout: f, random: newRandom(1), noRange: true} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStation(t)
			n := int64(stream.RingSize + 700)
			s.emit(int(n), 1)
			h := s.hub(wrap)
			require.Eventually(t, h.Ready, 20*time.Second, 2*time.Millisecond)
			require.Equal(t, between(0, n), s.attach(h, everyone(), at(s.head().Epoch, 0)).frames(n))
			require.Equal(t, between(650, n), s.attach(h, everyone(), at(s.head().Epoch, 650)).frames(n))
		})
	}
}

func TestResumeFromWhatThisInstanceHasNotSeenYetWaits(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	s.emit(5, 1)
	h := s.hub(func(f live.Fanout) live.Fanout { return deaf{f} })
	require.Eventually(t, h.Ready, 10*time.Second, 2*time.Millisecond)
	s.emit(3, 1)
	r := s.attach(h, everyone(), s.head()) // position 8; the instance may have 5
	s.emit(2, 1)
	require.Equal(t, []int64{9, 10}, r.frames(10))
}

// deaf hears nothing and keeps nothing: only the head on the primary tells.
type deaf struct{ live.Fanout }

func (deaf) Subscribe(context.Context, func([]live.Frame)) error { return nil }

func (deaf) Range(context.Context, int64, int64, int64, int) ([]live.Frame, bool, error) {
	return nil, false, nil
}

func TestLastFrameBeforeASilenceIsFoundByTheHead(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	h := s.hub(func(f live.Fanout) live.Fanout { return deaf{f} })
	r := s.attach(h, everyone(), s.head())
	s.emit(1, 1)
	require.Equal(t, []int64{1}, r.frames(1))
}

func TestReset(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	s.emit(10, 1)
	h := s.readyHub()
	head := s.head()

	require.Equal(t, head, s.attach(h, everyone(), at(head.Epoch-1, 5)).reset(), "an older epoch")
	require.Equal(t, head, s.attach(h, everyone(), at(head.Epoch+1, 0)).reset(), "an epoch that is not")
	require.Equal(t, head, s.attach(h, everyone(), at(head.Epoch, 11)).reset(), "beyond the head")

	r := s.attach(h, everyone(), at(0, 0))
	require.Equal(t, head, r.reset())
	beat := r.until(func(m said) bool { return m.Type == "heartbeat" })
	require.Zero(t, beat[0].Position, "nothing is known to be with the client")
	s.emit(1, 1)
	r.sub.Resume(at(head.Epoch, 8))
	require.Equal(t, []int64{9, 10, 11}, r.frames(11), "the same connection resumes after loading")
}

func TestResumeFromWhatIsTrimmedIsReset(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	s.emit(stream.RingSize+1000, 1)
	s.Exec(t, "UPDATE outbox SET at = at - interval '1 day'")
	n, err := s.relay.Trim(t.Context(), time.Hour)
	require.NoError(t, err)
	require.EqualValues(t, 1000, n)
	s.emit(500, 1) // the ring moves on over what the table keeps
	h := s.readyHub()
	last := s.head().Position
	require.Equal(t, s.head(), s.attach(h, everyone(), at(s.head().Epoch, 999)).reset())
	require.Equal(t, between(1000, last), s.attach(h, everyone(), at(s.head().Epoch, 1000)).frames(last))
}

func TestNewEpochResetsEveryoneAndIsFollowed(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	h := s.readyHub()
	s.emit(5, 1)
	before := s.head()
	r := s.attach(h, everyone(), at(before.Epoch, 0))
	require.Equal(t, between(0, 5), r.frames(5))
	s.Exec(t, "UPDATE station_clock SET salt = '+promoted'")
	s.emit(2, 1)
	after := s.head()
	require.Greater(t, after.Epoch, before.Epoch)
	require.Equal(t, after.Epoch, r.reset().Epoch)
	r.sub.Resume(at(after.Epoch, 0))
	require.Equal(t, []int64{1, 2}, r.frames(2))
	require.Equal(t, after, s.attach(h, everyone(), before).reset(), "a client of the old epoch that comes back")
}

func TestEpochOfAFrameIsBelievedOnPostgreSQLsWordOnly(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	var injected func([]live.Frame)
	ready := make(chan struct{})
	h := s.hub(func(f live.Fanout) live.Fanout {
		return tapped{f, func(deliver func([]live.Frame)) { injected = deliver; close(ready) }}
	})
	<-ready
	s.emit(2, 1)
	epoch := s.head().Epoch
	r := s.attach(h, everyone(), at(epoch, 0))
	require.Equal(t, []int64{1, 2}, r.frames(2))
	ghost := func(epoch, position int64) live.Frame {
		return live.Frame{Epoch: epoch, Position: position, Type: wire.EventRecorded, Audience: wire.Operators, Data: json.RawMessage(`"ghost"`)}
	}
	injected([]live.Frame{ghost(epoch+5, 1), ghost(epoch+5, 2)})
	injected([]live.Frame{ghost(epoch-1, 3), ghost(epoch, 1)})
	s.emit(2, 1)
	for _, m := range r.until(func(m said) bool { return m.Position == 4 && isFrame(m) }) {
		require.NotContains(t, string(m.Data), "ghost")
		require.Equal(t, epoch, m.Epoch)
	}
}

// tapped shows the function that an instance is fed with.
type tapped struct {
	live.Fanout
	tap func(deliver func([]live.Frame))
}

func (f tapped) Subscribe(ctx context.Context, deliver func([]live.Frame)) error {
	f.tap(deliver)
	return f.Fanout.Subscribe(ctx, deliver)
}

func TestScope(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	h := s.readyHub()
	start := s.head()
	s.append(
		outbox.Row{Type: wire.AlarmNew, SiteID: 1, Data: 1},
		outbox.Row{Type: wire.AlarmNew, SiteID: 2, Data: 2},
		outbox.Row{Type: wire.AlarmNew, Data: 3},
		outbox.Row{Type: wire.AlarmNew, SiteID: 1, Audience: "admins", Data: 4},
		outbox.Row{Type: wire.AlarmNew, Audience: stream.UserAudience(7), Data: 5},
		outbox.Row{Type: wire.AlarmNew, SiteID: 2, Data: 6},
	)
	s.stamp()
	for name, c := range map[string]struct {
		viewer stream.Viewer
		want   []int64
	}{
		"all sites":       {stream.Viewer{UserID: 1, Audiences: []string{wire.Operators}}, []int64{1, 2, 3, 6}},
		"one site":        {stream.Viewer{UserID: 7, Audiences: []string{wire.Operators}, Sites: []ids.SiteID{2}}, []int64{2, 3, 5, 6}},
		"no site":         {stream.Viewer{UserID: 1, Audiences: []string{wire.Operators}, Sites: []ids.SiteID{}}, []int64{3}},
		"two audiences":   {stream.Viewer{UserID: 1, Audiences: []string{wire.Operators, "admins"}}, []int64{1, 2, 3, 4, 6}},
		"nobody's friend": {stream.Viewer{UserID: 1}, nil},
	} {
		r := s.attach(h, c.viewer, start)
		var got []int64
		for _, m := range r.until(func(m said) bool { return m.Type == "heartbeat" && m.Position == 6 }) {
			if isFrame(m) {
				got = append(got, m.Position)
			}
		}
		require.Equal(t, c.want, got, name)
	}
}

func TestHeartbeatComesEachSecondAndSaysWhatWasWritten(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	h := s.readyHub()
	s.emit(200, 1)
	r := s.attach(h, everyone(), at(s.head().Epoch, 0))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	written, beats := int64(0), 0
	for beats < 2 {
		// A client whose writes take a second each: a beat is due at every call.
		began := time.Now()
		messages, err := r.sub.Next(ctx)
		require.NoError(t, err)
		for _, m := range messages {
			if got := parse(t, m); got.Type == "heartbeat" {
				beats++
				require.Equal(t, written, got.Position)
				require.Len(t, messages, 1)
			} else {
				written = got.Position
			}
		}
		require.Less(t, time.Since(began), 2*time.Second)
		if written < 200 {
			require.Eventually(t, func() bool { return time.Since(began) > stream.HeartbeatEvery }, 2*time.Second, 10*time.Millisecond)
		}
	}
	require.Positive(t, written)
}

// Where much happens heartbeats go along with frames, no less often, and as true.
func TestHeartbeatsComeBehindFramesWhereMuchHappens(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	h := s.readyHub()
	r := s.attach(h, everyone(), s.head())
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	written, along := s.head().Position, 0
	for along < 3 {
		s.emit(1, 1)
		for got := false; !got; {
			messages, err := r.sub.Next(ctx)
			require.NoError(t, err)
			for i, m := range messages {
				said := parse(t, m)
				if said.Type != "heartbeat" {
					written, got = said.Position, true
					continue
				}
				require.Equal(t, written, said.Position)
				require.Len(t, messages, i+1, "the last")
				if i > 0 {
					along++
				}
			}
		}
	}
}

func TestStoppedSubscriptionsEndWhereverTheyWait(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	h := s.readyHub()
	sub, err := h.Attach(t.Context(), everyone(), s.head())
	require.NoError(t, err)
	_, err = sub.Next(context.Background()) // the first heartbeat
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() {
		for {
			if _, err := sub.Next(context.Background()); err != nil {
				ended <- err
				return
			}
		}
	}()
	sub.Stop()
	require.ErrorIs(t, <-ended, stream.ErrClosed)
	sub.Close()
}

func TestRevokedSubscriptionsEndAtOnce(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	h := s.readyHub()
	viewer := func(user ids.UserID, session string) stream.Viewer {
		return stream.Viewer{UserID: user, SessionID: session, Audiences: []string{wire.Operators}, KnownSince: time.Now()}
	}
	early := viewer(2, "c")
	a, b := s.attach(h, viewer(1, "a"), s.head()), s.attach(h, viewer(1, "b"), s.head())
	c, d := s.attach(h, viewer(2, "c"), s.head()), s.attach(h, viewer(3, "d"), s.head())
	h.RevokeSession("a")
	h.RevokeSession("")
	<-a.sub.Done()
	_, err := a.sub.Next(t.Context())
	require.ErrorIs(t, err, stream.ErrAccessEnded)
	require.NoError(t, b.sub.Err())
	h.RevokeUser(2)
	<-c.sub.Done()
	require.ErrorIs(t, c.sub.Err(), stream.ErrAccessEnded)
	_, err = h.Attach(t.Context(), early, s.head())
	require.ErrorIs(t, err, stream.ErrAccessEnded, "revoked between proving who they are and attaching")
	s.attach(h, viewer(2, "c2"), s.head())

	// On whatever instance it happened, a frame tells.
	s.append(outbox.Row{Type: wire.AccessChanged, Audience: stream.UserAudience(3), Data: stream.AccessChanged{UserID: 3}},
		outbox.Row{Type: wire.AccessChanged, Audience: stream.UserAudience(1), Data: stream.AccessChanged{UserID: 1, SessionID: "other"}})
	s.stamp()
	<-d.sub.Done()
	require.ErrorIs(t, d.sub.Err(), stream.ErrAccessEnded)
	require.NoError(t, b.sub.Err())
}

func TestOneSessionStaysWhereAllOthersOfAUserEnd(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	h := s.readyHub()
	viewer := func(user ids.UserID, session string) stream.Viewer {
		return stream.Viewer{UserID: user, SessionID: session, Audiences: []string{wire.Operators}, KnownSince: time.Now()}
	}
	stays, other, bearer, stranger := viewer(1, "stays"), viewer(1, "other"), viewer(1, ""), viewer(2, "stranger")
	ended := []*reader{s.attach(h, other, s.head()), s.attach(h, bearer, s.head())}
	left := []*reader{s.attach(h, stays, s.head()), s.attach(h, stranger, s.head())}
	s.append(outbox.Row{Type: wire.AccessChanged, Audience: stream.UserAudience(1), Data: stream.AccessChanged{UserID: 1, ButSessionID: "stays"}})
	s.stamp()
	for _, r := range ended {
		<-r.sub.Done()
		require.ErrorIs(t, r.sub.Err(), stream.ErrAccessEnded)
	}
	for _, r := range left {
		require.NoError(t, r.sub.Err())
	}
	_, err := h.Attach(t.Context(), other, s.head())
	require.ErrorIs(t, err, stream.ErrAccessEnded)
	s.attach(h, stays, s.head())
}

func TestRestartedInstanceDoesNotRevokeByOldNews(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	s.append(outbox.Row{Type: wire.AccessChanged, Data: stream.AccessChanged{UserID: 1}})
	s.stamp()
	h := s.hub(nil)
	r := s.attach(h, everyone(), at(s.head().Epoch, 0))
	require.Equal(t, []int64{1}, r.frames(1))
	s.emit(1, 1)
	require.Equal(t, []int64{2}, r.frames(2))
}

func TestSubscriptionsEndWithTheInstance(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	store := s.store()
	h := stream.NewHub(stream.Config{Fanout: store, Reader: stream.NewTable(s.Pool), Log: s.log})
	stop := s.run(func(ctx context.Context) error { defer store.Wait(); return h.Run(ctx) })
	r := s.attach(h, everyone(), s.head())
	stop()
	_, err := r.sub.Next(t.Context())
	require.ErrorIs(t, err, stream.ErrStopping)
	_, err = h.Attach(t.Context(), everyone(), s.head())
	require.ErrorIs(t, err, stream.ErrStopping)
}

func TestHubGoesOnWhenPostgreSQLIsAwayAndFillsItsHoleAfter(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	table := &switched{Reader: stream.NewTable(s.Pool)}
	store := s.store()
	h := stream.NewHub(stream.Config{Fanout: &faulty{Fanout: store, random: newRandom(1), noRange: true}, Reader: table, Log: s.log})
	s.run(func(ctx context.Context) error { defer store.Wait(); return h.Run(ctx) })
	require.Eventually(t, h.Ready, 10*time.Second, 2*time.Millisecond)
	r := s.attach(h, everyone(), s.head())
	table.away.Store(true)
	s.emit(3, 1)
	require.Equal(t, between(0, 3), r.frames(3), "live frames need no table")
	waiting := s.attach(h, everyone(), at(s.head().Epoch, 9)) // only PostgreSQL can tell that it is beyond
	beats := waiting.until(func(m said) bool { return m.Type == "heartbeat" })
	require.Len(t, beats, 1, "it waits, and stays alive")
	table.away.Store(false)
	require.Equal(t, s.head(), waiting.reset())
}

func TestPanelStates(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	h := s.readyHub()
	mine, other := s.site("mine"), s.site("other")
	a, b, c := s.panel(mine), s.panel(mine), s.panel(other)
	state := func(panel ids.PanelID, fence, seq int64) live.PanelState {
		return live.PanelState{PanelID: panel, Fence: fence, Seq: seq, Link: live.LinkUp, ClockOffsetMS: fence*100 + seq}
	}
	read := func(r *reader, n int) map[ids.PanelID]int64 {
		got, beats := map[ids.PanelID]int64{}, 0
		r.until(func(m said) bool {
			if m.Type == wire.PanelState {
				var p live.PanelState
				require.NoError(t, json.Unmarshal(m.Data, &p))
				got[p.PanelID] = p.ClockOffsetMS
			}
			if m.Type == "heartbeat" {
				beats++
			}
			return beats == 2 // the first may have been due before
		})
		require.Len(t, got, n)
		return got
	}
	h.PublishState([]live.PanelState{state(a, 1, 1), state(b, 1, 1), state(c, 1, 1)})
	all, some := s.attach(h, everyone(), s.head()), s.attach(h, everyone(), s.head())
	limited := s.attach(h, stream.Viewer{UserID: 5, Audiences: []string{wire.Operators}, Sites: []ids.SiteID{mine}}, s.head())
	silent := s.attach(h, everyone(), s.head())
	require.NoError(t, all.sub.SubscribePanels(t.Context(), true, nil))
	require.NoError(t, some.sub.SubscribePanels(t.Context(), false, []ids.PanelID{b, 999}))
	require.NoError(t, limited.sub.SubscribePanels(t.Context(), true, nil))
	require.Equal(t, map[ids.PanelID]int64{a: 101, b: 101, c: 101}, read(all, 3), "begins with what is known")
	require.Equal(t, map[ids.PanelID]int64{b: 101}, read(some, 1))
	require.Equal(t, map[ids.PanelID]int64{a: 101, b: 101}, read(limited, 2), "panels of sites out of scope are silent")
	read(silent, 0)

	// The latest wins, a late write of an old holder does not, and nothing queues up.
	for i := range int64(1000) {
		h.PublishState([]live.PanelState{state(a, 2, i)})
	}
	h.PublishState([]live.PanelState{state(a, 1, 5000), state(a, 2, 3)})
	require.NoError(t, some.sub.SubscribePanels(t.Context(), false, []ids.PanelID{a}))
	states, beats := 0, 0
	all.until(func(m said) bool {
		switch m.Type {
		case wire.PanelState:
			states++
		case "heartbeat":
			beats++
		}
		return beats == 2
	})
	require.Equal(t, 1, states)
	require.Equal(t, map[ids.PanelID]int64{a: 1199}, read(some, 1), "the new choice replaces the old")
	err := some.sub.SubscribePanels(t.Context(), false, make([]ids.PanelID, stream.MaxPanels+1))
	require.Equal(t, errs.Invalid, errs.KindOf(err))
}
