-- +goose Up

-- What became of a letter after it was set aside. One that is open or replaying waits for
-- somebody; all others are settled and never change again.
ALTER TABLE dead_letters
    ADD COLUMN state text NOT NULL DEFAULT 'open'
        CONSTRAINT dead_letters_state_known CHECK (state IN ('open', 'replaying', 'stored', 'known', 'dismissed')),
    ADD COLUMN event_id    uuid,   -- of stored and known: the event under the letter's key
    ADD COLUMN replays     int NOT NULL DEFAULT 0,
    ADD COLUMN replay_id   uuid,   -- the last replay that took it
    ADD COLUMN replayed_at timestamptz,
    ADD COLUMN replayed_by bigint CONSTRAINT dead_letters_replayer_fkey REFERENCES users (id),
    ADD COLUMN sent_at     timestamptz, -- of replaying: when it last went to the bus
    ADD COLUMN settled_at  timestamptz,
    ADD COLUMN dismissed_by bigint CONSTRAINT dead_letters_dismisser_fkey REFERENCES users (id),
    ADD COLUMN note        text NOT NULL DEFAULT '', -- of dismissed: why
    ADD CONSTRAINT dead_letters_settled_or_not CHECK ((state IN ('open', 'replaying')) = (settled_at IS NULL));

CREATE INDEX dead_letters_waiting_idx ON dead_letters (id) WHERE state IN ('open', 'replaying');
CREATE INDEX dead_letters_replay_idx ON dead_letters (replay_id) WHERE replay_id IS NOT NULL;
