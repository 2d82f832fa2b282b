"""The read side: one file per read model (event → row changes), the query ports, history and verification."""
