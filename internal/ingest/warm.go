package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/alarm"
	"dozor/internal/timer"
)

// Conns is how many connections Run uses at most over so many buses: one for each of its
// goroutines that meet the database, so that an alarm on one bus waits for no batch of
// another.
func Conns(buses int) int32 {
	n := 1 // who purges
	for _, of := range workers {
		n += of * buses
	}
	return int32(n)
}

// errWarm ends the transaction of Warm, which has nothing to keep.
var errWarm = errors.New("nothing to keep")

// Warm readies a connection for Deps.Pool: every statement of a batch is parsed and
// planned, over no rows. The first alarm of a quiet night then costs what the second
// one does, a third of what it would on a new connection. Plans don't depend on what is
// asked here, so that one serves all.
func Warm(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.Exec(ctx, "SET plan_cache_mode = force_generic_plan"); err != nil {
		return fmt.Errorf("ready a connection for ingest: %w", err)
	}
	now := time.Now()
	none := &work{now: now}
	rows, acts, opened := []int64{}, &actionColumns{}, &alarmColumns{}
	batch := &pgx.Batch{}
	batch.Queue(findPlaces, rows, rows, rows)
	batch.Queue(findLetters, [][]byte{})
	batch.Queue(insertKeys, [][]byte{}, []string{})
	batch.Queue(lockSites, rows)
	batch.Queue(loadMatches, rows, rows, now, now)
	batch.Queue(loadAlarms, rows, rows, []string{}, rows, []string{}, rows, rows, now, now)
	batch.Queue(databaseNow)
	batch.Queue(loadNames, rows, []string{}, []int32{})
	batch.Queue(nextNumbers, 0)
	batch.Queue(updateAlarms, append(opened.common(), rows)...)
	batch.Queue(timer.ClearUnlocked, alarm.WakeTimer, []string{})
	batch.Queue(insertAlarms, append(append(opened.common(), opened.fixed()...), now)...)
	batch.Queue(insertActions, acts.alarms, acts.acts, acts.states, acts.versions, now)
	batch.Queue(insertEvents, none.eventColumns()...)
	batch.Queue(insertMatches, rows, []string{}, []int32{}, []int32{}, []string{}, []string{}, rows, []time.Time{})
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if err := tx.SendBatch(ctx, batch).Close(); err != nil {
			return err
		}
		return errWarm
	})
	if err != nil && !errors.Is(err, errWarm) {
		return fmt.Errorf("ready a connection for ingest: %w", err)
	}
	return nil
}
