"""The monitoring store: ClickHouse, either a server or the embedded engine (chDB) behind its owner process."""
