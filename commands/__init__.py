"""The write side: one file per command (its record and its pure decide), and the bus that carries them to the log."""
