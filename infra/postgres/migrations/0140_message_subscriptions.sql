-- What messages are waited for (by instances, and by start events of process versions), and which were correlated.
-- owner_key: the instance, or the definition. type: 0 an instance waits, 1 a start event.
CREATE TABLE read_model.message_subscriptions (
    owner_key bigint NOT NULL,
    key bigint NOT NULL,
    instance_key bigint,
    definition_key bigint,
    element_key bigint,
    updated bigint NOT NULL,
    type smallint NOT NULL,
    state smallint NOT NULL,
    element_id text NOT NULL,
    name text NOT NULL,
    correlation_key text,
    process_id text NOT NULL,
    tenant text NOT NULL,
    PRIMARY KEY (owner_key, key)
) WITH (fillfactor = 80, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX message_subscriptions_name ON read_model.message_subscriptions (md5(name), owner_key, key);

CREATE TABLE read_model.correlated_messages (
    message_key bigint NOT NULL,
    instance_key bigint NOT NULL,
    definition_key bigint NOT NULL,
    root_key bigint NOT NULL,
    element_key bigint,
    subscription_key bigint NOT NULL,
    correlated bigint NOT NULL,
    element_id text NOT NULL,
    name text NOT NULL,
    correlation_key text,
    process_id text NOT NULL,
    tenant text NOT NULL,
    PRIMARY KEY (message_key, instance_key)
) WITH (fillfactor = 95);
CREATE INDEX correlated_messages_instance ON read_model.correlated_messages (instance_key);
