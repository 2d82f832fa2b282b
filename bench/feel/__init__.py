"""Benchmarks of FEEL."""
