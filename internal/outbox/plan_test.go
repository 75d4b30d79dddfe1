package outbox_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"dozor/internal/outbox"
)

type explained struct {
	Plan plan `json:"Plan"`
}

type plan struct {
	Node     string `json:"Node Type"`
	Index    string `json:"Index Name"`
	Relation string `json:"Relation Name"`
	Hit      int64  `json:"Shared Hit Blocks"`
	Read     int64  `json:"Shared Read Blocks"`
	Plans    []plan `json:"Plans"`
}

func (p plan) walk(visit func(plan)) {
	visit(p)
	for _, c := range p.Plans {
		c.walk(visit)
	}
}

// explainStamp runs the relay's statement for a few waiting rows and takes it back.
func explainStamp(t *testing.T, b *bundle, floor int64) plan {
	var e []explained
	err := pgx.BeginFunc(context.Background(), b.Pool, func(tx pgx.Tx) error {
		if err := outbox.Append(context.Background(), tx, note(1), note(2)); err != nil {
			return err
		}
		var text []byte
		if err := tx.QueryRow(context.Background(), "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "+outbox.StampRows,
			int64(9), int64(1), floor, 500, int64(0)).Scan(&text); err != nil {
			return err
		}
		if err := json.Unmarshal(text, &e); err != nil {
			return err
		}
		return tx.Rollback(context.Background())
	})
	require.ErrorIs(t, err, pgx.ErrTxClosed)
	require.Len(t, e, 1)
	return e[0].Plan
}

func TestStampDoesNotWalkOverWhatIsStamped(t *testing.T) {
	t.Parallel()
	b := setup(t)
	old, err := b.Owner.BeginTx(context.Background(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	require.NoError(t, err)
	defer old.Rollback(context.Background())
	_, err = old.Exec(context.Background(), "SELECT count(*) FROM outbox") // an old snapshot from here on
	require.NoError(t, err)

	r := b.relay()
	for range 10 {
		b.fill(10000)
		require.Equal(t, 10000, b.stampAll(r))
	}
	b.Exec(t, "ANALYZE outbox")
	require.Greater(t, r.Floor(), int64(90000), "the floor follows, though the snapshot is old")

	with, without := explainStamp(t, b, r.Floor()), explainStamp(t, b, 0)
	t.Logf("pages touched with the floor: %d, without: %d", with.Hit+with.Read, without.Hit+without.Read)
	with.walk(func(p plan) {
		if p.Relation == "outbox" && p.Node != "ModifyTable" {
			require.Contains(t, []string{"outbox_unstamped_idx", "outbox_pkey"}, p.Index, "%s on outbox", p.Node)
		}
	})
	require.Less(t, with.Hit+with.Read, int64(500))
	require.Greater(t, without.Hit+without.Read, int64(2000), "else this test proves nothing")
}
