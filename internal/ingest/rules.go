package ingest

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"dozor/internal/event"
	"dozor/internal/pg"
)

// rulesSource names where the rules come from.
const rulesSource = "satel event table"

// InstallRules makes the rules that come with the program a version in the database,
// unless they are one already, and returns them with its number. Several may start at once.
func InstallRules(ctx context.Context, pool *pg.Pool) (*event.Rules, error) {
	rules := event.Shipped()
	digest := rules.Digest()
	var version int
	err := pool.InTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockRuleVersions); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, findRuleVersion, digest[:]).Scan(&version)
		if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if err := tx.QueryRow(ctx, insertRuleVersion, rulesSource, digest[:]).Scan(&version); err != nil {
			return err
		}
		return insertRules(ctx, tx, version, rules.List())
	})
	if err != nil {
		return nil, fmt.Errorf("install the event rules: %w", err)
	}
	return rules.Installed(version), nil
}

const (
	lockRuleVersions  = `SELECT pg_advisory_xact_lock(hashtext('dozor_event_rules'))`
	findRuleVersion   = `SELECT version FROM event_rule_versions WHERE digest = $1`
	insertRuleVersion = `
INSERT INTO event_rule_versions (version, source, digest)
SELECT coalesce(max(version), 0) + 1, $1, $2 FROM event_rule_versions RETURNING version`
	insertRuleRows = `
INSERT INTO event_rules (version, code, restore, kind, category, priority, raises)
SELECT $1, * FROM unnest($2::int[], $3::boolean[], $4::text[], $5::text[], $6::smallint[], $7::boolean[])`
)

func insertRules(ctx context.Context, tx pgx.Tx, version int, rules []event.Rule) error {
	n := len(rules)
	codes, restores, kinds := make([]int32, n), make([]bool, n), make([]string, n)
	categories, priorities, raises := make([]string, n), make([]int16, n), make([]bool, n)
	for i, r := range rules {
		codes[i], restores[i], kinds[i] = int32(r.Code), r.Restore, string(r.Kind)
		categories[i], priorities[i], raises[i] = r.Category, int16(r.Priority), r.Raises
	}
	_, err := tx.Exec(ctx, insertRuleRows, version, codes, restores, kinds, categories, priorities, raises)
	return err
}
