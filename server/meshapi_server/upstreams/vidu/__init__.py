"""Vidu: routes for text, frames and references; a task carries our mark in its payload."""

from meshapi_server.upstreams.adapter import Registration

from .adapter import Vidu

__all__ = ["VIDU", "Vidu"]

VIDU = Registration(
    name="vidu",
    build=lambda _: Vidu(),
    credentials={"key": ("VIDU_API_KEY",)},
    base_url=Vidu.base_url,
)
