"""What `make run` starts by itself on one machine: PostgreSQL, and Kafka for the tests."""
