package redislive

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/redis/go-redis/v9"

	"dozor/internal/ids"
	"dozor/internal/live"
)

const (
	indexKey = "panel:index"
	// statesAtOnce bounds what one script writes: nobody else is served meanwhile.
	statesAtOnce = 50
	// touchesAtOnce is the same for signs of life.
	touchesAtOnce = 500
)

// PutStates implements live.States. Whether a panel is known, Redis can't say.
func (s *Store) PutStates(ctx context.Context, states []live.PanelState) error {
	var calls []call
	for some := range slices.Chunk(states, statesAtOnce) {
		c := call{keys: make([]string, 0, 1+len(hashes)*len(some))}
		c.keys = append(c.keys, indexKey)
		for i := range some {
			c.keys = append(c.keys, hashKeys(some[i].PanelID)...)
			var err error
			if c.args, err = encodeState(c.args, &some[i]); err != nil {
				return err
			}
		}
		calls = append(calls, c)
	}
	if len(calls) == 0 {
		return nil
	}
	if err := s.runAll(ctx, putStates, calls); err != nil {
		return fmt.Errorf("store the state of %d panels: %w", len(states), err)
	}
	return nil
}

// Touch implements live.States. A panel without a state stays without one.
func (s *Store) Touch(ctx context.Context, answered []live.Answered) error {
	var calls []call
	for some := range slices.Chunk(answered, touchesAtOnce) {
		var c call
		for _, a := range some {
			c.keys = append(c.keys, hashKeys(a.PanelID)[0])
			c.args = append(c.args, a.Fence, micros(a.AnsweredAt))
		}
		calls = append(calls, c)
	}
	if len(calls) == 0 {
		return nil
	}
	if err := s.runAll(ctx, touch, calls); err != nil {
		return fmt.Errorf("touch the state of %d panels: %w", len(answered), err)
	}
	return nil
}

// States implements live.States, in the order of the panels. A panel whose parts don't
// belong together has no state.
func (s *Store) States(ctx context.Context, panels ...ids.PanelID) ([]live.PanelState, error) {
	ctx, cancel := context.WithTimeout(ctx, operationLimit)
	defer cancel()
	if len(panels) == 0 {
		var err error
		if panels, err = s.known(ctx); err != nil {
			return nil, err
		}
	} else {
		panels = slices.Clone(panels)
	}
	slices.Sort(panels)
	panels = slices.Compact(panels)
	if len(panels) == 0 {
		return nil, nil
	}
	parts, err := s.read(ctx, panels, s.client.Pipelined)
	if err != nil {
		return nil, err
	}
	// What was written between two of these questions looks torn: asked again, in one
	// step, it shows whether it is.
	var again []ids.PanelID
	for _, p := range panels {
		if judge(parts[p]) == torn {
			again = append(again, p)
		}
	}
	if len(again) > 0 {
		anew, err := s.read(ctx, again, s.client.TxPipelined)
		if err != nil {
			return nil, err
		}
		maps.Copy(parts, anew)
	}
	states := make([]live.PanelState, 0, len(panels))
	for _, p := range panels {
		if judge(parts[p]) != whole {
			continue
		}
		st, err := decodeState(p, parts[p])
		if err != nil {
			return nil, err
		}
		states = append(states, st)
	}
	return states, nil
}

// known returns which panels have a state.
func (s *Store) known(ctx context.Context) ([]ids.PanelID, error) {
	members, err := s.client.SMembers(ctx, indexKey).Result()
	if err != nil {
		return nil, fmt.Errorf("read which panels have a state: %w", err)
	}
	panels := make([]ids.PanelID, len(members))
	for i, m := range members {
		n, err := strconv.ParseInt(m, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("read which panels have a state: %w", err)
		}
		panels[i] = ids.PanelID(n)
	}
	return panels, nil
}

// ask is Pipelined or TxPipelined of the client.
type ask func(context.Context, func(redis.Pipeliner) error) ([]redis.Cmder, error)

// read gets the hashes of panels with one question.
func (s *Store) read(ctx context.Context, panels []ids.PanelID, ask ask) (map[ids.PanelID][]map[string]string, error) {
	answers := make([]*redis.MapStringStringCmd, 0, len(panels)*len(hashes))
	_, err := ask(ctx, func(pipe redis.Pipeliner) error {
		answers = answers[:0]
		for _, p := range panels {
			for _, key := range hashKeys(p) {
				answers = append(answers, pipe.HGetAll(ctx, key))
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the state of %d panels: %w", len(panels), err)
	}
	parts := make(map[ids.PanelID][]map[string]string, len(panels))
	for i, a := range answers {
		p := panels[i/len(hashes)]
		parts[p] = append(parts[p], a.Val())
	}
	return parts, nil
}
