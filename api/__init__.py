"""The HTTP API: Camunda's Orchestration Cluster REST API v2, and Flowledger's own additions in its style.

    shell       who may ask (Host, Origin), security headers, unexpected errors
    app         the FastAPI application; services: the ports and settings it is given
    routes/     the operations, one module per resource, each with a literal table; routes/__init__ lists them all
    call        one request in a handler's hands; reading: its body, bounded and decoded; bodies: the records
    reads       searches and reads by key, and how fresh they are
    commits     what this server just committed, for those who wait; job_activation: long polling
    errors      errors → problem details; openapi: the document and the page

A new operation: its body in `bodies`, its handler and its line in a table of `routes/`.
"""
