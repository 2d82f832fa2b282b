"""Tests of the read side: projections, projector, queries, history, verification."""
