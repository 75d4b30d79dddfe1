-- +goose NO TRANSACTION
-- +goose Up

-- Indexes of the desk's lists, built beside the work: without a transaction around them,
-- each statement can be run again after one that broke off.

-- The queue: priority, confirmed first, then the oldest. It takes the place of
-- alarms_open_idx, whose order was another one.
DROP INDEX CONCURRENTLY IF EXISTS alarms_queue_idx;
CREATE INDEX CONCURRENTLY alarms_queue_idx ON alarms (priority, (confirmed_at IS NULL), opened_at, id) WHERE state <> 'closed';
DROP INDEX CONCURRENTLY IF EXISTS alarms_open_idx;

-- What was, from the newest.
DROP INDEX CONCURRENTLY IF EXISTS alarms_opened_idx;
CREATE INDEX CONCURRENTLY alarms_opened_idx ON alarms (opened_at DESC, id DESC);
DROP INDEX CONCURRENTLY IF EXISTS alarms_kind_opened_idx;
CREATE INDEX CONCURRENTLY alarms_kind_opened_idx ON alarms (kind, opened_at DESC, id DESC);

-- Events by what is rare among them; what is frequent is found on the way through all.
-- A partitioned table can't have its indexes built concurrently: each month gets its own
-- in a transaction of its own, so that ingest waits for one month at most, then the
-- parents take them over.
-- +goose StatementBegin
DO $$
DECLARE
    wanted record;
    part   record;
    name   text;
BEGIN
    FOR wanted IN SELECT * FROM (VALUES
        ('kind', 'kind, id DESC', 'true'),
        ('urgent', 'priority, id DESC', 'priority <= 4'),
        ('source', 'source, id DESC', 'source <> ''panel''')) AS w (label, columns, predicate)
    LOOP
        IF to_regclass('events_' || wanted.label || '_idx') IS NULL THEN
            EXECUTE format('CREATE INDEX %I ON ONLY events (%s) WHERE %s', 'events_' || wanted.label || '_idx', wanted.columns, wanted.predicate);
            COMMIT;
        END IF;
        FOR part IN
            SELECT c.oid::regclass AS relation, c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = 'events'::regclass AND NOT EXISTS (
                SELECT FROM pg_index x JOIN pg_inherits attached ON attached.inhrelid = x.indexrelid
                WHERE x.indrelid = c.oid AND attached.inhparent = ('events_' || wanted.label || '_idx')::regclass)
            ORDER BY c.relname
        LOOP
            name := part.relname || '_' || wanted.label || '_idx';
            EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %s (%s) WHERE %s', name, part.relation, wanted.columns, wanted.predicate);
            EXECUTE format('ALTER INDEX %I ATTACH PARTITION %I', 'events_' || wanted.label || '_idx', name);
            COMMIT;
        END LOOP;
    END LOOP;
END $$;
-- +goose StatementEnd
