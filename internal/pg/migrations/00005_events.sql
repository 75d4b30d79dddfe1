-- +goose Up

-- Not partitioned and without anything else: this table decides what is new.
CREATE TABLE event_keys (
    dedup_key bytea CONSTRAINT event_keys_pkey PRIMARY KEY,
    event_id  uuid NOT NULL
);

CREATE TABLE events (
    id           uuid NOT NULL, -- UUIDv7: the partition key
    site_id      bigint NOT NULL,
    panel_id     bigint,
    source       text NOT NULL, -- panel, station, sms, hand
    kind         text NOT NULL, -- burglary, fire, arming ...: what it bundles by
    priority     smallint NOT NULL CONSTRAINT events_priority_range CHECK (priority BETWEEN 1 AND 5),
    code         int,           -- 10 bits, of a panel's record
    restore      boolean NOT NULL DEFAULT false,
    zone         int,
    partition    int,
    user_number  int,
    source_kind  text NOT NULL DEFAULT '', -- what source_number counts
    source_number int,
    text         text NOT NULL DEFAULT '', -- only where no table has it: station, unknown codes
    alarm_id     bigint,
    historic     boolean NOT NULL DEFAULT false,
    provisional  boolean NOT NULL DEFAULT false,
    unclassified boolean NOT NULL DEFAULT false,
    rules_version int NOT NULL DEFAULT 0,
    raw          bytea,  -- the record as it was read
    log_index    bytea,
    epoch        int,
    segment      bigint,
    log_offset   int,
    panel_time   timestamp,            -- the panel's own local minute, without zone
    resolved_at  timestamptz,          -- the same, with year and zone found
    received_at  timestamptz NOT NULL, -- last byte of the answer, worker's clock
    effective_at timestamptz NOT NULL, -- corrected, held between the last look without it and received_at
    recorded_at  timestamptz NOT NULL DEFAULT dozor_now(),
    trace        text NOT NULL DEFAULT '',
    CONSTRAINT events_pkey PRIMARY KEY (id)
) PARTITION BY RANGE (id);

CREATE INDEX events_site_idx ON events (site_id, id DESC);
CREATE INDEX events_panel_log_idx ON events (panel_id, epoch, segment, log_offset) WHERE segment IS NOT NULL;
CREATE INDEX events_alarm_idx ON events (alarm_id, id) WHERE alarm_id IS NOT NULL;

CREATE TABLE events_default PARTITION OF events DEFAULT;

-- The smallest UUIDv7 of an instant.
CREATE FUNCTION dozor_uuid_floor(at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid $$;

-- Partitions by month of UTC, made ahead by whoever runs the job; the application's
-- role owns no table, so that the function runs as the owner.
-- +goose StatementBegin
CREATE FUNCTION dozor_ensure_event_partitions(months_ahead int) RETURNS int LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public
    AS $$
DECLARE
    first timestamp := date_trunc('month', public.dozor_now() AT TIME ZONE 'UTC');
    month timestamp;
    made  int := 0;
    name  text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('dozor_event_partitions'));
    FOR n IN 0..least(months_ahead, 60) LOOP
        month := first + make_interval(months => n);
        name := 'events_' || to_char(month, 'YYYYMM');
        IF to_regclass('public.' || name) IS NULL THEN
            EXECUTE format('CREATE TABLE public.%I PARTITION OF public.events FOR VALUES FROM (%L) TO (%L)', name,
                public.dozor_uuid_floor(month AT TIME ZONE 'UTC'),
                public.dozor_uuid_floor((month + interval '1 month') AT TIME ZONE 'UTC'));
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO dozor_app', name);
            made := made + 1;
        END IF;
    END LOOP;
    RETURN made;
END $$;
-- +goose StatementEnd

-- Drops whole months that ended before the instant given. Their keys stay: a record
-- read again years later must not become a new event.
-- +goose StatementBegin
CREATE FUNCTION dozor_drop_event_partitions(before timestamptz) RETURNS int LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public
    AS $$
DECLARE
    part    record;
    dropped int := 0;
BEGIN
    IF before > public.dozor_now() - interval '30 days' THEN
        RAISE EXCEPTION 'refusing to drop events younger than 30 days';
    END IF;
    FOR part IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'public.events'::regclass AND c.relname ~ '^events_[0-9]{6}$'
          AND (to_timestamp(right(c.relname, 6) || '01', 'YYYYMMDD') AT TIME ZONE current_setting('TimeZone') AT TIME ZONE 'UTC'
               + interval '1 month') <= before
    LOOP
        EXECUTE format('DROP TABLE public.%I', part.relname);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;
-- +goose StatementEnd

SELECT dozor_ensure_event_partitions(6);

-- Rules that turn a code into kind and priority: shipped with the program, held as
-- versions, so that an old event can say under which rules it was judged.
CREATE TABLE event_rule_versions (
    version      int CONSTRAINT event_rule_versions_pkey PRIMARY KEY,
    source       text NOT NULL,
    digest       bytea NOT NULL CONSTRAINT event_rule_versions_digest_key UNIQUE,
    installed_at timestamptz NOT NULL DEFAULT dozor_now()
);
CREATE TABLE event_rules (
    version  int NOT NULL CONSTRAINT event_rules_version_fkey REFERENCES event_rule_versions (version),
    code     int NOT NULL,
    restore  boolean NOT NULL,
    kind     text NOT NULL,
    category text NOT NULL,
    priority smallint NOT NULL,
    raises   boolean NOT NULL, -- opens or joins an alarm
    CONSTRAINT event_rules_pkey PRIMARY KEY (version, code, restore)
);

CREATE TABLE dead_letters (
    id            bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT dead_letters_pkey PRIMARY KEY,
    dedup_key     bytea NOT NULL CONSTRAINT dead_letters_key UNIQUE,
    lane          text NOT NULL,
    topic         text NOT NULL,
    body          bytea NOT NULL,
    trace         text NOT NULL DEFAULT '',
    reason        text NOT NULL,
    panel_id      bigint,
    alarm_id      bigint,
    seen          int NOT NULL DEFAULT 1,
    first_seen_at timestamptz NOT NULL DEFAULT dozor_now(),
    last_seen_at  timestamptz NOT NULL DEFAULT dozor_now()
);
