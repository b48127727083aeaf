"""Runway's API: its own models, and a router to those of others."""

from collections.abc import Mapping

from meshapi_server.upstreams.adapter import Adapter, Registration

from .adapter import Runway

__all__ = ["RUNWAY", "Runway"]


def _build(_: Mapping[str, str]) -> Adapter:
    return Runway()


RUNWAY = Registration(
    name="runway",
    build=_build,
    credentials={"key": ("RUNWAYML_API_SECRET",)},
    base_url=Runway.base_url,
)
