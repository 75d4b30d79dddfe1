package pg_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"dozor/internal/pg"
	"dozor/internal/testkit"
)

// A process that is stopped in the middle of a transaction keeps nobody waiting for long.
func TestTransactionThatStandsStillLosesItsLocks(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	lock := func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "SELECT FROM stream_head FOR UPDATE")
		return err
	}
	locked, taken, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- db.Pool.InTx(ctx, func(tx pgx.Tx) error {
			if err := lock(tx); err != nil {
				return err
			}
			close(locked)
			<-taken
			_, err := tx.Exec(ctx, "UPDATE stream_head SET last = last + 1")
			return err
		})
	}()
	<-locked
	err := db.Direct.InTx(ctx, lock)
	close(taken)
	require.NoError(t, err)
	err = <-ended
	require.Error(t, err)
	require.True(t, pg.IsTemporary(err), "the work is done again: %v", err)
	require.Zero(t, testkit.One[int](t, db, "SELECT last FROM stream_head"))
}
