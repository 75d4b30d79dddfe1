-- +goose Up

-- More kinds of orders, what they are for, and what stood in the way of one.
ALTER TABLE commands
    ADD COLUMN zones      int[] NOT NULL DEFAULT '{}',
    ADD COLUMN outputs    int[] NOT NULL DEFAULT '{}',
    ADD COLUMN expanders  int[] NOT NULL DEFAULT '{}', -- addresses from 0
    ADD COLUMN in_the_way jsonb NOT NULL DEFAULT '[]', -- [{"what", "zone", "name"}]: see command.Obstacle
    DROP CONSTRAINT commands_kind_known,
    DROP CONSTRAINT commands_partitions_some,
    -- Rows of before are right by the constraints that fall: new ones are looked at alone,
    -- so that nothing waits while the history is read.
    ADD CONSTRAINT commands_kind_targets CHECK (CASE
        WHEN kind IN ('arm', 'force_arm', 'disarm', 'clear_alarm')
            THEN cardinality(partitions) BETWEEN 1 AND 32 AND cardinality(zones) + cardinality(outputs) + cardinality(expanders) = 0
        WHEN kind IN ('bypass', 'unbypass', 'isolate')
            THEN cardinality(zones) BETWEEN 1 AND 256 AND cardinality(partitions) + cardinality(outputs) + cardinality(expanders) = 0
        WHEN kind IN ('outputs_on', 'outputs_off', 'outputs_switch')
            THEN cardinality(outputs) BETWEEN 1 AND 256 AND cardinality(partitions) + cardinality(zones) + cardinality(expanders) = 0
        WHEN kind = 'open_door'
            THEN cardinality(outputs) + cardinality(expanders) BETWEEN 1 AND 320 AND cardinality(partitions) + cardinality(zones) = 0
        WHEN kind IN ('clear_troubles', 'set_clock')
            THEN cardinality(partitions) + cardinality(zones) + cardinality(outputs) + cardinality(expanders) = 0
        ELSE false END) NOT VALID;
