"""Luma's two APIs as they serve them. Our mark is the ``Idempotency-Key`` header, which Luma ignores."""

from collections.abc import Iterable
from typing import Any

from aiohttp import web
from tests.upstreams.fake.dialect import Dialect, Refusal, answer
from tests.upstreams.fake.sale import Order, Sale, Stage
from tests.upstreams.fake.shop import Shop

_AGENTS: dict[Stage, str] = {
    "queued": "queued",
    "running": "processing",
    "strange": "upscaling",
    "succeeded": "completed",
    "failed": "failed",
    "moderated": "failed",
    "cancelled": "failed",
}
_DREAM: dict[Stage, str] = {**_AGENTS, "running": "dreaming"}
_WORDS: dict[Refusal, tuple[int, str]] = {
    "rate_limited": (429, "Too many requests"),
    "overloaded": (503, "Service unavailable"),
    "invalid": (422, "The request is not valid"),
    "moderated_input": (400, "The prompt did not pass moderation"),
    "unauthorised": (401, "Unauthorized"),
    "no_funds": (402, "Insufficient credits"),
    "model_gone": (404, "The model is not served"),
    "error": (500, "Internal server error"),
    "missing": (404, "Generation not found"),
}
_HOUR = 3600  # s; how long an address of Agents is good


class Luma(Dialect):
    """One account on both."""

    name = "luma"
    base_path = "/luma"

    def routes(self, shop: Shop) -> Iterable[web.RouteDef]:
        def create(dream: bool) -> Any:
            async def handle(request: web.Request) -> web.StreamResponse:
                body = await request.json()
                order = Order(
                    dialect=self.name,
                    prompt=body.get("prompt", ""),
                    token=request.headers.get("idempotency-key"),
                    details={"request": body, "dream": dream},
                )
                return await shop.sell(request, order, self)

            return handle

        def show(dream: bool) -> Any:
            async def handle(request: web.Request) -> web.StreamResponse:
                return await shop.look(request, self, lambda: self._show(request, shop, dream))

            return handle

        return (
            web.post("/generations", create(dream=False)),
            web.get("/generations/{reference}", show(dream=False)),
            web.post("/dream-machine/v1/generations/video", create(dream=True)),
            web.get("/dream-machine/v1/generations/{reference}", show(dream=True)),
        )

    def created(self, sale: Sale, shop: Shop) -> web.Response:
        return answer(_generation(sale, "queued", shop), 201)

    def refusal(self, refusal: Refusal, words: str) -> web.Response:
        status, detail = _WORDS[refusal]
        return answer({"detail": f"{detail} ({words})"}, status)

    def _show(self, request: web.Request, shop: Shop, dream: bool) -> web.Response:
        sale = shop.find(request.match_info["reference"])
        if sale is None or sale.order.details["dream"] is not dream:
            return self.refusal("missing", "unknown")
        return answer(_generation(sale, sale.stage(shop.clock()), shop))


def _generation(sale: Sale, stage: Stage, shop: Shop) -> dict[str, Any]:
    asked = sale.order.details["request"]
    common = {"id": sale.reference, "model": asked["model"], "created_at": "2026-11-21T08:00:00Z"}
    done = stage == "succeeded" and sale.plot != "no_result"
    code, reason = _failure(stage)
    if sale.order.details["dream"]:
        assets = {"video": shop.file_url(sale, "video.mp4"), "progress_video": None} if done else None
        told = {"generation_type": "video", "failure_reason": reason, "assets": assets, "request": asked}
        return {**common, "state": _DREAM[stage], **told}
    failure = {"failure_code": code, "failure_reason": reason} if code else {}
    output = [{"type": "video", "url": _presigned(sale, shop)}] if done else None
    return {**common, "type": "video", "state": _AGENTS[stage], "output": output, **failure}


def _presigned(sale: Sale, shop: Shop) -> str:
    """An address that is made for this look, and good for an hour."""
    expires = int(shop.clock()) + _HOUR
    return f"{shop.url}/files/{sale.reference}/video.mp4?expires={expires}&signature={sale.number}"


def _failure(stage: Stage) -> tuple[str | None, str | None]:
    if stage == "moderated":
        return "content_moderated", "The content did not pass moderation."
    return ("generation_failed", "The generation failed.") if stage == "failed" else (None, None)
