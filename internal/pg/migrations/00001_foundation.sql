-- +goose Up

-- Two roles from the first migration: the owner, who runs this, and the application,
-- which may read and write rows and nothing else. dozor_app is a group; the login role
-- of an installation is a member of it. Roles belong to the whole cluster, so that
-- databases made side by side race for this one.
-- +goose StatementBegin
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'dozor_app') THEN
        CREATE ROLE dozor_app NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
-- +goose StatementEnd

ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO dozor_app;
ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO dozor_app;
GRANT USAGE ON SCHEMA public TO dozor_app;
-- The application looks whether the schema is there, and says so when it is not.
GRANT SELECT ON goose_db_version TO dozor_app;

-- The database's clock and the life it counts in. Tests shift the clock together with
-- the simulators, and change the salt to play a failover that lost its last commits.
CREATE TABLE station_clock (
    only_row boolean PRIMARY KEY DEFAULT true CONSTRAINT station_clock_one_row CHECK (only_row),
    shift    interval NOT NULL DEFAULT '0',
    salt     text NOT NULL DEFAULT ''
);
INSERT INTO station_clock DEFAULT VALUES;
REVOKE INSERT, UPDATE, DELETE ON station_clock FROM dozor_app;

-- clock_timestamp, not now(): deadlines are judged at the moment of asking, also in a
-- transaction that waited for a lock.
CREATE FUNCTION dozor_now() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE
    AS $$ SELECT clock_timestamp() + shift FROM station_clock $$;

CREATE FUNCTION dozor_now_ms() RETURNS bigint LANGUAGE sql VOLATILE PARALLEL SAFE
    AS $$ SELECT (extract(epoch FROM dozor_now()) * 1000)::bigint $$;

-- The timeline from the WAL's own file name: the control file learns of a promotion
-- only with the next checkpoint.
-- +goose StatementBegin
CREATE FUNCTION dozor_timeline() RETURNS text LANGUAGE sql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, public
    AS $$
    SELECT (SELECT system_identifier FROM pg_control_system())::text
        || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8)
        || (SELECT salt FROM public.station_clock)
    $$;
-- +goose StatementEnd
