"""Replicate's predictions as its API serves them. Our mark is the ``Idempotency-Key`` header."""

import base64
import hmac
import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web
from tests.upstreams.fake.dialect import Dialect, Refusal, answer
from tests.upstreams.fake.sale import Order, Sale, Stage
from tests.upstreams.fake.shop import Shop

SECRET = "whsec_" + base64.b64encode(b"the signing secret of the fake").decode()
_KEPT = 3600.0  # s
_STATUSES: dict[Stage, str] = {
    "queued": "starting",
    "running": "processing",
    "strange": "warming",
    "succeeded": "succeeded",
    "failed": "failed",
    "moderated": "failed",
    "cancelled": "canceled",
}
_WORDS: dict[Refusal, tuple[int, str]] = {
    "rate_limited": (429, "Request was throttled."),
    "overloaded": (503, "Service unavailable"),
    "invalid": (422, "Input validation failed"),
    "moderated_input": (422, "The input was refused"),
    "unauthorised": (401, "Unauthenticated"),
    "no_funds": (402, "Insufficient credit"),
    "model_gone": (404, "Not found"),
    "error": (500, "Internal server error"),
    "missing": (404, "Not found"),
}
_INPUT: dict[str, Any] = {
    "type": "object",
    "required": ["prompt"],
    "properties": {
        "prompt": {"type": "string"},
        "image": {"type": "string", "format": "uri"},
        "duration": {"allOf": [{"$ref": "#/components/schemas/duration"}], "default": 8},
        "aspect_ratio": {"allOf": [{"$ref": "#/components/schemas/aspect_ratio"}]},
        "resolution": {"type": "string"},
        "generate_audio": {"type": "boolean"},
        "seed": {"type": "integer"},
    },
}
_SCHEMAS = {
    "Input": _INPUT,
    "duration": {"type": "integer", "enum": [4, 6, 8]},
    "aspect_ratio": {"type": "string", "enum": ["16:9", "9:16"]},
}


class Replicate(Dialect):
    """One account. What its models refuse for its content is accepted first, and fails."""

    name = "replicate"
    base_path = "/replicate/v1"
    late = frozenset({"moderated_input"})

    def routes(self, shop: Shop) -> Iterable[web.RouteDef]:
        async def create(request: web.Request) -> web.StreamResponse:
            body = await request.json()
            named = request.match_info.get("owner"), request.match_info.get("model")
            order = Order(
                dialect=self.name,
                prompt=body["input"].get("prompt", ""),
                token=request.headers.get("idempotency-key"),
                callback_url=body.get("webhook"),
                details={**body, "model": "/".join(part for part in named if part)},
            )
            return await shop.sell(request, order, self)

        async def model(request: web.Request) -> web.StreamResponse:
            if shop.key is not None and not self.authorised(request, shop.key):
                return self.refusal("unauthorised", "no key")
            return answer(_model(request.match_info["owner"], request.match_info["model"]))

        async def show(request: web.Request) -> web.StreamResponse:
            return await shop.look(request, self, lambda: self._show(request, shop))

        async def cancel(request: web.Request) -> web.StreamResponse:
            return await shop.look(request, self, lambda: self._cancel(request, shop), "cancels")

        async def secret(request: web.Request) -> web.StreamResponse:
            return await shop.look(request, self, lambda: answer({"key": SECRET}), "secrets")

        return (
            web.post("/predictions", create),
            web.get("/models/{owner}/{model}", model),
            web.post("/models/{owner}/{model}/predictions", create),
            web.get("/predictions/{reference}", show),
            web.post("/predictions/{reference}/cancel", cancel),
            web.get("/webhooks/default/secret", secret),
        )

    def created(self, sale: Sale, shop: Shop) -> web.Response:
        return answer(self._prediction(sale, "queued", shop), 201)

    def refusal(self, refusal: Refusal, words: str) -> web.Response:
        status, title = _WORDS[refusal]
        return answer({"title": title, "detail": f"{title} ({words})", "status": status}, status)

    def announcement(self, sale: Sale, stage: Stage, shop: Shop) -> tuple[bytes, Mapping[str, str]] | None:
        if stage == "queued":
            return None  # what was asked for: the start and the end
        body = json.dumps(self._prediction(sale, stage, shop)).encode()
        return body, signed(f"msg_{sale.number}_{stage}", body, int(time.time()))

    def _show(self, request: web.Request, shop: Shop) -> web.Response:
        sale = shop.find(request.match_info["reference"])
        if sale is None:
            return self.refusal("missing", "unknown")
        return answer(self._prediction(sale, sale.stage(shop.clock()), shop))

    def _cancel(self, request: web.Request, shop: Shop) -> web.Response:
        sale = shop.find(request.match_info["reference"])
        if sale is None:
            return self.refusal("missing", "unknown")
        if sale.stage(shop.clock()) in {"queued", "running", "strange"}:
            shop.cancel(sale)
        return answer(self._prediction(sale, sale.stage(shop.clock()), shop))

    def _prediction(self, sale: Sale, stage: Stage, shop: Shop) -> dict[str, Any]:
        place = f"{shop.url}{self.base_path}/predictions/{sale.reference}"
        removed = stage == "succeeded" and shop.clock() > sale.ends_at + _KEPT
        prediction: dict[str, Any] = {
            "id": sale.reference,
            "model": sale.order.details["model"],
            "version": sale.order.details.get("version", "hidden"),
            "status": _STATUSES[stage],
            "input": sale.order.details["input"],
            "output": None,
            "error": None,
            "logs": "",
            "created_at": "2026-11-21T08:00:00.000Z",
            "data_removed": removed,
            "urls": {"get": place, "cancel": f"{place}/cancel", "web": f"{place}/web"},
        }
        match stage:
            case "succeeded" if not removed and sale.plot != "no_result":
                prediction["output"] = shop.file_url(sale, "video.mp4")
            case "failed" if sale.plot == "moderated_input":
                prediction["error"] = "The input was flagged as sensitive. (E005)"
            case "failed":
                prediction["error"] = "Prediction failed: the runner ran out of memory."
            case "moderated":
                prediction["error"] = "The output was flagged as sensitive. (E005)"
        return prediction


def _model(owner: str, name: str) -> dict[str, Any]:
    """A model as Replicate shows it, with its schema."""
    return {
        "url": f"https://replicate.com/{owner}/{name}",
        "owner": owner,
        "name": name,
        "description": None,
        "visibility": "public",
        "run_count": 7,
        "latest_version": {
            "id": "hidden",
            "created_at": "2026-11-21T08:00:00.000Z",
            "cog_version": "0.16.0",
            "openapi_schema": {"components": {"schemas": _SCHEMAS}},
        },
    }


def signed(message_id: str, body: bytes, timestamp: int) -> dict[str, str]:
    """The headers of a webhook (Standard Webhooks)."""
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, "sha256")
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
