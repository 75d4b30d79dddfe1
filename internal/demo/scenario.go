package demo

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"dozor/satel/sim"
)

// Times of the scenario: quick enough to show something, slow enough to follow.
const (
	firstAlarmAfter = 4 * time.Second
	calmLeast       = 12 * time.Second
	calmMost        = 45 * time.Second
	zoneOpen        = 3 * time.Second
	ownerComesLeast = 20 * time.Second
	ownerComesMost  = 60 * time.Second
	mainsAway       = 25 * time.Second
)

// Scenario makes ordinary life at the sites: people move, arm, disarm, and now and then
// something trips.
type Scenario struct {
	Sites  []Site
	Panels []*sim.Panel // in the order of Sites
	Logger *slog.Logger
	// Seed makes the same life again.
	Seed uint64
}

// Run goes on until ctx ends.
func (s Scenario) Run(ctx context.Context) error {
	done := make(chan struct{})
	for i := range s.Sites {
		life := &life{site: s.Sites[i], panel: s.Panels[i], rand: rand.New(rand.NewPCG(s.Seed, uint64(i))), log: s.Logger.With("site", s.Sites[i].Name)}
		go func() {
			defer func() { done <- struct{}{} }()
			life.run(ctx, i == 0)
		}()
	}
	for range s.Sites {
		<-done
	}
	return nil
}

// life is what happens at one site.
type life struct {
	site  Site
	panel *sim.Panel
	rand  *rand.Rand
	log   *slog.Logger
}

func (l *life) run(ctx context.Context, opening bool) {
	if opening {
		l.openingAlarm(ctx)
	}
	for l.pause(ctx, calmLeast, calmMost) {
		l.happen(ctx)
	}
}

// openingAlarm lets a newcomer see an alarm a few seconds after the start.
func (l *life) openingAlarm(ctx context.Context) {
	for _, p := range l.site.Panel.Partitions {
		l.try(l.panel.Arm(p.Number, sim.Arming{User: l.someone()}))
	}
	if l.pause(ctx, firstAlarmAfter, firstAlarmAfter) {
		l.trip(ctx, l.site.Panel.Zones[len(l.site.Panel.Zones)-1].Number)
	}
}

func (l *life) happen(ctx context.Context) {
	state := l.panel.State()
	p := l.site.Panel.Partitions[l.rand.IntN(len(l.site.Panel.Partitions))]
	armed := slices.ContainsFunc(state.Partitions, func(s sim.PartitionState) bool { return s.Number == p.Number && s.Phase == "armed" })
	switch chance := l.rand.Float64(); {
	case !armed && chance < 0.6:
		l.try(l.panel.Arm(p.Number, sim.Arming{User: l.someone()}))
	case !armed && chance < 0.9:
		l.move(ctx, p.Number)
	case armed && chance < 0.45:
		l.try(l.panel.Disarm(p.Number, l.someone()))
	case armed && chance < 0.75:
		l.alarm(ctx, p.Number)
	case chance > 0.97 && l.site.Panic != 0:
		l.trip(ctx, l.site.Panic)
	case chance > 0.93:
		l.mains(ctx)
	}
}

// move lets somebody walk through a partition that is not armed.
func (l *life) move(ctx context.Context, partition int) {
	for _, z := range l.site.Panel.Zones {
		if z.Partition != partition || z.Reaction > sim.Instant {
			continue
		}
		l.try(l.panel.Violate(z.Number))
		if !l.pause(ctx, time.Second, zoneOpen) {
			return
		}
		l.try(l.panel.RestoreZone(z.Number))
	}
}

// alarm trips a zone of an armed partition; later the owner comes.
func (l *life) alarm(ctx context.Context, partition int) {
	var candidates []int
	for _, n := range l.site.Raises {
		for _, z := range l.site.Panel.Zones {
			if z.Number == n && z.Partition == partition {
				candidates = append(candidates, n)
			}
		}
	}
	if len(candidates) == 0 {
		return
	}
	l.trip(ctx, candidates[l.rand.IntN(len(candidates))])
	if len(candidates) > 1 && l.rand.Float64() < 0.3 && l.pause(ctx, calmLeast, calmLeast) {
		l.trip(ctx, candidates[l.rand.IntN(len(candidates))])
	}
	if !l.pause(ctx, ownerComesLeast, ownerComesMost) {
		return
	}
	user := l.someone()
	l.try(l.panel.Disarm(partition, user))
	l.try(l.panel.ClearAlarm(partition, user))
}

func (l *life) trip(ctx context.Context, zone int) {
	l.try(l.panel.Violate(zone))
	l.pause(ctx, zoneOpen, zoneOpen)
	l.try(l.panel.RestoreZone(zone))
}

func (l *life) mains(ctx context.Context) {
	l.try(l.panel.StartTrouble("system.ac"))
	l.pause(ctx, mainsAway, mainsAway)
	l.try(l.panel.EndTrouble("system.ac"))
}

// someone is a user of the site, not the station's own code.
func (l *life) someone() int {
	users := l.site.Panel.Users[1:]
	return users[l.rand.IntN(len(users))].Number
}

// try takes what a panel refuses as part of life: somebody else was faster.
func (l *life) try(_ []sim.Event, err error) {
	if err != nil {
		l.log.Debug("the panel did not do it", "err", err)
	}
}

func (l *life) pause(ctx context.Context, least, most time.Duration) bool {
	d := least
	if most > least {
		d += time.Duration(l.rand.Int64N(int64(most - least)))
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
