-- The event log, and what is written in the same transaction as the events.

-- Compatible with eventsourcing's PostgresApplicationRecorder (9.5).
CREATE TABLE stored_events (
    originator_id      uuid   NOT NULL,
    originator_version bigint NOT NULL,
    topic              text   NOT NULL,
    state              bytea  NOT NULL,
    notification_id    bigserial,
    PRIMARY KEY (originator_id, originator_version)
) WITH (
    autovacuum_analyze_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.01
);
CREATE UNIQUE INDEX stored_events_notification_id_idx ON stored_events (notification_id);

-- Order without gaps: whoever inserts takes the writers' lock first, before any notification id is drawn, and holds it
-- until it has committed; so ids become visible in ascending order whichever code path inserts. 7306 is 'fl' on a phone.
CREATE FUNCTION stored_events_in_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7306, 1);
    PERFORM pg_notify('stored_events', '');
    RETURN NULL;
END $$;
CREATE TRIGGER stored_events_in_order BEFORE INSERT ON stored_events
    FOR EACH STATEMENT EXECUTE FUNCTION stored_events_in_order();

-- The log only grows. (Who must mend it by hand disables the trigger, and thereby says so.)
CREATE FUNCTION stored_events_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the event log is append-only: % is refused', TG_OP USING ERRCODE = 'object_not_in_prerequisite_state';
END $$;
CREATE TRIGGER stored_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stored_events
    FOR EACH STATEMENT EXECUTE FUNCTION stored_events_append_only();

-- The newest snapshot of long streams; a cache, it may be emptied at any time.
CREATE TABLE stored_snapshots (
    originator_id      uuid   NOT NULL,
    originator_version bigint NOT NULL,
    topic              text   NOT NULL,
    state              bytea  NOT NULL,
    PRIMARY KEY (originator_id, originator_version)
);

-- Jobs that workers may take from available_at (µs since 1970) on. A queue: rows come and go, so vacuum early.
CREATE TABLE wait_jobs (
    instance_key bigint NOT NULL,
    local        bigint NOT NULL,
    element      bigint NOT NULL,
    available_at bigint NOT NULL,
    tenant       text   NOT NULL,
    type         text   NOT NULL,
    PRIMARY KEY (instance_key, local)
) WITH (
    fillfactor = 70,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_cost_delay = 0
);
CREATE INDEX wait_jobs_available_idx ON wait_jobs (tenant, type, available_at, instance_key, local);

-- Timers that run, by when they are due (µs since 1970).
CREATE TABLE wait_timers (
    instance_key bigint NOT NULL,
    local        bigint NOT NULL,
    element      bigint NOT NULL,
    due          bigint NOT NULL,
    PRIMARY KEY (instance_key, local)
) WITH (
    fillfactor = 80,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_cost_delay = 0
);
CREATE INDEX wait_timers_due_idx ON wait_timers (due, instance_key, local);

-- Key blocks that an instance reserved beyond its first (block is its first key).
CREATE TABLE key_blocks (
    block        bigint PRIMARY KEY,
    instance_key bigint NOT NULL
);

-- Idempotent commands that were carried out, with the outcome that a repeat gets.
CREATE TABLE command_ids (
    tenant     text   NOT NULL,
    command_id text   NOT NULL,
    body_hash  bytea  NOT NULL,
    result     bytea  NOT NULL,
    position   bigint NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, command_id)
);

-- Deployed definitions by id, version and key; the source text is in the event (stream, stream_version).
CREATE TABLE definition_index (
    tenant         text   NOT NULL,
    kind           text   NOT NULL,
    id             text   NOT NULL,
    version        bigint NOT NULL,
    key            bigint NOT NULL,
    stream         uuid   NOT NULL,
    stream_version bigint NOT NULL,
    deployment_key bigint NOT NULL,
    version_tag    text   NOT NULL,
    PRIMARY KEY (tenant, kind, id, version)
);
CREATE INDEX definition_index_key_idx ON definition_index (kind, key);

-- Who hands out keys of which lane, and the key below which all of the lane's may have been handed out.
CREATE TABLE key_lanes (
    lane       smallint PRIMARY KEY,
    holder     uuid,
    expires_at timestamptz NOT NULL DEFAULT '-infinity',
    ceiling    bigint NOT NULL DEFAULT 0
);
INSERT INTO key_lanes (lane) SELECT generate_series(0, 63);

-- eventsourcing's tracking table (single row per name); the row says that it has that form.
CREATE TABLE notification_tracking (
    application_name text PRIMARY KEY,
    notification_id  bigint
) WITH (fillfactor = 50);
INSERT INTO notification_tracking VALUES ('__migration__', 1);
