"""Tests of domain/dmn."""
