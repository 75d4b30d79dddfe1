package redislive

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"time"

	"dozor/internal/ids"
	"dozor/internal/live"
	"dozor/internal/live/pglive"
)

const (
	// claimFor is how long a claim stands: it outlasts the question to PostgreSQL.
	claimFor = 2 * time.Second
	// ledgerLimit bounds one question to PostgreSQL.
	ledgerLimit = time.Second
	// candidatesAtOnce is how many panels are looked at with one question.
	candidatesAtOnce = 1000
)

// ErrLedger is wrapped by errors that are PostgreSQL's and say nothing of Redis.
var ErrLedger = errors.New("the ledger of leases")

func ledgerErr(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrLedger, err)
}

func leaseKey(panel ids.PanelID) string { return "lease:panel:" + strconv.FormatInt(int64(panel), 10) }

// term is what a lease's key holds.
func term(l live.Lease, holder string) string { return strconv.FormatInt(l.Fence, 10) + " " + holder }

// claimOf is what stands there until PostgreSQL has said that the lease may be put back.
func claimOf(l live.Lease, holder string) string {
	return strconv.FormatInt(l.Fence, 10) + " ?" + holder
}

// Acquire implements live.Leases.
func (s *Store) Acquire(ctx context.Context, holder string, max int, except []ids.PanelID, ttl time.Duration) ([]live.Lease, error) {
	if err := checkHolder(holder, ttl); err != nil {
		return nil, err
	}
	if max <= 0 {
		return nil, nil
	}
	until := time.Now().Add(ttl)
	claim := "0 " + holder + " " + rand.Text()
	reserved, err := s.reserve(ctx, holder, claim, max, except, ttl)
	if err == nil && len(reserved) > 0 {
		var held []live.Lease
		if held, err = s.grant(ctx, holder, claim, reserved, ttl); err == nil {
			for i := range held {
				held[i].Until = until
			}
			return held, nil
		}
	}
	if err != nil {
		s.giveBack(ctx, claim, reserved)
		return nil, fmt.Errorf("acquire leases: %w", err)
	}
	return nil, nil
}

// reserve claims free panels in the order in which they became free. With an error it
// returns what may have been reserved.
func (s *Store) reserve(ctx context.Context, holder, claim string, max int, except []ids.PanelID, ttl time.Duration) ([]pglive.Candidate, error) {
	var (
		reserved []pglive.Candidate
		after    pglive.Candidate
	)
	for {
		asking, cancel := context.WithTimeout(ctx, ledgerLimit)
		page, err := s.ledger.Candidates(asking, except, after, candidatesAtOnce)
		cancel()
		if err != nil || len(page) == 0 {
			return reserved, ledgerErr(err)
		}
		keys := []string{lifeKey}
		args := []any{claim, max - len(reserved), claimFor.Milliseconds(), ttl.Milliseconds()}
		for _, c := range page {
			keys = append(keys, leaseKey(c.PanelID))
			others := 0
			if c.Holder != "" && c.Holder != holder {
				others = 1
			}
			args = append(args, others)
		}
		reply, err := s.run(ctx, reserve, keys, args...)
		if err != nil {
			return append(reserved, page...), err
		}
		places, err := numbers(reply)
		if err != nil {
			return append(reserved, page...), err
		}
		for _, n := range places {
			if n < 1 || n > len(page) {
				return append(reserved, page...), errAnswer
			}
			reserved = append(reserved, page[n-1])
		}
		if len(reserved) >= max || len(page) < candidatesAtOnce {
			return reserved, nil
		}
		after = page[len(page)-1]
	}
}

// grant gets fences for what was reserved and makes leases of it.
func (s *Store) grant(ctx context.Context, holder, claim string, reserved []pglive.Candidate, ttl time.Duration) ([]live.Lease, error) {
	asking, cancel := context.WithTimeout(ctx, ledgerLimit)
	granted, err := s.ledger.Grant(asking, holder, reserved, ttl)
	cancel()
	if err != nil {
		return nil, ledgerErr(err)
	}
	claims := make([]string, len(granted))
	for i := range claims {
		claims[i] = claim
	}
	held, err := s.confirm(ctx, holder, granted, claims, ttl)
	if err != nil {
		return nil, err
	}
	if len(held) < len(reserved) {
		// Others were faster; what is held does not bear the claim any more.
		s.giveBack(ctx, claim, reserved)
	}
	return held, nil
}

