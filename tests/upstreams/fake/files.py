"""Results: real small files, served with ranges, or cut in the middle once."""

from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from .sale import Sale

if TYPE_CHECKING:
    from .shop import Shop

_SANDBOX = Path(__file__).parents[3] / "server" / "meshapi_server" / "upstreams" / "sandbox"
FILES = {"video.mp4": _SANDBOX / "clip.mp4", "last_frame.png": _SANDBOX / "last_frame.png"}


async def send_file(request: web.Request, shop: "Shop", sale: Sale, name: str) -> web.StreamResponse:
    """One of FILES; the first download of a sale with the plot ``cut_download`` ends in the middle."""
    shop.counters["downloads"] += 1
    sale.downloads += 1
    path = FILES[name]
    if sale.plot != "cut_download" or sale.downloads > 1:
        return web.FileResponse(path)
    data = path.read_bytes()
    half = web.StreamResponse(headers={"content-length": str(len(data))})
    await half.prepare(request)
    await half.write(data[: len(data) // 2])
    if request.transport is not None:
        request.transport.close()
    return half
