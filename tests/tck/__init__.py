"""The DMN Technology Compatibility Kit run on our own implementation: `python -m tests.tck CASES.jsonl`."""
