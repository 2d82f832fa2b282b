-- How far the relay has taken the log into a Kafka topic. topic_id: the topic's incarnation. previous: position of each
-- partition's last event; ends: the offset after the last record that each partition acknowledged.
CREATE TABLE relay_positions (
    topic      text PRIMARY KEY,
    topic_id   text     NOT NULL,
    position   bigint   NOT NULL,
    previous   bigint[] NOT NULL,
    ends       bigint[] NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 10);
