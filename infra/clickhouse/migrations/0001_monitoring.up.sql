-- The monitoring store. Every row says what it is about (its sorting key) and at which version of its instance it was
-- last changed; of rows with the same key the highest version counts (FINAL). So writing a row again changes nothing.
--
-- An instance's rows are all in the partition of its start month, which its key holds (domain/keys.py: 10 ms ticks since
-- 2026-01-01 from bit 25 on): rows of the same key always meet, FINAL may work partition by partition, and dropping a
-- partition drops whole instances. A time of 1970-01-01 means "not (yet)".

-- The log's events of instances, without business data; what the writer knows of an instance is read back from here.
CREATE TABLE events (
    tenant LowCardinality(String),
    bpmn_process_id LowCardinality(String),
    instance_key UInt64 CODEC(Delta(8), ZSTD(1)),
    version UInt32 CODEC(Delta(4), ZSTD(1)),
    definition_version UInt32,
    position UInt64 CODEC(Delta(8), ZSTD(1)),
    at DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    topic LowCardinality(String),
    actor LowCardinality(String),
    detail String CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(toDateTime(intDiv(bitShiftRight(instance_key, 25), 100) + 1767225600, 'UTC'))
ORDER BY (tenant, bpmn_process_id, instance_key, version)
SETTINGS min_age_to_force_merge_seconds = 600, min_age_to_force_merge_on_partition_only = 1;

-- One row a stay of a token in an element: when it came, who took it, when it was done, and how.
CREATE TABLE visits (
    tenant LowCardinality(String),
    bpmn_process_id LowCardinality(String),
    instance_key UInt64 CODEC(Delta(8), ZSTD(1)),
    local UInt32 CODEC(Delta(4), ZSTD(1)),
    version UInt32 CODEC(ZSTD(1)),
    definition_version UInt32,
    element_id LowCardinality(String),
    kind Enum8('passed' = 1, 'wait' = 2, 'userTask' = 3, 'job' = 4, 'scope' = 5),
    number UInt32 CODEC(ZSTD(1)),
    source LowCardinality(String),
    flow LowCardinality(String),
    created_at DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    claimed_at DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    ended_at DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    state Enum8('open' = 0, 'completed' = 1, 'terminated' = 2),
    due_at DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    warned_at DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    breached_at DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    level UInt8,
    failures UInt32 CODEC(ZSTD(1)),
    assignee LowCardinality(String),
    actor LowCardinality(String),
    outcome LowCardinality(String),
    reason String CODEC(ZSTD(3)),
    department LowCardinality(String),
    label LowCardinality(String)
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(toDateTime(intDiv(bitShiftRight(instance_key, 25), 100) + 1767225600, 'UTC'))
ORDER BY (tenant, bpmn_process_id, instance_key, local)
SETTINGS min_age_to_force_merge_seconds = 600, min_age_to_force_merge_on_partition_only = 1;

-- One row an instance.
CREATE TABLE instances (
    tenant LowCardinality(String),
    bpmn_process_id LowCardinality(String),
    instance_key UInt64 CODEC(Delta(8), ZSTD(1)),
    version UInt32 CODEC(ZSTD(1)),
    definition_version UInt32,
    definition_key UInt64 CODEC(ZSTD(1)),
    parent_key UInt64 CODEC(ZSTD(1)),
    root_key UInt64 CODEC(Delta(8), ZSTD(1)),
    business_id String CODEC(ZSTD(1)),
    started_at DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    ended_at DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    state Enum8('running' = 1, 'completed' = 2, 'terminated' = 3),
    rejections UInt32 CODEC(ZSTD(1)),
    reworks UInt32 CODEC(ZSTD(1)),
    reason String CODEC(ZSTD(3)),
    breaches UInt32 CODEC(ZSTD(1)),
    incidents UInt32 CODEC(ZSTD(1)),
    interventions UInt32 CODEC(ZSTD(1)),
    department LowCardinality(String),
    initiator LowCardinality(String),
    label LowCardinality(String),
    path Array(LowCardinality(String)) CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(toDateTime(intDiv(bitShiftRight(instance_key, 25), 100) + 1767225600, 'UTC'))
ORDER BY (tenant, bpmn_process_id, instance_key)
SETTINGS min_age_to_force_merge_seconds = 600, min_age_to_force_merge_on_partition_only = 1;

-- One row an incident.
CREATE TABLE incidents (
    tenant LowCardinality(String),
    bpmn_process_id LowCardinality(String),
    instance_key UInt64 CODEC(Delta(8), ZSTD(1)),
    local UInt32,
    version UInt32,
    definition_version UInt32,
    element_id LowCardinality(String),
    type LowCardinality(String),
    message String CODEC(ZSTD(3)),
    created_at DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    ended_at DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    department LowCardinality(String),
    label LowCardinality(String)
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(toDateTime(intDiv(bitShiftRight(instance_key, 25), 100) + 1767225600, 'UTC'))
ORDER BY (tenant, bpmn_process_id, instance_key, local)
SETTINGS min_age_to_force_merge_seconds = 600, min_age_to_force_merge_on_partition_only = 1;

-- One row a time that somebody stepped in.
CREATE TABLE interventions (
    tenant LowCardinality(String),
    bpmn_process_id LowCardinality(String),
    instance_key UInt64 CODEC(Delta(8), ZSTD(1)),
    version UInt32,
    definition_version UInt32,
    at DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    kind LowCardinality(String),
    actor LowCardinality(String),
    element_id LowCardinality(String),
    reason String CODEC(ZSTD(3)),
    department LowCardinality(String),
    label LowCardinality(String)
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(toDateTime(intDiv(bitShiftRight(instance_key, 25), 100) + 1767225600, 'UTC'))
ORDER BY (tenant, bpmn_process_id, instance_key, version)
SETTINGS min_age_to_force_merge_seconds = 600, min_age_to_force_merge_on_partition_only = 1;

-- Versions of process definitions, and their elements: names and BPMN types.
CREATE TABLE definitions (
    tenant LowCardinality(String),
    bpmn_process_id LowCardinality(String),
    definition_version UInt32,
    definition_key UInt64,
    name String,
    deployed_at DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant, bpmn_process_id, definition_version);

CREATE TABLE elements (
    tenant LowCardinality(String),
    bpmn_process_id LowCardinality(String),
    definition_version UInt32,
    element_id LowCardinality(String),
    type LowCardinality(String),
    name String
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant, bpmn_process_id, definition_version, element_id);

-- Events that could not be taken, and all later ones of their streams. A row whose `redriven` is 1 is settled.
CREATE TABLE quarantine (
    stream UUID,
    version UInt32,
    position UInt64,
    topic LowCardinality(String),
    reason String,
    redriven UInt8,
    serial UInt64
)
ENGINE = ReplacingMergeTree(serial)
ORDER BY (stream, version);

-- How far the writer is in each source of its feed (streams/feeds.py). Written last, after a batch's rows.
CREATE TABLE sources (
    source String,
    position UInt64,
    next_offset Int64,
    epoch String,
    reflects_at DateTime64(3, 'UTC'),
    serial UInt64
)
ENGINE = ReplacingMergeTree(serial)
ORDER BY (source);

-- Working time: how many seconds of each quarter of an hour are worked, and of all before it. slot: quarters since 2026-01-01.
CREATE TABLE calendar_slots (
    calendar LowCardinality(String),
    slot UInt32,
    work UInt16,
    before UInt64,
    serial UInt64
)
ENGINE = ReplacingMergeTree(serial)
ORDER BY (calendar, slot);

-- What the writer was asked to do (rebuild, redrive a stream), and how far it is. The newest row of an id counts.
CREATE TABLE requests (
    id String,
    kind LowCardinality(String),
    argument String,
    state LowCardinality(String),
    position UInt64,
    until UInt64,
    message String,
    at DateTime64(3, 'UTC'),
    serial UInt64
)
ENGINE = ReplacingMergeTree(serial)
ORDER BY (id);
