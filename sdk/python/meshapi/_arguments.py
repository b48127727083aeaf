"""The keyword arguments of methods, for type checkers: nothing of this is loaded when a program runs."""

from ._calls import CreateOptions, RequestOptions
from .types import ListVideoGenerationsFields, VideoGenerationFields


class GenerateArguments(VideoGenerationFields, CreateOptions, total=False):
    """The keyword arguments of ``generate``: the parameters and the options."""


class ListArguments(ListVideoGenerationsFields, RequestOptions, total=False):
    """The keyword arguments of ``list`` and ``iter``: the parameters and the options."""
