package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"dozor/internal/live"
	"dozor/internal/panellog"
	"dozor/internal/secret"
	"dozor/satel"
	"dozor/satel/client"
)

// The stable words for why there is no connection: LinkReason of the live state, and the
// label of the metric.
const (
	reasonBusyOwn      = "busy_own"      // an earlier connection of this worker holds the module still
	reasonBusyWorker   = "busy_worker"   // that of another worker of the station does
	reasonBusyStranger = "busy_stranger" // a program that is not ours does
	reasonKey          = "key"           // no answer to the first encrypted request
	reasonNoLease      = "no_lease"
	reasonNoAnswer     = "no_answer"
	reasonClosed       = "closed"
	reasonRefused      = "refused"
	reasonUnreachable  = "unreachable"
	reasonProtocol     = "protocol"
)

const (
	connectTimeout = 5 * time.Second
	// apart is the least time between the end of an attempt and the next one on the same
	// module: it needs that long to be free again.
	apart = time.Second
	// stableAfter is how long a connection must have stood for earlier failures not to count.
	stableAfter = 5 * time.Second

	// A module hangs up 25 s after a lost client's last request. Of our own we know when
	// that was; what another worker has said of its panel may be 5 s old.
	ownPatience  = 30 * time.Second
	busyPatience = 35 * time.Second
	// busyEvery is how often a module is tried while one of our own connections may run out
	// there: a takeover must not take longer than that needs.
	busyEvery = 2 * time.Second

	// What has failed so often for so long is in quarantine.
	quarantineFailures = 10
	quarantineSilence  = 2 * time.Minute
	keyFailures        = 2
	// quarantinedFor is how long a panel in quarantine stays with one worker before another
	// may see whether its way is better.
	quarantinedFor = 10 * time.Minute

	recallTimeout = 500 * time.Millisecond
)

// steps are the pauses after failures in a row. They end at 8 s, so that a site whose link
// returns is watched again within ten seconds; where nobody answers, a try costs the module
// nothing.
var steps = [...]time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second}

// tries is how the attempts to connect go. It outlives connections, and by the live state
// sessions.
type tries struct {
	failures    int
	since       time.Time // of the first of them
	quarantined bool
}

// pause is how long to wait before the next attempt. A module that answers, but not as it
// should, is spared: each attempt takes its only place.
func (t tries) pause(reason string) time.Duration {
	switch {
	case reason == reasonBusyOwn, reason == reasonBusyWorker:
		return busyEvery
	case reason == reasonBusyStranger:
		return between(8*time.Second, 12*time.Second)
	case reason == reasonKey && t.quarantined:
		return between(60*time.Second, 75*time.Second)
	case t.quarantined && reason == reasonProtocol:
		return between(50*time.Second, 70*time.Second)
	case t.quarantined && (reason == reasonNoAnswer || reason == reasonClosed):
		return between(25*time.Second, 35*time.Second)
	}
	step := steps[min(max(t.failures, 1), len(steps))-1]
	return max(apart, between(step*4/5, step*6/5))
}

func between(least, most time.Duration) time.Duration { return least + rand.N(most-least) }

// failed counts one more failure.
func (t *tries) failed(reason string, now time.Time) {
	if t.failures == 0 {
		t.since = now
	}
	t.failures++
	switch {
	case reason == reasonKey && t.failures >= keyFailures:
		t.quarantined = true
	case t.failures >= quarantineFailures && now.Sub(t.since) >= quarantineSilence:
		t.quarantined = true
	}
}

// run keeps the session until ctx ends or another worker took the panel over.
func (s *session) run(ctx context.Context) {
	defer s.memory.Close()
	s.recall(ctx)
	for ctx.Err() == nil {
		err := s.connected(ctx)
		wait := s.disconnected(ctx, err)
		if ctx.Err() != nil || errors.Is(err, panellog.ErrLost) {
			return
		}
		s.idle(ctx, wait)
	}
}

