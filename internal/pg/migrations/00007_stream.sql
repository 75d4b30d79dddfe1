-- +goose Up

-- Notifications. They get their position from the relay, after their commit: commit
-- order does not exist for readers. data is the frame's data as it goes out.
CREATE TABLE outbox (
    id          bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT outbox_pkey PRIMARY KEY,
    lane        smallint NOT NULL DEFAULT 0 CONSTRAINT outbox_lane_known CHECK (lane IN (0, 1)), -- 0 live, 1 backfill
    epoch       bigint,
    position    bigint,
    site_id     bigint,
    audience    text NOT NULL DEFAULT 'operators',
    type        text NOT NULL,
    version     bigint NOT NULL DEFAULT 0, -- of what the frame describes
    ring        int NOT NULL DEFAULT 0,
    at          timestamptz NOT NULL DEFAULT dozor_now(),
    data        json NOT NULL,
    trace       text NOT NULL DEFAULT '',
    answered_at timestamptz, -- last byte of the panel's answer behind it
    CONSTRAINT outbox_stamped_whole CHECK ((epoch IS NULL) = (position IS NULL))
);
CREATE UNIQUE INDEX outbox_position_key ON outbox (epoch, position) WHERE position IS NOT NULL;
CREATE INDEX outbox_unstamped_idx ON outbox (lane, id) WHERE position IS NULL;
-- Stamping rewrites each row once; room on the page keeps that local.
ALTER TABLE outbox SET (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05);

CREATE TABLE stream_head (
    only_row  boolean CONSTRAINT stream_head_pkey PRIMARY KEY DEFAULT true CONSTRAINT stream_head_one_row CHECK (only_row),
    epoch     bigint NOT NULL,
    last      bigint NOT NULL DEFAULT 0, -- highest position given out
    published bigint NOT NULL DEFAULT 0, -- highest position handed to the fan-out
    timeline  text NOT NULL -- life of the database in which last counts
);
INSERT INTO stream_head (epoch, timeline) SELECT extract(epoch FROM dozor_now())::bigint, dozor_timeline();
