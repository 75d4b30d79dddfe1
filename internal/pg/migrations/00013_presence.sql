-- +goose Up

-- Who sits where, as API instances say it every two seconds. It is true only while it
-- is said: what a crash takes is said again, so nothing of it is logged, and a row that
-- was not refreshed for ten seconds counts as gone.
CREATE UNLOGGED TABLE desks (
    instance  text NOT NULL,
    seat      bigint NOT NULL, -- a connection of the instance
    id        uuid NOT NULL,   -- the window's own
    user_id   bigint NOT NULL,
    can_sound boolean NOT NULL,
    visible   boolean NOT NULL,
    alarm_id  bigint,
    since     timestamptz NOT NULL DEFAULT dozor_now(),
    seen_at   timestamptz NOT NULL DEFAULT dozor_now(),
    CONSTRAINT desks_pkey PRIMARY KEY (instance, seat)
) WITH (fillfactor = 50);

-- When a desk that can sound was last there; kept, so that an instance that has just
-- started knows it too.
CREATE TABLE desk_watch (
    only_row    boolean CONSTRAINT desk_watch_pkey PRIMARY KEY DEFAULT true CONSTRAINT desk_watch_one_row CHECK (only_row),
    sounding_at timestamptz
) WITH (fillfactor = 50);
INSERT INTO desk_watch DEFAULT VALUES;

-- What is wrong with the station itself. The row comes first and decides who found it,
-- so that a crash before the event is on the bus only says it again, under the same key.
CREATE TABLE station_faults (
    id         bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT station_faults_pkey PRIMARY KEY,
    code       text NOT NULL
        CONSTRAINT station_faults_code_known CHECK (code IN ('nobody_watches', 'ingest_late', 'relay_late', 'worker_gone', 'database_slow')),
    since      timestamptz NOT NULL, -- true from then on
    found_at   timestamptz NOT NULL DEFAULT dozor_now(),
    seen_at    timestamptz NOT NULL DEFAULT dozor_now(), -- last true, to any instance
    ended_at   timestamptz,
    detail     text NOT NULL DEFAULT '',
    begin_said boolean NOT NULL DEFAULT false,
    end_said   boolean NOT NULL DEFAULT false,
    CONSTRAINT station_faults_ends_after_it_began CHECK (ended_at >= found_at)
);
CREATE UNIQUE INDEX station_faults_open_key ON station_faults (code) WHERE ended_at IS NULL;
CREATE INDEX station_faults_unsaid_idx ON station_faults (id) WHERE NOT begin_said OR (ended_at IS NOT NULL AND NOT end_said);

-- How long a message has been waiting. Without a value for what waits already: a default
-- that is only set changes the catalogue and rewrites nothing. The plain clock, since
-- every message pays for it and only ages are read.
ALTER TABLE bus_live_0 ADD COLUMN put_at timestamptz;
ALTER TABLE bus_live_0 ALTER COLUMN put_at SET DEFAULT clock_timestamp();
ALTER TABLE bus_live_1 ADD COLUMN put_at timestamptz;
ALTER TABLE bus_live_1 ALTER COLUMN put_at SET DEFAULT clock_timestamp();
ALTER TABLE bus_backfill_0 ADD COLUMN put_at timestamptz;
ALTER TABLE bus_backfill_0 ALTER COLUMN put_at SET DEFAULT clock_timestamp();
ALTER TABLE bus_backfill_1 ADD COLUMN put_at timestamptz;
ALTER TABLE bus_backfill_1 ALTER COLUMN put_at SET DEFAULT clock_timestamp();
