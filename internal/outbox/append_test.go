package outbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"dozor/internal/outbox"
	"dozor/internal/pg"
	"dozor/internal/testkit"
	"dozor/internal/wire"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestAppendKeepsOrderAndEveryColumn(t *testing.T) {
	t.Parallel()
	for _, pooled := range []bool{false, true} {
		db := testkit.DB(t)
		pool, err := pg.Open(t.Context(), db.AppURL, pg.Options{MaxConns: 2, Pooled: pooled})
		require.NoError(t, err)
		t.Cleanup(pool.Close)
		answered := time.Date(2026, 11, 24, 1, 2, 3, 456000000, time.UTC)
		require.NoError(t, pool.InTx(t.Context(), func(tx pgx.Tx) error {
			return outbox.Append(t.Context(), tx,
				outbox.Row{
					Lane: outbox.Backfill, SiteID: 7, Audience: "admins", Type: wire.AlarmNew, Version: 3, Ring: 2,
					Data: json.RawMessage(`{"alarm":{"id":1}}`), Trace: "abc", AnsweredAt: answered,
				},
				outbox.Row{Type: wire.AccessChanged, Data: map[string]int{"user_id": 4}})
		}))
		rows, err := pool.Query(t.Context(), `SELECT lane, coalesce(site_id, 0), audience, type, version, ring, data::text, trace,
			coalesce(answered_at, 'epoch'), position IS NULL AND epoch IS NULL FROM outbox ORDER BY id`)
		require.NoError(t, err)
		type row struct {
			Lane          int16
			Site          int64
			Audience, Typ string
			Version       int64
			Ring          int
			Data, Trace   string
			Answered      time.Time
			Unstamped     bool
		}
		got, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
		require.NoError(t, err)
		for i := range got {
			got[i].Answered = got[i].Answered.UTC()
		}
		require.Equal(t, []row{
			{1, 7, "admins", "alarm.new", 3, 2, `{"alarm":{"id":1}}`, "abc", answered, true},
			{0, 0, "operators", "access.changed", 0, 0, `{"user_id":4}`, "", time.Unix(0, 0).UTC(), true},
		}, got)
	}
}

func TestAppendWithoutCommitLeavesNothing(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	broken := errors.New("the act failed")
	err := db.Pool.InTx(t.Context(), func(tx pgx.Tx) error {
		if err := outbox.Append(t.Context(), tx, outbox.Row{Type: wire.AlarmNew, Data: 1}); err != nil {
			return err
		}
		return broken
	})
	require.ErrorIs(t, err, broken)
	require.Zero(t, testkit.One[int](t, db, "SELECT count(*) FROM outbox"))
}

func TestAppendRefusesWhatIsNoNotification(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]outbox.Row{
		"no type":   {Data: 1},
		"no data":   {Type: wire.AlarmNew},
		"bad data":  {Type: wire.AlarmNew, Data: func() {}},
		"not JSON ": {Type: wire.AlarmNew, Data: json.RawMessage("{")},
	} {
		require.Error(t, outbox.Append(context.Background(), nil, row), name)
	}
}
