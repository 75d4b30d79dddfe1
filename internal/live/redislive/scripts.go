package redislive

import (
	"context"
	_ "embed"
	"errors"

	"github.com/redis/go-redis/v9"
)

//go:embed scripts/life.lua
var lifeText string

//go:embed scripts/name_life.lua
var nameLifeText string

//go:embed scripts/put_states.lua
var putStatesText string

//go:embed scripts/touch.lua
var touchText string

//go:embed scripts/versions.lua
var versionsText string

//go:embed scripts/reserve.lua
var reserveText string

//go:embed scripts/renew.lua
var renewText string

//go:embed scripts/confirm.lua
var confirmText string

//go:embed scripts/release.lua
var releaseText string

//go:embed scripts/publish.lua
var publishText string

var (
	nameLife  = redis.NewScript(lifeText + nameLifeText)
	putStates = redis.NewScript(putStatesText)
	touch     = redis.NewScript(touchText)
	versions  = redis.NewScript(versionsText)
	reserve   = redis.NewScript(lifeText + reserveText)
	renew     = redis.NewScript(renewText)
	confirm   = redis.NewScript(confirmText)
	release   = redis.NewScript(releaseText)
	publish   = redis.NewScript(publishText)
)

// call is one run of a script.
type call struct {
	keys []string
	args []any
}

// run runs a script once, within the limit of an operation.
func (s *Store) run(ctx context.Context, script *redis.Script, keys []string, args ...any) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, operationLimit)
	defer cancel()
	return script.Run(ctx, s.client, keys, args...).Result()
}

// runAll runs a script for each call, in order, with one question to the server.
func (s *Store) runAll(ctx context.Context, script *redis.Script, calls []call) error {
	ctx, cancel := context.WithTimeout(ctx, operationLimit)
	defer cancel()
	err := s.pipeline(ctx, script, calls)
	if isMissingScript(err) {
		// The server has been restarted. Some may have run: each may run twice.
		if err := script.Load(ctx, s.client).Err(); err != nil {
			return err
		}
		err = s.pipeline(ctx, script, calls)
	}
	return err
}

func isMissingScript(err error) bool {
	return err != nil && (errors.Is(err, redis.ErrNoScript) || redis.HasErrorPrefix(err, "NOSCRIPT"))
}

func (s *Store) pipeline(ctx context.Context, script *redis.Script, calls []call) error {
	_, err := s.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for _, c := range calls {
			script.EvalSha(ctx, pipe, c.keys, c.args...)
		}
		return nil
	})
	return err
}

// numbers is a script's list of numbers.
func numbers(reply any) ([]int, error) {
	list, ok := reply.([]any)
	if !ok {
		return nil, errAnswer
	}
	n := make([]int, len(list))
	for i, v := range list {
		number, ok := v.(int64)
		if !ok {
			return nil, errAnswer
		}
		n[i] = int(number)
	}
	return n, nil
}