// giveBack ends reservations, if it can: they end by themselves soon.
func (s *Store) giveBack(ctx context.Context, claim string, reserved []pglive.Candidate) {
	if len(reserved) == 0 {
		return
	}
	keys, args := make([]string, len(reserved)), make([]any, len(reserved))
	for i, c := range reserved {
		keys[i], args[i] = leaseKey(c.PanelID), claim
	}
	_, _ = s.run(context.WithoutCancel(ctx), release, keys, args...)
}

// confirm makes claims leases and returns which are.
func (s *Store) confirm(ctx context.Context, holder string, leases []live.Lease, claims []string, ttl time.Duration) ([]live.Lease, error) {
	if len(leases) == 0 {
		return nil, nil
	}
	keys, args := make([]string, len(leases)), []any{ttl.Milliseconds()}
	for i, l := range leases {
		keys[i] = leaseKey(l.PanelID)
		args = append(args, claims[i], term(l, holder))
	}
	reply, err := s.run(ctx, confirm, keys, args...)
	if err != nil {
		return nil, err
	}
	results, err := numbers(reply)
	if err != nil || len(results) != len(leases) {
		return nil, errors.Join(errAnswer, err)
	}
	var held []live.Lease
	for i, l := range leases {
		if results[i] == 1 {
			held = append(held, l)
		}
	}
	return held, nil
}

// What renew.lua says of a lease.
const (
	anothers  = 0
	prolonged = 1
	claimed   = 2
)

// Renew implements live.Leases. While PostgreSQL can't be asked it prolongs what Redis
// knows as held, with the timeline as it was; what Redis has lost can't be judged then,
// which is an error.
func (s *Store) Renew(ctx context.Context, holder string, held []live.Lease, ttl time.Duration) ([]live.Lease, error) {
	if err := checkHolder(holder, ttl); err != nil {
		return nil, err
	}
	if len(held) == 0 {
		return nil, nil
	}
	until := time.Now().Add(ttl)
	mine, lost, err := s.prolong(ctx, holder, held, ttl)
	if err != nil {
		return nil, fmt.Errorf("renew %d leases: %w", len(held), err)
	}
	asking, cancel := context.WithTimeout(ctx, ledgerLimit)
	standing, err := s.ledger.Standing(asking, holder, append(mine[:len(mine):len(mine)], lost...), ttl)
	cancel()
	s.noteLedger(ctx, err)
	if err != nil {
		if len(lost) > 0 || ctx.Err() != nil {
			return nil, fmt.Errorf("renew %d leases, of which Redis has lost %d: %w", len(held), len(lost), ledgerErr(err))
		}
		for i := range mine {
			mine[i].Until = until
		}
		return mine, nil
	}
	renewed, err := s.settle(ctx, holder, mine, lost, standing, ttl)
	if err != nil {
		return nil, fmt.Errorf("renew %d leases: %w", len(held), err)
	}
	for i := range renewed {
		renewed[i].Until = until
	}
	return renewed, nil
}

// prolong asks Redis: mine are the leases that it knows and has prolonged, lost those that
// it does not know and that bear a claim now.
func (s *Store) prolong(ctx context.Context, holder string, held []live.Lease, ttl time.Duration) (mine, lost []live.Lease, err error) {
	keys, args := make([]string, len(held)), []any{ttl.Milliseconds(), min(claimFor, ttl).Milliseconds()}
	for i, l := range held {
		keys[i] = leaseKey(l.PanelID)
		args = append(args, l.Fence, term(l, holder), claimOf(l, holder))
	}
	reply, err := s.run(ctx, renew, keys, args...)
	if err != nil {
		return nil, nil, err
	}
	results, err := numbers(reply)
	if err != nil || len(results) != len(held) {
		return nil, nil, errors.Join(errAnswer, err)
	}
	for i, l := range held {
		switch results[i] {
		case prolonged:
			mine = append(mine, l)
		case claimed:
			lost = append(lost, l)
		case anothers:
		}
	}
	return mine, lost, nil
}

