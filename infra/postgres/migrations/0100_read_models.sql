-- The read side, in a schema of its own: every table here can be dropped and rebuilt from the log.
-- Times are milliseconds since the Unix epoch (the precision that queries show). Keys are absolute, the parts of an
-- instance lie together under (instance_key, key). Open rows (ended, resolved, completed IS NULL) have small partial
-- indexes; texts that a definition knows (names, types of elements) are joined, not repeated.
-- Columns stand in the order that wastes no alignment; the column lists in projections/ name them.

CREATE SCHEMA read_model;

-- How far the projector has come; same columns as the eventsourcing library's single-row tracking table.
CREATE TABLE read_model.tracking (
    application_name text PRIMARY KEY,
    notification_id bigint NOT NULL,
    reflects_at bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10);
INSERT INTO read_model.tracking VALUES ('__migration__', 1, 0), ('read_models', 0, 0);

-- Events whose projection failed, and all later events of their streams, in order, until they are redriven.
CREATE TABLE read_model.quarantine (
    position bigint PRIMARY KEY,
    stream uuid NOT NULL,
    version bigint NOT NULL,
    topic text NOT NULL,
    reason text NOT NULL
);
CREATE INDEX quarantine_stream ON read_model.quarantine (stream);

CREATE TABLE read_model.process_instances (
    instance_key bigint PRIMARY KEY,
    definition_key bigint NOT NULL,
    started bigint NOT NULL,
    ended bigint,
    parent_key bigint,
    parent_element_key bigint,
    root_key bigint,
    state smallint NOT NULL,
    business_id text,
    tags text[],
    tenant text NOT NULL
) WITH (
    fillfactor = 85,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.02,
    autovacuum_vacuum_cost_delay = 0
);
CREATE INDEX process_instances_of_definition ON read_model.process_instances (definition_key, instance_key);
CREATE INDEX process_instances_started ON read_model.process_instances (started, instance_key);
CREATE INDEX process_instances_open ON read_model.process_instances (instance_key) WHERE ended IS NULL;
CREATE INDEX process_instances_of_parent ON read_model.process_instances (parent_key) WHERE parent_key IS NOT NULL;
CREATE INDEX process_instances_of_business ON read_model.process_instances (business_id) WHERE business_id IS NOT NULL;

CREATE TABLE read_model.element_instances (
    instance_key bigint NOT NULL,
    key bigint NOT NULL,
    scope_key bigint NOT NULL,
    started bigint NOT NULL,
    ended bigint,
    state smallint NOT NULL,
    is_body boolean NOT NULL,
    element_id text NOT NULL,
    tenant text NOT NULL,
    PRIMARY KEY (instance_key, key)
) WITH (
    fillfactor = 90,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.02,
    autovacuum_vacuum_cost_delay = 0
);

CREATE TABLE read_model.variables (
    instance_key bigint NOT NULL,
    key bigint NOT NULL,
    scope_key bigint NOT NULL,
    name text NOT NULL,
    value text NOT NULL,
    tenant text NOT NULL,
    PRIMARY KEY (instance_key, key)
) WITH (fillfactor = 95);
-- "which instances have orderId = 4711": four bytes a variable, compared in full afterwards
CREATE INDEX variables_by_value ON read_model.variables (hashtext(name || '=' || value));

CREATE TABLE read_model.jobs (
    instance_key bigint NOT NULL,
    key bigint NOT NULL,
    element_key bigint NOT NULL,
    created bigint NOT NULL,
    updated bigint NOT NULL,
    ended bigint,
    deadline bigint,
    retries integer NOT NULL,
    state smallint NOT NULL,
    element_id text NOT NULL,
    type text NOT NULL,
    worker text,
    error_code text,
    error_message text,
    tenant text NOT NULL,
    PRIMARY KEY (instance_key, key)
) WITH (
    fillfactor = 80,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.02,
    autovacuum_vacuum_cost_delay = 0
);
CREATE INDEX jobs_open ON read_model.jobs (instance_key) WHERE ended IS NULL;

