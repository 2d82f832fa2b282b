"""The command line. `main` gathers the commands; each other module holds those of one topic."""
