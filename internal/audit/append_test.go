package audit_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"dozor/internal/access"
	"dozor/internal/audit"
	"dozor/internal/pg"
	"dozor/internal/secret"
	"dozor/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestAppendKeepsPersonalValuesApart(t *testing.T) {
	t.Parallel()
	for _, pooled := range []bool{false, true} {
		db := testkit.DB(t)
		pool, err := pg.Open(t.Context(), db.AppURL, pg.Options{MaxConns: 2, Pooled: pooled})
		require.NoError(t, err)
		t.Cleanup(pool.Close)
		ring, err := secret.ParseKeyring(secret.GenerateKey())
		require.NoError(t, err)
		log := audit.New(ring, "api-1")
		ctx := access.WithRequestID(t.Context(), "req-7")

		entry := audit.By(access.Principal{UserID: 12, Role: access.Operator, Name: "Anna Nowak"}, "alarm.note", "alarm", 5)
		entry.Details = map[string]any{"version": 3}
		entry.Personal = map[string]string{"text": "called Jan, 600 100 200", "nothing": ""}
		require.NoError(t, pool.InTx(ctx, func(tx pgx.Tx) error { return log.Append(ctx, tx, entry) }))

		var (
			actorID                                int64
			actor, act, subject, instance, request string
			details                                map[string]any
			id                                     int64
		)
		require.NoError(t, pool.QueryRow(ctx, `SELECT id, actor_id, actor, act, subject_type || subject_id, instance, request_id, details FROM audit`).
			Scan(&id, &actorID, &actor, &act, &subject, &instance, &request, &details))
		require.Equal(t, []any{int64(12), "operator", "alarm.note", "alarm5", "api-1", "req-7"}, []any{actorID, actor, act, subject, instance, request})
		whole, err := json.Marshal(details)
		require.NoError(t, err)
		require.NotContains(t, string(whole), "Jan")
		require.Equal(t, 3.0, details["version"])
		require.NotContains(t, details, "nothing")

		var field, value string
		var salt []byte
		require.NoError(t, pool.QueryRow(ctx, "SELECT field, salt, value FROM audit_values WHERE audit_id = $1", id).Scan(&field, &salt, &value))
		require.Equal(t, "called Jan, 600 100 200", value)
		key := ring.Derive("audit-values")
		require.Equal(t, audit.Fingerprint(key, salt, field, value), details["text"], "the value kept apart proves the entry")
		require.NotEqual(t, audit.Fingerprint(key, salt, field, value+"."), details["text"])
		require.NotEqual(t, audit.Fingerprint(key, salt, "other", value), details["text"])
	}
}

func TestAppendIsPartOfTheAct(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	ring, err := secret.ParseKeyring(secret.GenerateKey())
	require.NoError(t, err)
	log := audit.New(ring, "")
	broken := errors.New("the act failed")
	err = db.Pool.InTx(t.Context(), func(tx pgx.Tx) error {
		e := audit.ByRule("sweeper", "command.expired", "command", "x")
		e.Personal = map[string]string{"name": "Jan"}
		if err := log.Append(t.Context(), tx, e); err != nil {
			return err
		}
		return broken
	})
	require.ErrorIs(t, err, broken)
	require.Zero(t, testkit.One[int](t, db, "SELECT count(*) FROM audit"))
	require.Zero(t, testkit.One[int](t, db, "SELECT count(*) FROM audit_values"))
}

func TestAppendRefusesAnEntryThatSaysNothing(t *testing.T) {
	t.Parallel()
	ring, err := secret.ParseKeyring(secret.GenerateKey())
	require.NoError(t, err)
	log := audit.New(ring, "")
	for _, e := range []audit.Entry{
		{}, {Actor: "x", SubjectType: "alarm"}, {Act: "x", SubjectType: "alarm"}, {Act: "x", Actor: "x"},
	} {
		require.Error(t, log.Append(t.Context(), nil, e))
	}
}
