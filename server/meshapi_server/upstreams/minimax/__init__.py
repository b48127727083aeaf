"""MiniMax: H3 on the second version of its video API, Hailuo and S2V on the first."""

from collections.abc import Mapping

from meshapi_server.upstreams.adapter import Adapter, Registration

from .adapter import MiniMax

__all__ = ["MINIMAX", "MiniMax"]


def _build(_: Mapping[str, str]) -> Adapter:
    return MiniMax()


MINIMAX = Registration(
    name="minimax",
    build=_build,
    credentials={"key": ("MINIMAX_API_KEY",)},
    base_url=MiniMax.base_url,
)
