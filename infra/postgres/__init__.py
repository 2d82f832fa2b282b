"""PostgreSQL adapters: migrations, the event log with its wait-state index, key lanes, read models."""
