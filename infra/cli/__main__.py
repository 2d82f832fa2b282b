"""`python -m infra.cli`: the same as `flowledger`."""

from infra.cli.main import main

main()