CREATE TABLE read_model.user_tasks (
    instance_key bigint NOT NULL,
    key bigint NOT NULL,
    element_key bigint NOT NULL,
    created bigint NOT NULL,
    ended bigint,
    due bigint,
    follow_up bigint,
    form_key bigint,
    priority integer NOT NULL,
    state smallint NOT NULL,
    element_id text NOT NULL,
    assignee text,
    candidate_groups text[],
    candidate_users text[],
    external_form text,
    tenant text NOT NULL,
    PRIMARY KEY (instance_key, key)
) WITH (
    fillfactor = 80,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.02,
    autovacuum_vacuum_cost_delay = 0
);
CREATE INDEX user_tasks_open ON read_model.user_tasks (instance_key, key) WHERE ended IS NULL;
CREATE INDEX user_tasks_assigned ON read_model.user_tasks (assignee, instance_key) WHERE ended IS NULL AND assignee IS NOT NULL;

CREATE TABLE read_model.incidents (
    instance_key bigint NOT NULL,
    key bigint NOT NULL,
    element_key bigint NOT NULL,
    created bigint NOT NULL,
    ended bigint,
    job_key bigint,
    state smallint NOT NULL,
    element_id text NOT NULL,
    type text NOT NULL,
    message text NOT NULL,
    tenant text NOT NULL,
    PRIMARY KEY (instance_key, key)
);
CREATE INDEX incidents_open ON read_model.incidents (instance_key) WHERE ended IS NULL;

-- Parts numbered beyond an instance's first 4,096 keys: which instance a block of keys belongs to.
CREATE TABLE read_model.key_blocks (
    block bigint PRIMARY KEY,
    instance_key bigint NOT NULL
);

CREATE TABLE read_model.process_definitions (
    key bigint PRIMARY KEY,
    deployment_key bigint NOT NULL,
    deployed bigint NOT NULL,
    version integer NOT NULL,
    has_start_form boolean NOT NULL,
    id text NOT NULL,
    name text,
    version_tag text,
    resource_name text NOT NULL,
    start_form text,
    checksum text NOT NULL,
    tenant text NOT NULL,
    source text NOT NULL
);
CREATE INDEX process_definitions_versions ON read_model.process_definitions (tenant, id, version);

CREATE TABLE read_model.definition_elements (
    definition_key bigint NOT NULL,
    element_id text NOT NULL,
    type text NOT NULL,
    name text,
    headers text,
    PRIMARY KEY (definition_key, element_id)
);

CREATE TABLE read_model.forms (
    key bigint PRIMARY KEY,
    deployment_key bigint NOT NULL,
    deployed bigint NOT NULL,
    version integer NOT NULL,
    id text NOT NULL,
    version_tag text,
    resource_name text NOT NULL,
    checksum text NOT NULL,
    tenant text NOT NULL,
    source text NOT NULL
);
CREATE INDEX forms_versions ON read_model.forms (tenant, id, version);

CREATE TABLE read_model.decision_requirements (
    key bigint PRIMARY KEY,
    deployment_key bigint NOT NULL,
    deployed bigint NOT NULL,
    version integer NOT NULL,
    id text NOT NULL,
    name text,
    version_tag text,
    resource_name text NOT NULL,
    checksum text NOT NULL,
    tenant text NOT NULL,
    source text NOT NULL
);
CREATE INDEX decision_requirements_versions ON read_model.decision_requirements (tenant, id, version);

CREATE TABLE read_model.decisions (
    key bigint PRIMARY KEY,
    requirements_key bigint NOT NULL,
    deployment_key bigint NOT NULL,
    version integer NOT NULL,
    id text NOT NULL,
    name text,
    version_tag text,
    tenant text NOT NULL
);
CREATE INDEX decisions_versions ON read_model.decisions (tenant, id, version);
CREATE INDEX decisions_of_requirements ON read_model.decisions (requirements_key, id);

CREATE TABLE read_model.decision_instances (
    evaluation_key bigint NOT NULL,
    instance_key bigint,
    element_key bigint,
    root_decision_key bigint NOT NULL,
    requirements_key bigint NOT NULL,
    evaluated bigint NOT NULL,
    version integer NOT NULL,
    number smallint NOT NULL,
    state smallint NOT NULL,
    decision_id text NOT NULL,
    decision_name text,
    type text NOT NULL,
    result text NOT NULL,
    failure text,
    inputs text NOT NULL,
    rules text NOT NULL,
    tenant text NOT NULL,
    PRIMARY KEY (evaluation_key, number)
);
CREATE INDEX decision_instances_of_instance ON read_model.decision_instances (instance_key)
    WHERE instance_key IS NOT NULL;
