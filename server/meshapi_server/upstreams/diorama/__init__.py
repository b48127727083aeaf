"""mesh/diorama-1: the built-in procedural renderer, as a local upstream."""

from .upstream import Diorama

__all__ = ["Diorama"]
