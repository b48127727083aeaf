"""Alibaba Model Studio (DashScope): Wan, and the other vendors' models behind the same protocol."""

from collections.abc import Mapping

from meshapi_server.upstreams.adapter import Adapter, Registration

from .adapter import Alibaba

__all__ = ["ALIBABA", "Alibaba"]


def _build(options: Mapping[str, str]) -> Adapter:
    return Alibaba(workspace=options.get("workspace", ""))


ALIBABA = Registration(
    name="alibaba",
    build=_build,
    credentials={"key": ("DASHSCOPE_API_KEY",)},
    options={"workspace": ("DASHSCOPE_WORKSPACE_ID",)},
    base_url=Alibaba.base_url,
)
