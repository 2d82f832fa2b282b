"""Deployed resources: process definitions, forms and decisions, one event stream per (tenant, kind, id)."""
