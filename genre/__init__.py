"""GENRE: LLM-powered generative news recommendation, made of plugins."""

from genre.hooks import hookimpl
from genre.version import __version__

__all__ = ["__version__", "hookimpl"]
