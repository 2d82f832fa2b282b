"""Measurements: `make bench` prints our durable rates, the bare database's, and the peers', all from one run."""
