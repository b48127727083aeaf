"""Replicate: predictions of many vendors' models, each with an input schema of its own."""

from collections.abc import Mapping

from meshapi_server.upstreams.adapter import Adapter, Registration

from .adapter import Replicate

__all__ = ["REPLICATE", "Replicate"]


def _build(_: Mapping[str, str]) -> Adapter:
    return Replicate()


REPLICATE = Registration(
    name="replicate",
    build=_build,
    credentials={"key": ("REPLICATE_API_TOKEN",)},
    base_url=Replicate.base_url,
)
