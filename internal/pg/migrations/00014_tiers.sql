-- +goose Up

-- Which store grants leases. A change waits: until grant_after nobody is granted anything,
-- so that every holder has renewed in the new store, or has ceased to trust its lease.
-- Whoever can't use Redis says so; it is not returned to before nobody has for a while.
ALTER TABLE lease_authority
    ADD COLUMN moved_at      timestamptz NOT NULL DEFAULT dozor_now(),
    ADD COLUMN grant_after   timestamptz NOT NULL DEFAULT '-infinity',
    ADD COLUMN complained_at timestamptz NOT NULL DEFAULT '-infinity',
    ADD CONSTRAINT lease_authority_store_known CHECK (store IN ('postgres', 'redis'));

-- The processes of the station, as each says of itself every two seconds: what it is, and
-- how it sees the parts that it uses. True only while it is said, so nothing is logged.
CREATE UNLOGGED TABLE processes (
    instance   text CONSTRAINT processes_pkey PRIMARY KEY, -- unique among processes and their starts
    name       text NOT NULL,
    version    text NOT NULL,
    roles      text[] NOT NULL,
    host       text NOT NULL,
    pid        int NOT NULL,
    started_at timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL DEFAULT dozor_now(),
    parts      jsonb NOT NULL
) WITH (fillfactor = 50);

-- How far the stream was handed to the broker for integrations. One process at a time does
-- it: the one that took the turn, for as long as it says so.
CREATE TABLE integration_cursor (
    only_row   boolean CONSTRAINT integration_cursor_pkey PRIMARY KEY DEFAULT true CONSTRAINT integration_cursor_one_row CHECK (only_row),
    epoch      bigint NOT NULL DEFAULT 0,
    position   bigint NOT NULL DEFAULT 0,
    holder     text NOT NULL DEFAULT '',
    held_until timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 50);
INSERT INTO integration_cursor DEFAULT VALUES;
