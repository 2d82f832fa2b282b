-- What one instance owes another (peer; 0: an instance that is to be created), until a follow-up command has delivered
-- it. A queue: rows come and go, so vacuum early.
CREATE TABLE wait_deliveries (
    instance_key bigint NOT NULL,
    local        bigint NOT NULL,
    kind         text   NOT NULL,
    peer         bigint NOT NULL,
    PRIMARY KEY (instance_key, local)
) WITH (
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_cost_delay = 0
);
