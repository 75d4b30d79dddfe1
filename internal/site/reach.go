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

// Access returns how to reach an enabled panel, its user code and its
// integration key opened; ErrPanelNotFound
// also for one that is disabled or retired.
func (s *Sites) Access(ctx context.Context, panel ids.PanelID) (Reach, error) {
	var r Reach
	var host string
	var port int
	var sealed, sealedKey []byte
	err := s.d.Pool.QueryRow(ctx, "SELECT site_id, host, port, code_secret, key_secret, reach FROM panels WHERE id = $1 AND enabled", int64(panel)).
		Scan(&r.SiteID, &host, &port, &sealed, &sealedKey, &r.Number)
	if errors.Is(err, pgx.ErrNoRows) {
		return Reach{}, ErrPanelNotFound
	}
	if err != nil {
		return Reach{}, fmt.Errorf("read how to reach panel %d: %w", panel, err)
	}
	code, err := s.d.Keyring.Open(sealed)
	if err != nil {
		return Reach{}, fmt.Errorf("open the code of panel %d: %w", panel, err)
	}
	if r.Key, err = s.reopen(sealedKey, false); err != nil {
		return Reach{}, fmt.Errorf("open the integration key of panel %d: %w", panel, err)
	}
	r.Address = net.JoinHostPort(host, strconv.Itoa(port))
	r.Code = secret.Redacted(code)
	return r, nil
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
