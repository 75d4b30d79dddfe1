package site

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"dozor/internal/access"
	"dozor/internal/audit"
	"dozor/internal/ids"
)

// Address is where a panel answers.
type Address struct {
	Host string
	Port int
}

// Readdress points panels to new addresses, all at once: they may exchange theirs. Panels
// that are not named are disabled, those named enabled.
func (s *Sites) Readdress(ctx context.Context, by access.Principal, to map[ids.PanelID]Address) error {
	numbers, hosts, ports := make([]int64, 0, len(to)), make([]string, 0, len(to)), make([]int32, 0, len(to))
	for id, a := range to {
		numbers, hosts, ports = append(numbers, int64(id)), append(hosts, a.Host), append(ports, int32(a.Port))
	}
	err := s.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		// Addresses are unique row by row; a host that nobody can have makes way first.
		_, err := tx.Exec(ctx, `
			UPDATE panels SET host = 'panel ' || id, enabled = id = ANY ($1), version = version + 1, reach = reach + 1
			WHERE retired_at IS NULL`, numbers)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			UPDATE panels p SET host = n.host, port = n.port
			FROM unnest($1::bigint[], $2::text[], $3::int[]) AS n (id, host, port) WHERE p.id = n.id AND p.retired_at IS NULL`, numbers, hosts, ports)
		if err != nil {
			return err
		}
		entry := audit.By(by, "panel.readdress", "panel", "all")
		entry.Details = map[string]any{"panels": len(to)}
		return s.d.Audit.Append(ctx, tx, entry)
	})
	if err != nil {
		return fmt.Errorf("point %d panels to new addresses: %w", len(to), err)
	}
	return nil
}
