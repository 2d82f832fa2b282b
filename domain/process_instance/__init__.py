"""The process instance: the event-sourced aggregate that executes a BPMN definition."""
