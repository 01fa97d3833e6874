"""`python -m host.cli`: the command without its script."""

from host.cli import main

main()
