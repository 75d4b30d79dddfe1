-- +goose Up

CREATE TABLE commands (
    id           uuid CONSTRAINT commands_pkey PRIMARY KEY,
    panel_id     bigint NOT NULL CONSTRAINT commands_panel_fkey REFERENCES panels (id),
    alarm_id     bigint CONSTRAINT commands_alarm_fkey REFERENCES alarms (id),
    kind         text NOT NULL CONSTRAINT commands_kind_known CHECK (kind IN ('arm', 'disarm', 'clear_alarm')),
    arm_mode     smallint NOT NULL DEFAULT 0 CONSTRAINT commands_mode_range CHECK (arm_mode BETWEEN 0 AND 3),
    partitions   int[] NOT NULL CONSTRAINT commands_partitions_some CHECK (cardinality(partitions) BETWEEN 1 AND 32),
    requested_by bigint NOT NULL CONSTRAINT commands_requester_fkey REFERENCES users (id),
    requested_at timestamptz NOT NULL DEFAULT dozor_now(),
    deadline_at  timestamptz NOT NULL,
    timeline     text NOT NULL DEFAULT dozor_timeline(), -- on another one it is never claimed
    state        text NOT NULL DEFAULT 'queued'
        CONSTRAINT commands_state_known CHECK (state IN ('queued', 'executing', 'done', 'refused', 'expired', 'unknown')),
    fence        bigint,
    started_at   timestamptz,
    finished_at  timestamptz,
    result       text NOT NULL DEFAULT '', -- stable word: ok, wrong_code, cannot_arm, late ...
    result_code  int,                      -- of 0xEF
    late         boolean NOT NULL DEFAULT false,
    trace        text NOT NULL DEFAULT '',
    CONSTRAINT commands_deadline_after_request CHECK (deadline_at > requested_at)
);
CREATE INDEX commands_unfinished_idx ON commands (panel_id, requested_at) WHERE state IN ('queued', 'executing');
CREATE INDEX commands_panel_idx ON commands (panel_id, requested_at DESC);

CREATE TABLE lease_authority (
    only_row boolean CONSTRAINT lease_authority_pkey PRIMARY KEY DEFAULT true CONSTRAINT lease_authority_one_row CHECK (only_row),
    store    text NOT NULL DEFAULT 'postgres',
    epoch    bigint NOT NULL DEFAULT 1
);
INSERT INTO lease_authority DEFAULT VALUES;

CREATE TABLE leases (
    panel_id   bigint CONSTRAINT leases_pkey PRIMARY KEY CONSTRAINT leases_panel_fkey REFERENCES panels (id),
    holder     text NOT NULL,
    fence      bigint NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE TABLE panel_states (
    panel_id    bigint CONSTRAINT panel_states_pkey PRIMARY KEY CONSTRAINT panel_states_panel_fkey REFERENCES panels (id),
    fence       bigint NOT NULL,
    seq         bigint NOT NULL,
    answered_at timestamptz,
    stored_at   timestamptz NOT NULL DEFAULT dozor_now(),
    body        jsonb NOT NULL
) WITH (fillfactor = 50);

-- Silences long enough to be an event, judged by the core from the last answer.
CREATE TABLE link_outages (
    id          bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT link_outages_pkey PRIMARY KEY,
    panel_id    bigint NOT NULL CONSTRAINT link_outages_panel_fkey REFERENCES panels (id),
    silent_since timestamptz NOT NULL,
    detected_at timestamptz NOT NULL DEFAULT dozor_now(),
    restored_at timestamptz,
    -- Whether the bus has confirmed the event that tells of it. The row comes first, so
    -- that a crash in between only says it again, under the same key.
    lost_said     boolean NOT NULL DEFAULT false,
    restored_said boolean NOT NULL DEFAULT false
);
CREATE INDEX link_outages_unsaid_idx ON link_outages (id) WHERE NOT lost_said OR (restored_at IS NOT NULL AND NOT restored_said);
CREATE UNIQUE INDEX link_outages_open_key ON link_outages (panel_id) WHERE restored_at IS NULL;

CREATE TABLE timers (
    id      bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT timers_pkey PRIMARY KEY,
    kind    text NOT NULL,
    subject text NOT NULL,
    due_at  timestamptz NOT NULL,
    payload jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT timers_kind_subject_key UNIQUE (kind, subject)
);
CREATE INDEX timers_due_idx ON timers (due_at);
