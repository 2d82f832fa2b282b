-- The read models may be fed from several sources: the log itself ('log'), or the partitions of a Kafka topic
-- ('flowledger.events/3'). One row a source; what readers see reflects the lowest position of them.
-- next_offset: where to read on in a partition (-1: from its beginning), of the topic whose id is epoch.
ALTER TABLE read_model.tracking
    ADD COLUMN source text NOT NULL DEFAULT 'log',
    ADD COLUMN next_offset bigint NOT NULL DEFAULT -1,
    ADD COLUMN epoch text NOT NULL DEFAULT '';
ALTER TABLE read_model.tracking DROP CONSTRAINT tracking_pkey;
ALTER TABLE read_model.tracking ADD PRIMARY KEY (application_name, source);

-- Records of a partition that are no events (foreign, damaged). What they may have stood for is read from the log.
CREATE TABLE read_model.refused_records (
    source text NOT NULL,
    record_offset bigint NOT NULL,
    reason text NOT NULL,
    headers text NOT NULL,
    value bytea NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, record_offset)
);
