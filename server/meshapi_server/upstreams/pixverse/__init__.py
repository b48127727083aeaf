"""PixVerse's own API: images are uploaded first, and an error may come with HTTP 200."""

from meshapi_server.upstreams.adapter import Registration

from .adapter import PixVerse

__all__ = ["PIXVERSE", "PixVerse"]

PIXVERSE = Registration(
    name="pixverse",
    build=lambda _: PixVerse(),
    credentials={"key": ("PIXVERSE_API_KEY",)},
    base_url=PixVerse.base_url,
)
