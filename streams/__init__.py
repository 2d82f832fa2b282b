"""Feeds of the log, and what runs on them."""
