-- +goose Up

-- The workers that take panels, as each says of itself with every round of its leases: what
-- each may hold is shared out by it. True only while it is said, so nothing is logged.
CREATE UNLOGGED TABLE workers (
    instance    text CONSTRAINT workers_pkey PRIMARY KEY, -- unique among workers and their starts
    held        int NOT NULL,
    load        int NOT NULL, -- what counts against its share
    capacity    int NOT NULL,
    known_until timestamptz NOT NULL
) WITH (fillfactor = 50);
