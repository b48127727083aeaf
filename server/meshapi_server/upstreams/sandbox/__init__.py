"""sandbox/*: scripted behaviour, for tests of applications. Takes the same road as a paid upstream."""

from .upstream import Sandbox

__all__ = ["Sandbox"]
