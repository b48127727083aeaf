"""The version of this distribution, kept equal to pyproject.toml by a test."""

__version__ = "0.2.0"
