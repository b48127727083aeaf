"""Inline inputs (data URIs) are kept apart from the task: they may hold megabytes and are read once."""

from collections.abc import Mapping

from msgspec.structs import replace

from .spec import Spec

_INLINE = 2048  # characters; a shorter data URI stays where it is


def detach(spec: Spec) -> tuple[Spec, Mapping[int, str]]:
    """The spec with its long data URIs replaced by names, and those data URIs by their item's index."""
    inputs = {
        item.index: item.url
        for item in spec.content
        if item.url is not None and item.url[:5].lower() == "data:" and len(item.url) > _INLINE
    }
    if not inputs:
        return spec, inputs
    content = tuple(
        replace(item, url=_name(item.index)) if item.index in inputs else item for item in spec.content
    )
    return replace(spec, content=content), inputs


def attach(spec: Spec, inputs: Mapping[int, str]) -> Spec:
    """The spec as it was before :func:`detach`."""
    if not inputs:
        return spec
    content = tuple(
        replace(item, url=inputs[item.index]) if item.index in inputs else item for item in spec.content
    )
    return replace(spec, content=content)


def has_inline(spec: Spec) -> bool:
    """Whether something was detached from the spec."""
    return any(item.url == _name(item.index) for item in spec.content)


def _name(index: int) -> str:
    return f"inline:{index}"
