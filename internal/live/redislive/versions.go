package redislive

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/redis/go-redis/v9"

	"dozor/internal/ids"
	"dozor/internal/live"
)

// versionsAtOnce bounds what one script looks at: nobody else is served meanwhile.
const versionsAtOnce = 100

// Versions returns how new the state of each panel is that Redis has whole.
func (s *Store) Versions(ctx context.Context) (map[ids.PanelID]live.Version, error) {
	found, err := s.readVersions(ctx)
	if err != nil {
		return nil, fmt.Errorf("read how new the panels' states are: %w", err)
	}
	return found, nil
}

func (s *Store) readVersions(ctx context.Context) (map[ids.PanelID]live.Version, error) {
	ctx, cancel := context.WithTimeout(ctx, operationLimit)
	defer cancel()
	panels, err := s.known(ctx)
	if err != nil {
		return nil, err
	}
	found := make(map[ids.PanelID]live.Version, len(panels))
	if len(panels) == 0 {
		return found, nil
	}
	ask := func() ([]*redis.Cmd, error) {
		var answers []*redis.Cmd
		_, err := s.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for some := range slices.Chunk(panels, versionsAtOnce) {
				var keys []string
				for _, p := range some {
					keys = append(keys, hashKeys(p)...)
				}
				answers = append(answers, versions.EvalSha(ctx, pipe, keys))
			}
			return nil
		})
		return answers, err
	}
	answers, err := ask()
	if isMissingScript(err) {
		if err := versions.Load(ctx, s.client).Err(); err != nil {
			return nil, err
		}
		answers, err = ask()
	}
	if err != nil {
		return nil, err
	}
	at := 0
	for _, answer := range answers {
		texts, err := answer.StringSlice()
		if err != nil || len(texts)%3 != 0 {
			return nil, errAnswer
		}
		for i := 0; i < len(texts); i, at = i+3, at+1 {
			if texts[i] == "" || at >= len(panels) {
				continue
			}
			v, err := parseVersion(texts[i : i+3])
			if err != nil {
				return nil, fmt.Errorf("panel %d: %w", panels[at], err)
			}
			found[panels[at]] = v
		}
	}
	return found, nil
}

func parseVersion(texts []string) (v live.Version, err error) {
	if v.Fence, err = strconv.ParseInt(texts[0], 10, 64); err != nil {
		return v, err
	}
	if v.Seq, err = strconv.ParseInt(texts[1], 10, 64); err != nil {
		return v, err
	}
	var answered int64
	if texts[2] != "" {
		if answered, err = strconv.ParseInt(texts[2], 10, 64); err != nil {
			return v, err
		}
	}
	v.AnsweredAt = instant(answered)
	return v, nil
}
