-- +goose Up

-- How far each panel's event memory has been read. The cursor is the newest record of
-- which it and everything older is in PostgreSQL; known is that record and up to 63
-- older ones, newest first, 11 bytes each: index (3) and record with byte 0 masked (8).
CREATE TABLE panel_logs (
    panel_id bigint CONSTRAINT panel_logs_pkey PRIMARY KEY CONSTRAINT panel_logs_panel_fkey REFERENCES panels (id),
    epoch    int NOT NULL DEFAULT 1,
    cursor_segment bigint NOT NULL, -- segment whose top is the cursor
    known    bytea NOT NULL DEFAULT '', -- empty: the memory was empty
    mark     bigint NOT NULL DEFAULT 0, -- grows with every move; guards against late writers
    fence    bigint NOT NULL DEFAULT 0
);

CREATE TABLE panel_log_epochs (
    panel_id   bigint NOT NULL CONSTRAINT panel_log_epochs_panel_fkey REFERENCES panels (id),
    epoch      int NOT NULL,
    reason     text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT dozor_now(),
    CONSTRAINT panel_log_epochs_pkey PRIMARY KEY (panel_id, epoch)
);

-- A segment is one look that found newer records: from its top down to the top of the
-- segment before it. Order of a panel's events = (epoch, segment number, log_offset);
-- the top has offset 0, older records count down.
CREATE TABLE panel_log_segments (
    panel_id   bigint NOT NULL CONSTRAINT panel_log_segments_panel_fkey REFERENCES panels (id),
    number     bigint NOT NULL, -- max(last + 1, milliseconds of the database's clock)
    epoch      int NOT NULL,
    top_index  bytea NOT NULL,
    top_record bytea NOT NULL, -- raw, to be sent again after a restart
    first_contact boolean NOT NULL DEFAULT false, -- history only: at most 200 records, no alarms
    -- The low mark: everything from the top down to it is in PostgreSQL. low_arg is the
    -- argument that gave the low record (the index of its newer neighbour).
    low_offset int NOT NULL DEFAULT 1, -- 1: not even the top
    low_arg    bytea,
    low_index  bytea,
    low_record bytea,
    state      text NOT NULL DEFAULT 'open' CONSTRAINT panel_log_segments_state_known CHECK (state IN ('open', 'closed', 'gap')),
    opened_at  timestamptz NOT NULL DEFAULT dozor_now(),
    closed_at  timestamptz,
    CONSTRAINT panel_log_segments_pkey PRIMARY KEY (panel_id, number)
);
CREATE INDEX panel_log_segments_open_idx ON panel_log_segments (panel_id, number) WHERE state = 'open';
