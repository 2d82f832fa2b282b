"""In-memory stand-ins for the ports; the contract suites in tests/contracts hold them to what the real ones do."""
