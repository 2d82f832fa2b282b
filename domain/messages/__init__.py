"""Messages and signals on their way: a published message and a broadcast signal are aggregates with streams of their
own, so that they outlive whoever sent them and are delivered exactly once."""
