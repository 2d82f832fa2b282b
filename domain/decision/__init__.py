"""A decision evaluated on its own (not by a process instance): one stream with one event per evaluation."""
