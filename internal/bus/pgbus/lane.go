package pgbus

import (
	"fmt"
	"strings"

	"dozor/internal/bus"
)

// Channel is where a hint says that a lane has new messages.
func Channel(lane bus.Lane) string { return "dozor_bus_" + string(lane) }

// lockSpace is the first half of the advisory locks' keys, "doz" and a version.
const lockSpace = 0x646f7a01

// lane has the statements of one lane. Tables can't be parameters, so the statements
// are made once, from the names in this file and nothing else.
type lane struct {
	name    bus.Lane
	lockKey int32
	tables  [2]string

	insert [2]string
	load   string
	scan   string
	holes  string
	fetch  string
	settle string
	turn   string
	move   [2]string
	lock   [2]string
	check  string
	empty  [2]string
	depth  string
	oldest string
}

var lanes = map[bus.Lane]*lane{
	bus.Live:     newLane(bus.Live, 0),
	bus.Backfill: newLane(bus.Backfill, 1),
}

func newLane(name bus.Lane, lockKey int32) *lane {
	l := &lane{name: name, lockKey: lockKey}
	common := []string{"{lane}", string(name), "{ids}", "bus_" + string(name) + "_ids"}
	for n := range l.tables {
		l.tables[n] = fmt.Sprintf("bus_%s_%d", name, n)
		common = append(common, fmt.Sprintf("{t%d}", n), l.tables[n])
	}
	fill := func(sql string) string { return strings.NewReplacer(common...).Replace(sql) }
	into := func(n int, sql string) string {
		return strings.NewReplacer("{table}", l.tables[n], "{other}", l.tables[1-n]).Replace(fill(sql))
	}

	// The condition is what gives the transaction its id before the first nextval: the
	// scan below the projection is not begun before it was evaluated.
	const insert = `
WITH added AS (
    INSERT INTO {table} (key, topic, trace, body)
    SELECT key, topic, trace, body
    FROM unnest($1::bytea[], $2::text[], $3::text[], $4::bytea[]) AS m (key, topic, trace, body)
    WHERE pg_current_xact_id() IS NOT NULL
)
SELECT writing FROM bus_lanes WHERE lane = '{lane}'`

	l.load = fill(`
SELECT settled, writing,
    (SELECT seqcache FROM pg_sequence WHERE seqrelid = '{ids}'::regclass),
    (SELECT count(*) FROM (SELECT FROM {t0} LIMIT $1) AS r), (SELECT count(*) FROM (SELECT FROM {t1} LIMIT $1) AS r)
FROM bus_lanes WHERE lane = '{lane}'`)

	l.scan = fill(`
(SELECT 0::smallint AS place, id, key, topic, trace, body FROM {t0} WHERE id > $1 ORDER BY id LIMIT $2)
UNION ALL
(SELECT 1::smallint, id, key, topic, trace, body FROM {t1} WHERE id > $1 ORDER BY id LIMIT $2)
ORDER BY id LIMIT $2`)

	l.holes = fill(`
SELECT r.place, r.id, r.key, r.topic, r.trace, r.body
FROM unnest($1::bigint[], $2::bigint[]) AS h (low, high)
CROSS JOIN LATERAL (
    (SELECT 0::smallint AS place, id, key, topic, trace, body FROM {t0} WHERE id BETWEEN h.low AND h.high)
    UNION ALL
    (SELECT 1::smallint, id, key, topic, trace, body FROM {t1} WHERE id BETWEEN h.low AND h.high)
) AS r
LIMIT $3`)

	l.fetch = fill(`
SELECT 0::smallint, id, key, topic, trace, body FROM {t0} WHERE id = ANY ($1::bigint[])
UNION ALL
SELECT 1::smallint, id, key, topic, trace, body FROM {t1} WHERE id = ANY ($1::bigint[])`)

	l.settle = fill(`UPDATE bus_lanes SET settled = $1 WHERE lane = '{lane}' AND settled < $1`)

	l.turn = fill(`
UPDATE bus_lanes SET writing = $1::smallint, turns = turns + 1
WHERE lane = '{lane}' AND writing <> $1::smallint
    AND NOT EXISTS (SELECT FROM {t0} WHERE $1::smallint = 0) AND NOT EXISTS (SELECT FROM {t1} WHERE $1::smallint = 1)`)

	// Ids here are taken by name, so that each copy can be told from the others; the
	// condition comes first again.
	const move = `
WITH copies AS MATERIALIZED (
    SELECT r.id AS old_id, nextval('{ids}') AS id, key, topic, trace, body, put_at
    FROM (
        SELECT * FROM {t0} WHERE id = ANY ($1::bigint[]) AND pg_current_xact_id() IS NOT NULL
        UNION ALL
        SELECT * FROM {t1} WHERE id = ANY ($1::bigint[]) AND pg_current_xact_id() IS NOT NULL
    ) AS r
), added AS (
    INSERT INTO {table} (id, key, topic, trace, body, put_at) SELECT id, key, topic, trace, body, put_at FROM copies
)
SELECT old_id, id FROM copies`

	// Nobody writes into a table that is locked so, and whoever did has committed or
	// rolled back: what this sees is all that there is.
	l.check = fill(`
SELECT EXISTS (SELECT FROM {t0} WHERE $1 = 0 AND id > $2) OR EXISTS (SELECT FROM {t1} WHERE $1 = 1 AND id > $2)
    OR EXISTS (SELECT FROM {t0} JOIN unnest($3::bigint[], $4::bigint[]) AS h (low, high) ON id BETWEEN low AND high WHERE $1 = 0)
    OR EXISTS (SELECT FROM {t1} JOIN unnest($3::bigint[], $4::bigint[]) AS h (low, high) ON id BETWEEN low AND high WHERE $1 = 1)`)

	l.depth = fill(`
SELECT (SELECT count(*) FROM {t0} WHERE id > b.settled) + (SELECT count(*) FROM {t1} WHERE id > b.settled)
FROM bus_lanes b WHERE lane = '{lane}'`)

	// The first row above the mark is not settled; every message below it is.
	l.oldest = fill(`
SELECT coalesce(extract(epoch FROM clock_timestamp() - min(first.put_at)), 0)::double precision
FROM bus_lanes b CROSS JOIN LATERAL (
    (SELECT put_at FROM {t0} WHERE id > b.settled ORDER BY id LIMIT 1)
    UNION ALL
    (SELECT put_at FROM {t1} WHERE id > b.settled ORDER BY id LIMIT 1)
) AS first
WHERE lane = '{lane}'`)

	for n := range l.tables {
		l.insert[n] = into(n, insert)
		l.move[n] = into(n, move)
		l.lock[n] = into(n, `LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE`)
		l.empty[n] = into(n, `TRUNCATE {table}`)
	}
	return l
}
