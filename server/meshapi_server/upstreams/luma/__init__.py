"""Luma's two APIs: Agents with Ray 3.2, and the older Dream Machine with Ray 2."""

from collections.abc import Mapping

from meshapi_server.upstreams.adapter import Adapter, Protocol, Registration

from .adapter import Luma

__all__ = ["LUMA", "Luma"]


_AGENTS = ("LUMA_AGENTS_API_KEY", "LUMA_API_KEY")
_DREAM = ("LUMAAI_API_KEY",)


def _build(options: Mapping[str, str]) -> Adapter:
    return Luma(
        base_url=options.get(Registration.BASE_URL, ""),
        dream_url=options.get("dream_url", ""),
        agents="agents" in options or "dream" not in options,
    )


# The keys stand among the options, too, since what the adapter declares depends on which there are.
LUMA = Registration(
    name="luma",
    build=_build,
    credentials={"agents": _AGENTS, "dream": _DREAM},
    options={"dream_url": ("MESHAPI_LUMA_DREAM_MACHINE_URL",), "agents": _AGENTS, "dream": _DREAM},
    needs=(("agents",), ("dream",)),
    base_url=Luma.base_url,
    protocols=(
        Protocol(name="Agents", options={"agents": "a key"}, needs=(("agents",),)),
        Protocol(name="Dream Machine", options={"dream": "a key"}, needs=(("dream",),)),
    ),
)
