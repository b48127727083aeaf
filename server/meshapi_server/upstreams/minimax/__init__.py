"""MiniMax: H3 on the second version of its video API, Hailuo and S2V on the first."""

from collections.abc import Mapping

from meshapi_server.upstreams.adapter import Adapter, Protocol, Registration

from .adapter import MiniMax

__all__ = ["MINIMAX", "MiniMax"]

_KEYS = {
    "key": ("MINIMAX_API_KEY",),
    "h3": ("MESHAPI_MINIMAX_H3_API_KEY",),
    "hailuo": ("MESHAPI_MINIMAX_HAILUO_API_KEY",),
}


def _build(options: Mapping[str, str]) -> Adapter:
    """Both versions; with nothing but a key for one of them, that one."""
    both = "key" in options or not {"h3", "hailuo"} & options.keys()
    return MiniMax(h3=both or "h3" in options, hailuo=both or "hailuo" in options)


# A plan may have a key of its own, and models of one kind only. Which keys there are stands among the
# options, too; the adapter keeps none of them.
MINIMAX = Registration(
    name="minimax",
    build=_build,
    credentials=_KEYS,
    options=_KEYS,
    needs=(("key",), ("h3",), ("hailuo",)),
    base_url=MiniMax.base_url,
    protocols=(
        Protocol(name="H3", options={"h3": "a key"}, needs=(("key",), ("h3",))),
        Protocol(name="Hailuo", options={"hailuo": "a key"}, needs=(("key",), ("hailuo",))),
    ),
)
