"""xAI's video endpoints as its REST API serves them. Our mark is the ``Idempotency-Key`` header."""

from collections.abc import Iterable
from typing import Any

from aiohttp import web
from tests.upstreams.fake.dialect import Dialect, Refusal, answer
from tests.upstreams.fake.sale import Order, Sale, Stage
from tests.upstreams.fake.shop import Shop

_WORDS: dict[Refusal, tuple[int, str, str]] = {
    "rate_limited": (429, "Some resource has been exhausted", "Too many requests."),
    "overloaded": (503, "The service is currently unavailable", "At capacity."),
    "invalid": (400, "Client specified an invalid argument", "Invalid request content."),
    "moderated_input": (
        400,
        "Client specified an invalid argument",
        "The prompt was rejected by content moderation.",
    ),
    "unauthorised": (401, "The caller is not authenticated", "Incorrect API key provided."),
    "no_funds": (403, "The caller does not have permission", "The team has used all available credits."),
    "model_gone": (404, "Some requested entity was not found", "The model does not exist."),
    "error": (500, "Internal error", "Internal error."),
    "missing": (404, "Some requested entity was not found", "There is no such request."),
}
_TICKS = 4_000_000_000  # of 1e-10 USD


class XAI(Dialect):
    """One team."""

    name = "xai"
    base_path = "/xai/v1"

    def routes(self, shop: Shop) -> Iterable[web.RouteDef]:
        async def create(request: web.Request) -> web.StreamResponse:
            body = await request.json()
            key = request.headers.get("idempotency-key")
            order = Order(dialect=self.name, prompt=body.get("prompt", ""), token=key, details=body)
            return await shop.sell(request, order, self)

        async def show(request: web.Request) -> web.StreamResponse:
            return await shop.look(request, self, lambda: self._show(request, shop))

        return (
            web.post("/videos/generations", create),
            web.post("/videos/edits", create),
            web.get("/videos/{reference}", show),
        )

    def created(self, sale: Sale, shop: Shop) -> web.Response:
        return answer({"request_id": sale.reference})

    def refusal(self, refusal: Refusal, words: str) -> web.Response:
        status, code, sentence = _WORDS[refusal]
        return answer({"code": code, "error": f"{sentence} ({words})"}, status)

    def _show(self, request: web.Request, shop: Shop) -> web.Response:
        sale = shop.find(request.match_info["reference"])
        if sale is None:
            return self.refusal("missing", "unknown")
        match sale.stage(shop.clock()):
            case "queued":
                return web.Response(status=202)  # without a body
            case "running":
                progress = int(sale.fraction(shop.clock()) * 100)
                return answer({"status": "pending", "progress": progress}, 202)
            case "strange":
                return answer({"status": "upscaling"})
            case "succeeded":
                return answer(_done(sale, shop))
            case "moderated":
                return answer(_rejected(), 400)
            case stage:
                return answer(_failed(sale, stage))


def _done(sale: Sale, shop: Shop) -> dict[str, Any]:
    body = sale.order.details
    video = {"duration": body.get("duration", 8), "respect_moderation": True}
    if sale.plot != "no_result":
        video["url"] = shop.file_url(sale, "video.mp4")
    return {
        "status": "done",
        "video": video,
        "model": body["model"],
        "progress": 100,
        "usage": {"cost_in_usd_ticks": _TICKS},
    }


def _rejected() -> dict[str, Any]:
    return {
        "code": "Client specified an invalid argument",
        "error": "Generated video rejected by content moderation.",
        "usage": {"cost_in_usd_ticks": _TICKS},
    }


def _failed(sale: Sale, stage: Stage) -> dict[str, Any]:
    return {
        "status": "failed",
        "error": {"code": "internal_error", "message": "The video could not be made."},
    }
