"""Commands that keep to the laws, or break one of them."""

import click


@click.command()
def toy() -> None:
    """Say hello."""


def no_command() -> None:
    """Not decorated."""


@click.command()
def silent() -> None:
    pass


@click.command(add_help_option=False)
def helpless() -> None:
    """Do something."""
