"""`python -m genre` is the command line."""

from genre.cli.main import main

main()
