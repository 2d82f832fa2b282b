"""The engine's own tests: decisions in memory, no database."""
