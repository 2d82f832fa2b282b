"""Tests of the FEEL language, by area; most are tables of expression and value."""
