"""PixVerse's videos as its API serves them. Our mark is the ``Idempotency-Key`` header, which it ignores."""

import itertools
from collections.abc import Iterable
from typing import Any

from aiohttp import web
from tests.upstreams.fake.dialect import Dialect, Refusal, answer
from tests.upstreams.fake.sale import Order, Sale, Stage
from tests.upstreams.fake.shop import Received, Shop

_COST = 45  # credits
_BITS = 40  # of a reference's random part
_IMAGES: dict[str, tuple[str, ...]] = {
    "text": (),
    "img": ("img_id",),
    "transition": ("first_frame_img", "last_frame_img"),
}
_STATUSES: dict[Stage, int] = {
    "queued": 2,
    "running": 3,
    "strange": 42,
    "succeeded": 1,
    "failed": 8,
    "moderated": 7,
    "cancelled": 6,
}
_WORDS: dict[Refusal, tuple[int, int, str]] = {
    "rate_limited": (200, 500044, "Reached the limit for concurrent generations."),
    "overloaded": (429, 500044, "Too many requests."),
    "invalid": (200, 400017, "invalid param"),
    "moderated_input": (200, 500054, "The content could not pass the moderation."),
    "unauthorised": (200, 10005, "invalid API key"),
    "no_funds": (200, 500090, "Insufficient balance."),
    "model_gone": (200, 400017, "invalid param: model"),
    "error": (500, 500000, "internal error"),
    "missing": (200, 400018, "The video does not exist."),
}


class PixVerse(Dialect):
    """One account. Nearly every answer's HTTP status is 200."""

    name = "pixverse"
    base_path = "/openapi/v2"  # its published client knows no other

    def __init__(self) -> None:
        self._numbers = itertools.count(101)
        self._traces: set[str] = set()

    def authorised(self, request: web.Request, key: str) -> bool:
        return request.headers.get("api-key") == key

    def routes(self, shop: Shop) -> Iterable[web.RouteDef]:
        images: set[int] = set()

        async def upload(request: web.Request) -> web.StreamResponse:
            headers = {name.lower(): value for name, value in request.headers.items()}
            body = await request.read()
            shop.received.append(Received(request.method, request.path_qs, headers, body))
            if not self._fresh(request):
                return _refused(400011, "Ai-trace-id is missing, or was used before")
            if shop.key is not None and not self.authorised(request, shop.key):
                return self.refusal("unauthorised", "no key")
            if not _has_image(body):
                return _refused(400011, "empty parameter: image")
            number = next(self._numbers)
            images.add(number)
            return _held({"img_id": number, "img_url": f"https://media.example/{number}.png"})

        async def create(request: web.Request) -> web.StreamResponse:
            body = await request.json()
            kind = request.match_info["kind"]
            if not self._fresh(request):
                return _refused(400011, "Ai-trace-id is missing, or was used before")
            if kind not in _IMAGES or any(body.get(name) not in images for name in _IMAGES[kind]):
                return _refused(400017, "invalid param: image")
            key = request.headers.get("idempotency-key")
            order = Order(dialect=self.name, prompt=body.get("prompt", ""), token=key, details=body)
            return await shop.sell(request, order, self)

        async def show(request: web.Request) -> web.StreamResponse:
            return await shop.look(request, self, lambda: self._show(request, shop))

        return (
            web.post("/image/upload", upload),
            web.post("/video/{kind}/generate", create),
            web.get("/video/result/{video}", show),
        )

    def created(self, sale: Sale, shop: Shop) -> web.Response:
        return _held({"video_id": _video_id(sale), "credits": _COST})

    def refusal(self, refusal: Refusal, words: str) -> web.Response:
        status, number, message = _WORDS[refusal]
        return _refused(number, f"{message} ({words})", status)

    def _fresh(self, request: web.Request) -> bool:
        """Whether the request has a name that no other had."""
        trace = request.headers.get("ai-trace-id", "")
        known = not trace or trace in self._traces
        self._traces.add(trace)
        return not known

    def _show(self, request: web.Request, shop: Shop) -> web.Response:
        sale = shop.find(_reference(self.name, int(request.match_info["video"])))
        if sale is None:
            return self.refusal("missing", "unknown")
        if not self._fresh(request):
            return _refused(400011, "Ai-trace-id is missing, or was used before")
        stage = sale.stage(shop.clock())
        video: dict[str, Any] = {"id": _video_id(sale), "status": _STATUSES[stage], "url": ""}
        if stage == "succeeded" and sale.plot != "no_result":
            video["url"] = shop.file_url(sale, "video.mp4")
            video |= {"outputWidth": 1280, "outputHeight": 720, "has_audio": False}
            video["seed"] = sale.order.details.get("seed", 7)
        return _held(video)


def _has_image(form: bytes) -> bool:
    """Whether a form (multipart, or URL-encoded) has a file or a URL."""
    fields = (b'name="image";', b'name="image_url"', b"image_url=")
    return any(field in form for field in fields)


def _video_id(sale: Sale) -> int:
    """The number that stands for a sale's reference, beyond 32 bits as PixVerse's are."""
    return (sale.number << _BITS) + int(sale.reference.rpartition("-")[2], 16)


def _reference(name: str, video: int) -> str:
    return f"{name}-{video >> _BITS}-{video & ((1 << _BITS) - 1):010x}"


def _held(held: dict[str, Any]) -> web.Response:
    return answer({"ErrCode": 0, "ErrMsg": "Success", "Resp": held})


def _refused(number: int, message: str, status: int = 200) -> web.Response:
    return answer({"ErrCode": number, "ErrMsg": message, "Resp": None}, status)
