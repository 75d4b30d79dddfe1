package site

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"dozor/internal/ids"
	"dozor/internal/secret"
)

// Reach is what it takes to talk to a panel.
type Reach struct {
	SiteID  ids.SiteID
	Address string // host:port
	Code    secret.Redacted
	Key     secret.Redacted // integration key, empty where the module speaks plainly
	// Number grows with every change of the above and of whether the panel is enabled.
	Number int64
}

// Access returns how to reach an enabled panel, its user code and its integration key
// opened; ErrPanelNotFound also for one that is disabled or retired.
func (s *Sites) Access(ctx context.Context, panel ids.PanelID) (Reach, error) {
	found, err := s.AccessAll(ctx, []ids.PanelID{panel})
	if err != nil {
		return Reach{}, err
	}
	r, ok := found[panel]
	if !ok {
		return Reach{}, ErrPanelNotFound
	}
	return r, nil
}

// AccessAll returns what Access does of many panels at once, those that are disabled or
// retired left out. An error may be of some of them: what could be read and opened is
// returned beside it.
func (s *Sites) AccessAll(ctx context.Context, panels []ids.PanelID) (map[ids.PanelID]Reach, error) {
	numbers := make([]int64, len(panels))
	for i, panel := range panels {
		numbers[i] = int64(panel)
	}
	rows, err := s.d.Pool.Query(ctx, `
		SELECT id, site_id, host, port, code_secret, key_secret, reach FROM panels WHERE id = ANY ($1::bigint[]) AND enabled`, numbers)
	if err != nil {
		return nil, fmt.Errorf("read how to reach %d panels: %w", len(panels), err)
	}
	found := make(map[ids.PanelID]Reach, len(panels))
	var failed []error
	var panel ids.PanelID
	var r Reach
	var host string
	var port int
	var sealedCode, sealedKey []byte
	_, err = pgx.ForEachRow(rows, []any{&panel, &r.SiteID, &host, &port, &sealedCode, &sealedKey, &r.Number}, func() error {
		code, err := s.d.Keyring.Open(sealedCode)
		if err != nil {
			failed = append(failed, fmt.Errorf("open the code of panel %d: %w", panel, err))
			return nil
		}
		if r.Key, err = s.reopen(sealedKey, false); err != nil {
			failed = append(failed, fmt.Errorf("open the integration key of panel %d: %w", panel, err))
			return nil
		}
		r.Address = net.JoinHostPort(host, strconv.Itoa(port))
		r.Code = secret.Redacted(code)
		found[panel] = r
		return nil
	})
	if err != nil {
		failed = append(failed, fmt.Errorf("read how to reach %d panels: %w", len(panels), err))
	}
	return found, errors.Join(failed...)
}

// Moved returns which panels are reached otherwise than under the number given, or not at
// all any more.
func (s *Sites) Moved(ctx context.Context, held map[ids.PanelID]int64) ([]ids.PanelID, error) {
	panels, numbers := make([]int64, 0, len(held)), make([]int64, 0, len(held))
	for panel, number := range held {
		panels, numbers = append(panels, int64(panel)), append(numbers, number)
	}
	rows, err := s.d.Pool.Query(ctx, `
		SELECT h.id FROM unnest($1::bigint[], $2::bigint[]) AS h (id, reach) LEFT JOIN panels p ON p.id = h.id AND p.enabled
		WHERE p.reach IS DISTINCT FROM h.reach`, panels, numbers)
	if err != nil {
		return nil, fmt.Errorf("look which of %d panels have moved: %w", len(held), err)
	}
	moved, err := pgx.CollectRows(rows, pgx.RowTo[ids.PanelID])
	if err != nil {
		return nil, fmt.Errorf("look which of %d panels have moved: %w", len(held), err)
	}
	return moved, nil
}

// At returns the enabled panel at an address, and false where there is none.
func (s *Sites) At(ctx context.Context, host string, port int) (Panel, bool, error) {
	panels, err := s.panels(ctx, "WHERE p.host = $1 AND p.port = $2 AND p.enabled", tidyHost(host), port)
	if err != nil {
		return Panel{}, false, fmt.Errorf("look for a panel at an address: %w", err)
	}
	if len(panels) == 0 {
		return Panel{}, false, nil
	}
	return panels[0], true, nil
}

// tidyHost is how hosts are stored, so that one address is not taken for two.
func tidyHost(host string) string {
	return strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(host), "["), "]"))
}
