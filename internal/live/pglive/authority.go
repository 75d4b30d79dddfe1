package pglive

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/pg"
)

// Granter names a store of leases, as lease_authority does.
type Granter string

// The stores that can grant leases.
const (
	Postgres Granter = "postgres"
	Redis    Granter = "redis"
)

// quietFor is how long nobody may have complained of Redis before it grants leases again:
// breakers are of a process, and two that disagree must not move the leases to and fro.
const quietFor = time.Minute

// Authority says which store grants leases. There is one row of it, and what is granted
// is checked against that row in the statement that grants.
type Authority struct {
	pool *pg.Pool
}

// NewAuthority makes it.
func NewAuthority(pool *pg.Pool) *Authority { return &Authority{pool: pool} }

// Mandate is what the row says.
type Mandate struct {
	Granter Granter
	// Epoch grows with each move.
	Epoch int64
}

// Mandate reads which store grants.
func (a *Authority) Mandate(ctx context.Context) (Mandate, error) {
	var m Mandate
	if err := a.pool.QueryRow(ctx, "SELECT store, epoch FROM lease_authority").Scan(&m.Granter, &m.Epoch); err != nil {
		return m, fmt.Errorf("read which store grants leases: %w", err)
	}
	return m, nil
}

// Nobody is granted anything for a while: a holder may have renewed in the old store a
// moment ago, and trusts that. Where nobody holds anything there is nothing to wait for,
// nor for a panel whose last holder has given it back.
const move = `
UPDATE lease_authority SET store = $2, epoch = epoch + 1, moved_at = dozor_now(),
    grant_after = CASE WHEN EXISTS (SELECT FROM leases WHERE holder <> '') THEN dozor_now() + $3::interval ELSE dozor_now() END
WHERE epoch = $1 AND store <> $2 AND ($2 = 'postgres' OR complained_at < dozor_now() - $4::interval)
RETURNING store, epoch`

// Move makes another store the one that grants, if the mandate is still the one given.
// For the time given only panels that were given back are granted. To Redis it moves only
// after nobody has complained of it for a minute. It returns the mandate that stands now.
func (a *Authority) Move(ctx context.Context, from Mandate, to Granter, wait time.Duration) (Mandate, error) {
	var m Mandate
	err := a.pool.QueryRow(ctx, move, from.Epoch, string(to), wait, quietFor).Scan(&m.Granter, &m.Epoch)
	if errors.Is(err, pgx.ErrNoRows) {
		return a.Mandate(ctx)
	}
	if err != nil {
		return m, fmt.Errorf("let %s grant leases: %w", to, err)
	}
	return m, nil
}

// Complain says that this process can't use Redis for leases.
func (a *Authority) Complain(ctx context.Context) error {
	// Others say the same at the same time: once in five seconds is enough.
	_, err := a.pool.Exec(ctx, "UPDATE lease_authority SET complained_at = dozor_now() WHERE complained_at < dozor_now() - interval '5 s'")
	if err != nil {
		return fmt.Errorf("say that Redis can't be used for leases: %w", err)
	}
	return nil
}
