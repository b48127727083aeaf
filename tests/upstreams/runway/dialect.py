"""Runway's tasks as its API serves them. Our mark is the ``Idempotency-Key`` header, which Runway ignores."""

from collections.abc import Iterable
from typing import Any

from aiohttp import web
from tests.upstreams.fake.dialect import Dialect, Refusal, answer
from tests.upstreams.fake.sale import Order, Sale, Stage
from tests.upstreams.fake.shop import Shop

_ROUTES = ("/v1/text_to_video", "/v1/image_to_video", "/v1/video_to_video")
_STATUSES: dict[Stage, str] = {
    "queued": "PENDING",
    "running": "RUNNING",
    "strange": "UPSCALING",
    "succeeded": "SUCCEEDED",
    "failed": "FAILED",
    "moderated": "FAILED",
    "cancelled": "CANCELLED",
}
_WORDS: dict[Refusal, int] = {
    "rate_limited": 429,
    "overloaded": 503,
    "invalid": 400,
    "moderated_input": 400,
    "unauthorised": 401,
    "no_funds": 400,
    "model_gone": 400,
    "error": 500,
    "missing": 404,
}
_PRICE = 60


class Runway(Dialect):
    """One organisation. What its safety check refuses is accepted first, and fails."""

    name = "runway"
    base_path = "/runway"
    late = frozenset({"moderated_input"})

    def routes(self, shop: Shop) -> Iterable[web.RouteDef]:
        async def create(request: web.Request) -> web.StreamResponse:
            if request.headers.get("x-runway-version") != "2024-11-06":
                return self.refusal("invalid", "The header X-Runway-Version is missing.")
            body = await request.json()
            key = request.headers.get("idempotency-key")
            order = Order(dialect=self.name, prompt=body.get("promptText", ""), token=key, details=body)
            return await shop.sell(request, order, self)

        async def show(request: web.Request) -> web.StreamResponse:
            return await shop.look(request, self, lambda: self._show(request, shop))

        async def remove(request: web.Request) -> web.StreamResponse:
            return await shop.look(request, self, lambda: self._remove(request, shop), "cancels")

        return (
            *(web.post(route, create) for route in _ROUTES),
            web.get("/v1/tasks/{reference}", show),
            web.delete("/v1/tasks/{reference}", remove),
        )

    def created(self, sale: Sale, shop: Shop) -> web.Response:
        return answer({"id": sale.reference, "estimatedCost": {"credits": _PRICE}})

    def refusal(self, refusal: Refusal, words: str) -> web.Response:
        if refusal == "no_funds":
            words = f"You do not have enough credits to run this task. ({words})"
        return answer({"error": words}, _WORDS[refusal])

    def _show(self, request: web.Request, shop: Shop) -> web.Response:
        sale = shop.find(request.match_info["reference"])
        if sale is None or sale.cancelled_at is not None:  # what was aborted cannot be fetched again
            return self.refusal("missing", "Task not found.")
        return answer(self._task(sale, sale.stage(shop.clock()), shop))

    def _remove(self, request: web.Request, shop: Shop) -> web.Response:
        sale = shop.find(request.match_info["reference"])
        if sale is None:
            return self.refusal("missing", "Task not found.")
        if sale.stage(shop.clock()) in {"queued", "running", "strange"}:
            shop.cancel(sale)
        else:
            sale.deleted = True
        return web.Response(status=204)

    def _task(self, sale: Sale, stage: Stage, shop: Shop) -> dict[str, Any]:
        task: dict[str, Any] = {
            "id": sale.reference,
            "status": _STATUSES[stage],
            "createdAt": "2026-11-21T01:00:00.000Z",
        }
        match stage:
            case "queued":
                task["estimatedCost"] = {"credits": _PRICE}
            case "running" | "strange":
                task |= {"progress": sale.fraction(shop.clock()), "estimatedCost": {"credits": _PRICE}}
            case "succeeded":
                videos = [] if sale.plot == "no_result" else [shop.file_url(sale, "video.mp4")]
                task |= {"output": videos, "cost": {"credits": _PRICE}}
            case "failed" | "moderated":
                task |= {**_failure(sale, stage), "cost": {"credits": 0}}
        return task


def _failure(sale: Sale, stage: Stage) -> dict[str, str]:
    if stage == "moderated":
        return {"failure": "The output was withheld.", "failureCode": "SAFETY.OUTPUT.VIDEO"}
    if sale.plot == "moderated_input":
        return {"failure": "The input was not allowed.", "failureCode": "SAFETY.INPUT.TEXT"}
    return {"failure": "An unexpected error occurred.", "failureCode": "INTERNAL.BAD_OUTPUT.CODE01"}
