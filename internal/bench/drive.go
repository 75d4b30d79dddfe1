package bench

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"dozor/internal/ids"
)

// target is a simulated panel and what dozor knows it as.
type target struct {
	number int // of the simulator, from 1
	id     ids.PanelID
	zones  []int
	before uint64 // sequence of its newest record before anything was driven
	last   uint64 // the highest sequence that an act has caused
}

// pair finds the simulated panels among those of dozor: by the whole address, else, since
// a simulator may not know under which name it is reached, by a port that only one has.
func pair(addresses []address, views []panelView) []target {
	whole, byPort, ports := map[address]ids.PanelID{}, map[int]ids.PanelID{}, map[int]int{}
	for _, v := range views {
		whole[address{v.Host, v.Port}] = v.ID
		byPort[v.Port] = v.ID
		ports[v.Port]++
	}
	var targets []target
	for i, at := range addresses {
		id, ok := whole[at]
		if !ok && ports[at.port] == 1 {
			id, ok = byPort[at.port], true
		}
		if ok {
			targets = append(targets, target{number: i + 1, id: id})
		}
	}
	return targets
}

// act is one change at one panel, due so long after the start.
type act struct {
	due     time.Duration
	target  int // index
	turn    int // which alarm of this panel it is, from 0; its end has the same
	violate bool
}

// halfARound is the time after which schedule has come to every other panel.
func halfARound(panels int, rate float64) time.Duration {
	return time.Duration(float64(panels) / rate / 2 * float64(time.Second))
}

// schedule spreads alarms over panels in turn, so many a second, each with its end so long
// after it. They come at a random moment of the first half of their time slot: an even
// beat would meet an even poll always at the same point.
func schedule(panels int, rate float64, duration, open time.Duration, random *rand.Rand) []act {
	slot := time.Duration(float64(time.Second) / rate)
	jitter := func() time.Duration { return time.Duration(random.Float64() * float64(slot) / 2) }
	var acts []act
	for i := 0; time.Duration(i)*slot < duration; i++ {
		begin := time.Duration(i) * slot
		acts = append(acts,
			act{due: begin + jitter(), target: i % panels, turn: i / panels, violate: true},
			act{due: begin + open + jitter(), target: i % panels, turn: i / panels})
	}
	slices.SortStableFunc(acts, func(a, b act) int { return cmp.Compare(a.due, b.due) })
	return acts
}

// play does the acts when they are due and returns how many alarms were raised.
func play(ctx context.Context, s *simulator, targets []target, acts []act) (alarms int, err error) {
	start := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for _, a := range acts {
		timer.Reset(time.Until(start.Add(a.due)))
		select {
		case <-ctx.Done():
			return alarms, ctx.Err()
		case <-timer.C:
		}
		t := &targets[a.target]
		zone := t.zones[a.turn%len(t.zones)]
		done, err := s.zone(ctx, t.number, zone, a.violate)
		if err != nil {
			return alarms, err
		}
		t.last = max(t.last, done.Last)
		if !a.violate {
			continue
		}
		if done.Last == 0 {
			return alarms, fmt.Errorf("zone %d of panel %d was opened and the panel recorded nothing", zone, t.number)
		}
		alarms++
	}
	return alarms, nil
}

// inParallel bounds how many panels are asked at once.
const inParallel = 16

// burst raises so many alarms at all panels at once, spread evenly.
func burst(ctx context.Context, s *simulator, targets []target, alarms int) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(inParallel)
	for i := range targets {
		share := alarms / len(targets)
		if i < alarms%len(targets) {
			share++
		}
		if share == 0 {
			continue
		}
		group.Go(func() error {
			done, err := s.burst(ctx, targets[i].number, share)
			targets[i].last = done.Last
			return err
		})
	}
	return group.Wait()
}

// records are what the panels have recorded since they were prepared. A record may still
// be on its way into the memory: that is waited for.
func records(ctx context.Context, s *simulator, targets []target, limit time.Duration) ([]truth, error) {
	var all []truth
	for _, t := range targets {
		var events []happened
		err := until(ctx, nil, limit, fmt.Sprintf("the records of panel %d", t.number), func(ctx context.Context) error {
			var err error
			events, err = s.events(ctx, t.number, t.before)
			if err != nil {
				return err
			}
			if n := len(events); t.last > 0 && (n == 0 || events[n-1].Sequence < t.last) {
				return fmt.Errorf("record %d is not written", t.last)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			all = append(all, e.truth(t.id))
		}
	}
	return all, nil
}
