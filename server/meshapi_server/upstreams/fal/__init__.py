"""fal.ai's queue: one protocol in front of many vendors' models."""

from collections.abc import Mapping

from meshapi_server.upstreams.adapter import Adapter, Registration

from .adapter import Fal

__all__ = ["FAL", "Fal"]


def _build(options: Mapping[str, str]) -> Adapter:
    return Fal(base_url=options.get(Registration.BASE_URL, ""), keys_url=options.get("keys_url", ""))


FAL = Registration(
    name="fal",
    build=_build,
    credentials={"key": ("FAL_KEY",)},
    options={"keys_url": ("MESHAPI_FAL_KEYS_URL",)},
    base_url=Fal.base_url,
)
