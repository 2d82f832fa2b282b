"""The monitoring store's read side: events → rows of ClickHouse (facts.py, rows.py), and what is asked of them
(reports/). Pure: infra/clickhouse writes and asks."""
