-- What messages and signals are waited for, those under way, and what starts instances. Written with the events, so that
-- correlation never races a projection. Queues: rows come and go, so vacuum early. `position` is the log position of the
-- event that made the row; names are short (500 characters at most), keys and ids are compared by their MD5 first.

-- kind: message, signal, or start (a start key that an active instance holds). heard: position of the last signal heard.
CREATE TABLE wait_subscriptions (
    instance_key bigint NOT NULL,
    local        bigint NOT NULL,
    position     bigint NOT NULL,
    heard        bigint NOT NULL,
    kind         text   NOT NULL,
    tenant       text   NOT NULL,
    name         text   NOT NULL,
    key          text   NOT NULL,
    process_id   text   NOT NULL,
    PRIMARY KEY (instance_key, local)
) WITH (
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_cost_delay = 0
);
CREATE INDEX wait_subscriptions_message ON wait_subscriptions (tenant, name, md5(key), position) WHERE kind = 'message';
CREATE INDEX wait_subscriptions_new ON wait_subscriptions (position) WHERE kind = 'message';
CREATE INDEX wait_subscriptions_signal ON wait_subscriptions (tenant, name, instance_key, local) WHERE kind = 'signal';
CREATE UNIQUE INDEX wait_subscriptions_start_key ON wait_subscriptions (tenant, md5(process_id), md5(key))
    WHERE kind = 'start';

-- Published messages that are kept. expires_at: µs since 1970, 0: only for what waits before it. taken: process ids.
CREATE TABLE wait_messages (
    message_key bigint PRIMARY KEY,
    position    bigint NOT NULL,
    expires_at  bigint NOT NULL,
    tenant      text   NOT NULL,
    name        text   NOT NULL,
    key         text   NOT NULL,
    message_id  text   NOT NULL,
    taken       text[] NOT NULL
) WITH (
    fillfactor = 80,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_cost_delay = 0
);
CREATE INDEX wait_messages_topic ON wait_messages (tenant, name, md5(key), position);
CREATE INDEX wait_messages_new ON wait_messages (position);
CREATE INDEX wait_messages_passing ON wait_messages (position) WHERE expires_at = 0;
CREATE INDEX wait_messages_expiring ON wait_messages (expires_at) WHERE expires_at > 0;
CREATE UNIQUE INDEX wait_messages_id ON wait_messages (tenant, name, md5(key), md5(message_id)) WHERE message_id <> '';

-- Signals that not everybody has heard. key, local: the stream, and the signal's local in an instance that threw it.
CREATE TABLE wait_signals (
    key       bigint NOT NULL,
    local     bigint NOT NULL,
    position  bigint NOT NULL,
    tenant    text   NOT NULL,
    name      text   NOT NULL,
    variables bytea  NOT NULL,
    PRIMARY KEY (key, local)
) WITH (
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0
);
CREATE INDEX wait_signals_position ON wait_signals (position);

-- Start events of the newest version of each process. due: µs since 1970 of a timer, 0: none, or never again.
CREATE TABLE start_events (
    definition_key bigint NOT NULL,
    element_id     text   NOT NULL,
    position       bigint NOT NULL,
    due            bigint NOT NULL,
    remaining      bigint NOT NULL,
    cycle          text   NOT NULL,
    kind           text   NOT NULL,
    name           text   NOT NULL,
    tenant         text   NOT NULL,
    process_id     text   NOT NULL,
    PRIMARY KEY (definition_key, element_id)
);
CREATE INDEX start_events_process ON start_events (tenant, process_id);
CREATE INDEX start_events_name ON start_events (kind, tenant, md5(name));
CREATE INDEX start_events_due ON start_events (due) WHERE due > 0;
