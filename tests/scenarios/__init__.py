"""BPMN scenarios: what a model does, step by step, played in the domain alone and over HTTP (docs/scenarios.md)."""
