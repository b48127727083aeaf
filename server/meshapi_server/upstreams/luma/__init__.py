"""Luma's two APIs: Agents with Ray 3.2, and the older Dream Machine with Ray 2."""

from collections.abc import Mapping

from meshapi_server.upstreams.adapter import Adapter, Registration

from .adapter import Luma

__all__ = ["LUMA", "Luma"]


def _build(options: Mapping[str, str]) -> Adapter:
    return Luma(base_url=options.get(Registration.BASE_URL, ""), dream_url=options.get("dream_url", ""))


LUMA = Registration(
    name="luma",
    build=_build,
    credentials={"agents": ("LUMA_AGENTS_API_KEY", "LUMA_API_KEY"), "dream": ("LUMAAI_API_KEY",)},
    options={"dream_url": ("MESHAPI_LUMA_DREAM_MACHINE_URL",)},
    needs=(("agents",), ("dream",)),
    base_url=Luma.base_url,
)
