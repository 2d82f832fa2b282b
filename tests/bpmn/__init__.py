"""Checking models at deployment, converting models of Camunda 7, and the drawn examples."""
