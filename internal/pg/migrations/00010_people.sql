-- +goose Up

-- When somebody was last seen outlives their sessions. access_epoch is raised whenever
-- everything that was opened as this user ends; bearer tokens bear it.
ALTER TABLE users
    ADD COLUMN last_seen_at timestamptz,
    ADD COLUMN access_epoch bigint NOT NULL DEFAULT 1;

UPDATE users SET last_seen_at = (SELECT max(s.last_seen_at) FROM sessions s WHERE s.user_id = users.id);
