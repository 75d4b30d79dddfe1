package site

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"dozor/internal/ids"
)

// Objects returns the parts that a panel has, by kind and number.
func (s *Sites) Objects(ctx context.Context, panel ids.PanelID) ([]Object, error) {
	rows, err := s.d.Pool.Query(ctx, `
		SELECT kind, number, name, function, coalesce(partition, 0), coalesce(serial, 0) FROM panel_objects
		WHERE panel_id = $1 AND gone_at IS NULL ORDER BY kind, number LIMIT 2000`, int64(panel))
	if err != nil {
		return nil, fmt.Errorf("list the objects of panel %d: %w", panel, err)
	}
	objects, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Object])
	if err != nil {
		return nil, fmt.Errorf("list the objects of panel %d: %w", panel, err)
	}
	return objects, nil
}

// SaveObjects keeps what a panel calls its parts; it writes only what has changed.
func (s *Sites) SaveObjects(ctx context.Context, panel ids.PanelID, objects []Object) error {
	if err := saveObjects(ctx, s.d.Pool, panel, objects); err != nil {
		return fmt.Errorf("save %d objects of panel %d: %w", len(objects), panel, err)
	}
	return nil
}

type execer interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

func saveObjects(ctx context.Context, to execer, panel ids.PanelID, objects []Object) error {
	kinds, names := make([]string, len(objects)), make([]string, len(objects))
	numbers, functions, partitions, serials := make([]int32, len(objects)), make([]int32, len(objects)), make([]int32, len(objects)), make([]int32, len(objects))
	for i, o := range objects {
		kinds[i], names[i] = o.Kind, o.Name
		numbers[i], functions[i], partitions[i], serials[i] = int32(o.Number), int32(o.Function), int32(o.Partition), int32(o.Serial)
	}
	_, err := to.Exec(ctx, `
		INSERT INTO panel_objects AS o (panel_id, kind, number, name, function, partition, serial)
		SELECT DISTINCT ON (kind, number) $1::bigint, kind, number, name, function, nullif(partition, 0), nullif(serial, 0)
		FROM unnest($2::text[], $3::int[], $4::text[], $5::int[], $6::int[], $7::int[]) WITH ORDINALITY
			AS n (kind, number, name, function, partition, serial, ord)
		ORDER BY kind, number, ord DESC
		ON CONFLICT (panel_id, kind, number) DO UPDATE
		SET name = excluded.name, function = excluded.function, partition = excluded.partition, serial = excluded.serial,
			gone_at = NULL, read_at = dozor_now()
		WHERE (o.name, o.function, o.partition, o.serial, o.gone_at)
			IS DISTINCT FROM (excluded.name, excluded.function, excluded.partition, excluded.serial, NULL)`,
		int64(panel), kinds, numbers, names, functions, partitions, serials)
	return err
}
