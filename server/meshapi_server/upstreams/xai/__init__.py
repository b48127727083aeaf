"""xAI's Grok Imagine video models."""

from collections.abc import Mapping

from meshapi_server.upstreams.adapter import Adapter, Registration

from .adapter import GrokImagine

__all__ = ["XAI", "GrokImagine"]


def _build(_: Mapping[str, str]) -> Adapter:
    return GrokImagine()


XAI = Registration(
    name="xai",
    build=_build,
    credentials={"key": ("XAI_API_KEY",)},
    base_url=GrokImagine.base_url,
)
