"""The command line, on click and rich. A module for each family of commands."""