// recall reads, before this session says anything, what was said of the panel before it:
// who held it, and how the attempts to reach it went under the present edit.
func (s *session) recall(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, recallTimeout)
	defer cancel()
	states, err := s.w.cfg.States.States(bounded, s.panel)
	if err != nil {
		s.log.Debug("what was known of the panel before can't be read", "err", err)
		return
	}
	s.recalled = true
	if len(states) == 0 {
		return
	}
	before := states[0]
	if before.Fence >= s.fence {
		before.Holder = "" // it is what this session said itself
	}
	s.before = before
	if before.Reach != s.reach.Load().Number {
		return
	}
	if s.state.Version == "" {
		s.state.Model, s.state.Version, s.state.Module, s.state.News = before.Model, before.Version, before.Module, before.News
	}
	if t := before.Trying; t != nil && s.tries.failures < t.Failures {
		s.tries = tries{failures: t.Failures, since: t.Since, quarantined: t.Quarantine}
		s.quarantined.Store(t.Quarantine)
	}
}

// idle waits for the next try. What was read and not stored goes on being sent.
func (s *session) idle(ctx context.Context, wait time.Duration) {
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	settle := time.NewTicker(settleEvery)
	defer settle.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-deadline.C:
			return
		case <-settle.C:
			s.settle(ctx)
		case c := <-s.commands:
			s.refuse(ctx, c)
		}
	}
}

// connected holds one connection until it fails.
func (s *session) connected(ctx context.Context) error {
	reach := s.reach.Load()
	if left := s.w.distances.left(reach.Address, s.w.cfg.Clock()); left > 0 {
		s.idle(ctx, left)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	until, ok := s.w.trusted(s)
	if !ok {
		return errNoLease
	}
	cipher, err := cipherOf(reach.Key)
	if err != nil {
		return err
	}
	// Nor does a connection begin after that: another worker may have the panel then.
	dial, cancel := context.WithTimeout(ctx, min(connectTimeout, time.Until(until)))
	conn, err := client.Dial(dial, client.Config{
		Address: reach.Address, Cipher: cipher, MinGap: s.w.cfg.MinGap, Floor: s.floor, OnNews: s.hear, Logger: s.log,
	})
	cancel()
	defer func() { s.w.distances.note(reach.Address, s.w.cfg.Clock()) }()
	if err != nil {
		return err
	}
	defer func() {
		conn.Close()
		s.floor = conn.Stats().Floor
	}()
	stop := context.AfterFunc(ctx, conn.Close)
	defer stop()
	s.conn, s.reader.Reader = conn, conn
	if err := s.introduce(ctx); err != nil {
		return err
	}
	s.ready.Store(true)
	for {
		err := s.turn(ctx)
		if err != nil && (client.IsLost(err) || ctx.Err() != nil || !errors.Is(err, client.ErrTimeout)) {
			return err
		}
		if err != nil {
			// One lost answer is ordinary; what was asked stays to be asked. A second in a
			// row ends the connection, and the client says so.
			s.log.Debug("the panel left a request without an answer", "err", err)
		}
	}
}

// hear takes what nobody asked for, on the connection's goroutine.
func (s *session) hear(f satel.Frame) {
	s.heard(f)
	s.pushes.hear(f)
}

// cipherOf is the encryption of an integration key, nil where there is none.
func cipherOf(key secret.Redacted) (*satel.Cipher, error) {
	if key == "" {
		return nil, nil //nolint:nilnil // the client takes it so
	}
	cipher, err := satel.NewCipher(key.Reveal())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", client.ErrKey, err)
	}
	return cipher, nil
}

