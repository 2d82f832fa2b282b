"""The pure core: BPMN, FEEL, DMN and the aggregates. No I/O, clock, randomness or environment."""
