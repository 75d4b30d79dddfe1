-- +goose Up

-- The PostgreSQL bus. Each lane has two append-only tables that take turns: writers
-- fill one while the reader drains the other, which is then truncated. Deleting rows
-- one by one falls to a tenth of the speed under a single old snapshot; truncating
-- does not care. Both tables of a lane share one sequence: an id says the order of
-- coming, and a missing one says that somebody has not committed yet, or never will.
CREATE TABLE bus_lanes (
    lane    text CONSTRAINT bus_lanes_pkey PRIMARY KEY,
    writing smallint NOT NULL DEFAULT 0 CONSTRAINT bus_lanes_writing_known CHECK (writing IN (0, 1)),
    settled bigint NOT NULL DEFAULT 0, -- every id up to it is settled or will never exist
    turns   bigint NOT NULL DEFAULT 0
);
INSERT INTO bus_lanes (lane) VALUES ('live'), ('backfill');

CREATE SEQUENCE bus_live_ids;
CREATE SEQUENCE bus_backfill_ids;

CREATE TABLE bus_live_0 (
    id    bigint NOT NULL DEFAULT nextval('bus_live_ids') CONSTRAINT bus_live_0_pkey PRIMARY KEY,
    key   bytea NOT NULL,
    topic text NOT NULL,
    trace text NOT NULL DEFAULT '',
    body  bytea NOT NULL
);
CREATE TABLE bus_live_1 (
    id    bigint NOT NULL DEFAULT nextval('bus_live_ids') CONSTRAINT bus_live_1_pkey PRIMARY KEY,
    key   bytea NOT NULL,
    topic text NOT NULL,
    trace text NOT NULL DEFAULT '',
    body  bytea NOT NULL
);
CREATE TABLE bus_backfill_0 (
    id    bigint NOT NULL DEFAULT nextval('bus_backfill_ids') CONSTRAINT bus_backfill_0_pkey PRIMARY KEY,
    key   bytea NOT NULL,
    topic text NOT NULL,
    trace text NOT NULL DEFAULT '',
    body  bytea NOT NULL
);
CREATE TABLE bus_backfill_1 (
    id    bigint NOT NULL DEFAULT nextval('bus_backfill_ids') CONSTRAINT bus_backfill_1_pkey PRIMARY KEY,
    key   bytea NOT NULL,
    topic text NOT NULL,
    trace text NOT NULL DEFAULT '',
    body  bytea NOT NULL
);
GRANT TRUNCATE ON bus_live_0, bus_live_1, bus_backfill_0, bus_backfill_1 TO dozor_app;
