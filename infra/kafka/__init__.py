"""Kafka: the broker for development and tests, topics, the relay's producer and the feed's consumer."""
