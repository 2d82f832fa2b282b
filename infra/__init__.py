"""Everything that touches the outside: databases, processes, the environment, and the wiring (bootstrap)."""