// disconnected tells that the link is gone and why, ends a command that has not ended, and
// returns
// how long to wait before the next attempt.
func (s *session) disconnected(ctx context.Context, err error) time.Duration {
	s.ready.Store(false)
	s.conn, s.suspects = nil, nil
	s.memory.Disconnected()
	s.pushes.forget()
	s.breakOff(ctx)
	if ctx.Err() != nil {
		return 0 // given away: whoever has it next tells
	}
	now := s.w.cfg.Clock()
	if !s.upSince.IsZero() {
		if now.Sub(s.upSince) > stableAfter {
			s.tries = tries{}
		}
		s.upSince = time.Time{}
		if !errors.Is(err, io.EOF) {
			s.halfOpenSince = now // the module may not know yet
		}
	}
	reason := s.linkReason(ctx, err, now)
	s.busy.Store(errors.Is(err, client.ErrBusy))
	s.w.metrics.lost.WithLabelValues(reason).Inc()
	wasQuarantined := s.tries.quarantined
	wait := apart
	if reason != reasonNoLease {
		s.tries.failed(reason, now)
		wait = s.tries.pause(reason)
	}
	s.quarantined.Store(s.tries.quarantined)
	if s.state.Link != live.LinkDown || s.state.LinkReason != reason {
		s.log.Warn("no connection to the panel", "reason", reason, "err", err)
		s.state.Link, s.state.LinkReason, s.state.ChangedAt = live.LinkDown, reason, now
	}
	if s.tries.quarantined && !wasQuarantined {
		s.log.Warn("the panel is in quarantine: it is tried seldom and passed on no more", "reason", reason, "failures", s.tries.failures)
	}
	s.state.Trying = &live.Trying{Since: s.tries.since, Failures: s.tries.failures, NextAt: now.Add(wait), Quarantine: s.tries.quarantined}
	s.publishState()
	return wait
}

// errNoLease says that the lease was not renewed in time to begin a connection.
var errNoLease = errors.New("no lease that may be trusted")

// linkReason is the stable word for why there is no connection.
func (s *session) linkReason(ctx context.Context, err error, now time.Time) string {
	switch {
	case errors.Is(err, client.ErrBusy):
		return s.whoHolds(ctx, now)
	case errors.Is(err, errNoLease):
		return reasonNoLease
	case errors.Is(err, client.ErrKey) && (!errors.Is(err, client.ErrTimeout) || s.state.Version == ""):
		// A panel that has answered under this very key and is silent now: it hangs, rather.
		return reasonKey
	case errors.Is(err, client.ErrNoAnswer), errors.Is(err, client.ErrTimeout), errors.Is(err, client.ErrReconnect):
		return reasonNoAnswer
	case errors.Is(err, client.ErrClosed):
		return reasonClosed
	case isRefused(err):
		return reasonRefused
	case isTimeout(err), isUnroutable(err):
		return reasonUnreachable
	default:
		return reasonProtocol
	}
}

// whoHolds says who holds a module that is busy, as far as it can be told: a module drops a
// connection that it hears nothing of, so that none of ours outlives our patience.
func (s *session) whoHolds(ctx context.Context, now time.Time) string {
	if !s.halfOpenSince.IsZero() && now.Sub(s.halfOpenSince) < ownPatience {
		return reasonBusyOwn
	}
	if !s.recalled {
		if s.recall(ctx); !s.recalled {
			// Nobody says who had it. Until our connections would have run out, we ask as if it were one.
			if now.Sub(s.begun) < busyPatience {
				return reasonBusyWorker
			}
			return reasonBusyStranger
		}
	}
	if now.Sub(s.before.AnsweredAt) >= busyPatience {
		return reasonBusyStranger
	}
	if s.before.Holder == s.w.cfg.Instance {
		return reasonBusyOwn
	}
	return reasonBusyWorker
}

// distances keeps the attempts of this process on one module apart, whichever sessions make
// them.
type distances struct {
	mu    sync.Mutex
	ended map[string]time.Time // by address, the last attempt's end
}

func (d *distances) note(address string, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended == nil {
		d.ended = map[string]time.Time{}
	}
	d.ended[address] = at
}

func (d *distances) left(address string, now time.Time) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	left := d.ended[address].Add(apart).Sub(now)
	if left <= 0 {
		delete(d.ended, address)
	}
	return left
}
