"""The monitoring store, on the real engine (chDB)."""
