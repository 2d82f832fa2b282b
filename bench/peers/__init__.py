"""Peers and the ceiling: other engines and the bare database on the same machine, models and PostgreSQL as our own run.

Every module has `run(url, ...) -> dict` and can be started by itself: `python -m bench.peers.ceiling URL`.
"""