// settle does what PostgreSQL has judged: it puts back what Redis had lost, and gives up
// what is not held any more.
func (s *Store) settle(ctx context.Context, holder string, mine, lost, standing []live.Lease, ttl time.Duration) ([]live.Lease, error) {
	stands := make(map[ids.PanelID]live.Lease, len(standing))
	for _, l := range standing {
		stands[l.PanelID] = l
	}
	var renewed, back []live.Lease
	var claims, keys []string
	var values []any
	for _, l := range mine {
		if now, ok := stands[l.PanelID]; ok {
			renewed = append(renewed, now)
			continue
		}
		keys, values = append(keys, leaseKey(l.PanelID)), append(values, term(l, holder))
	}
	for _, l := range lost {
		if now, ok := stands[l.PanelID]; ok {
			back, claims = append(back, now), append(claims, claimOf(l, holder))
			continue
		}
		keys, values = append(keys, leaseKey(l.PanelID)), append(values, claimOf(l, holder))
	}
	put, err := s.confirm(ctx, holder, back, claims, ttl)
	if err != nil {
		return nil, err
	}
	s.stats.reclaimed.Add(int64(len(put)))
	if len(keys) > 0 {
		if _, err := s.run(ctx, release, keys, values...); err != nil {
			return nil, err
		}
	}
	return append(renewed, put...), nil
}

// noteLedger says once that PostgreSQL can't be asked, and once that it can again.
func (s *Store) noteLedger(ctx context.Context, err error) {
	if ctx.Err() != nil || s.blind.Swap(err != nil) == (err != nil) {
		return
	}
	if err != nil {
		s.log.Warn("leases are renewed without PostgreSQL", "err", err)
	} else {
		s.log.Info("leases are renewed with PostgreSQL again")
	}
}

// Release implements live.Leases.
func (s *Store) Release(ctx context.Context, holder string, held []live.Lease) error {
	if len(held) == 0 {
		return nil
	}
	var keys []string
	var values []any
	for _, l := range held {
		keys, values = append(keys, leaseKey(l.PanelID), leaseKey(l.PanelID)), append(values, term(l, holder), claimOf(l, holder))
	}
	// Each for itself: whichever works, the panel goes to another the sooner.
	_, inRedis := s.run(ctx, release, keys, values...)
	asking, cancel := context.WithTimeout(ctx, ledgerLimit)
	defer cancel()
	if err := errors.Join(inRedis, ledgerErr(s.ledger.Release(asking, holder, held))); err != nil {
		return fmt.Errorf("release %d leases: %w", len(held), err)
	}
	return nil
}

// Fences implements live.Leases.
func (s *Store) Fences(ctx context.Context, panels []ids.PanelID) (map[ids.PanelID]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, ledgerLimit)
	defer cancel()
	return s.ledger.Fences(ctx, panels)
}

// Join implements live.Leases.
func (s *Store) Join(ctx context.Context, self live.Worker, ttl time.Duration) (live.Crew, error) {
	ctx, cancel := context.WithTimeout(ctx, ledgerLimit)
	defer cancel()
	return s.ledger.Join(ctx, self, ttl)
}

// Leave implements live.Leases.
func (s *Store) Leave(ctx context.Context, instance string) error {
	ctx, cancel := context.WithTimeout(ctx, ledgerLimit)
	defer cancel()
	return s.ledger.Leave(ctx, instance)
}

func checkHolder(holder string, ttl time.Duration) error {
	if holder == "" || ttl < time.Millisecond {
		return fmt.Errorf("leases: want a holder's name and a time to live of a millisecond or more, not %q and %v", holder, ttl)
	}
	return nil
}
