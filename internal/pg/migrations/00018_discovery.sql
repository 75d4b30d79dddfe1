-- +goose Up

-- Objects that the panel does not have any more keep their row: old events still name them.
ALTER TABLE panel_objects
    ADD COLUMN serial  smallint,    -- of a user: raised each time the number is given to somebody else
    ADD COLUMN gone_at timestamptz, -- when the panel said that it has none of that number
    DROP CONSTRAINT panel_objects_kind_known,
    ADD CONSTRAINT panel_objects_kind_known CHECK (kind IN ('partition', 'zone', 'output', 'user', 'expander', 'keypad')) NOT VALID;
ALTER TABLE panel_objects VALIDATE CONSTRAINT panel_objects_kind_known;

-- What a panel says of itself, and how far the reading of its names is.
CREATE TABLE panel_surveys (
    panel_id    bigint NOT NULL CONSTRAINT panel_surveys_pkey PRIMARY KEY CONSTRAINT panel_surveys_panel_fkey REFERENCES panels (id),
    type        smallint NOT NULL, -- code of 0x7E
    model       text NOT NULL,     -- empty where no table has the type
    firmware    text NOT NULL,
    language    smallint NOT NULL,
    module      text NOT NULL,     -- firmware of the network module, empty where it does not say
    place       int NOT NULL DEFAULT 0,            -- the last object read in a round that goes on; 0: none
    due_at      timestamptz NOT NULL DEFAULT dozor_now(), -- when the next round may begin
    finished_at timestamptz,                       -- of the last whole round
    signs       bytea NOT NULL DEFAULT ''          -- records that said that settings changed, newest last
);

-- What changed on a panel while it was watched. The row comes before the event that tells
-- of a grave one, so that a crash in between only says it again, under the same key.
CREATE TABLE panel_changes (
    id       bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT panel_changes_pkey PRIMARY KEY,
    panel_id bigint NOT NULL CONSTRAINT panel_changes_panel_fkey REFERENCES panels (id),
    kind     text NOT NULL,           -- of a panel_objects row, or panel
    number   int NOT NULL DEFAULT 0,
    name     text NOT NULL DEFAULT '', -- of the object, when it changed
    what     text NOT NULL CONSTRAINT panel_changes_what_known
             CHECK (what IN ('appeared', 'vanished', 'name', 'function', 'partition', 'person', 'model', 'firmware', 'module')),
    was      text NOT NULL DEFAULT '',
    now      text NOT NULL DEFAULT '',
    grave    boolean NOT NULL DEFAULT false, -- it may hide an alarm
    said     boolean NOT NULL DEFAULT false,
    at       timestamptz NOT NULL DEFAULT dozor_now()
);
CREATE INDEX panel_changes_panel_idx ON panel_changes (panel_id, id DESC);
CREATE INDEX panel_changes_unsaid_idx ON panel_changes (panel_id, id) WHERE grave AND NOT said;

-- Clocks of panels that are wrong by more than the limit, judged as silent links are.
CREATE TABLE clock_faults (
    id          bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT clock_faults_pkey PRIMARY KEY,
    panel_id    bigint NOT NULL CONSTRAINT clock_faults_panel_fkey REFERENCES panels (id),
    offset_ms   bigint NOT NULL, -- the panel's clock minus ours when it was found
    detected_at timestamptz NOT NULL DEFAULT dozor_now(),
    ended_at    timestamptz,
    wrong_said  boolean NOT NULL DEFAULT false,
    right_said  boolean NOT NULL DEFAULT false
);
CREATE INDEX clock_faults_unsaid_idx ON clock_faults (id) WHERE NOT wrong_said OR (ended_at IS NOT NULL AND NOT right_said);
CREATE UNIQUE INDEX clock_faults_open_key ON clock_faults (panel_id) WHERE ended_at IS NULL;

-- What panels themselves call events that no table of ours has.
CREATE TABLE event_texts (
    type     smallint NOT NULL,
    firmware text NOT NULL,
    language smallint NOT NULL,
    code     smallint NOT NULL,
    restore  boolean NOT NULL,
    kind     smallint NOT NULL, -- how the firmware reads a record of that code
    text     text NOT NULL,     -- empty: the panel has no words either
    tells    smallint NOT NULL DEFAULT 0, -- how often it was given to open alarms
    read_at  timestamptz NOT NULL DEFAULT dozor_now(),
    CONSTRAINT event_texts_pkey PRIMARY KEY (code, restore, type, firmware, language)
);
CREATE INDEX event_texts_untold_idx ON event_texts (read_at) WHERE tells < 2 AND text <> '';

-- The words for a code on a panel: its own firmware's, else those of the panel most like it.
-- +goose StatementBegin
CREATE FUNCTION dozor_event_text(panel bigint, event_code int, event_restore boolean) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT t.text FROM event_texts t LEFT JOIN panel_surveys s ON s.panel_id = panel
    WHERE t.code = event_code AND t.restore = event_restore AND t.text <> ''
    ORDER BY (t.language = s.language) IS TRUE DESC, (t.type = s.type) IS TRUE DESC, (t.firmware = s.firmware) IS TRUE DESC, t.read_at DESC
    LIMIT 1
$$;
-- +goose StatementEnd
