"""OpenRouter's video jobs as its API serves them. Our mark is the ignored ``Idempotency-Key`` header."""

import hmac
import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web
from tests.upstreams.fake.dialect import Dialect, Refusal, answer
from tests.upstreams.fake.files import send_file
from tests.upstreams.fake.sale import Order, Sale, Stage
from tests.upstreams.fake.shop import Shop

SECRET = "the-signing-secret-of-the-fakes-workspace"
_KEPT = 86_400  # s
_COST = 0.4  # USD
_STATUSES: dict[Stage, str] = {
    "queued": "pending",
    "running": "in_progress",
    "strange": "upscaling",
    "succeeded": "completed",
    "failed": "failed",
    "moderated": "failed",
    "cancelled": "cancelled",
}
_WORDS: dict[Refusal, tuple[int, str]] = {
    "rate_limited": (429, "Rate limit exceeded"),
    "overloaded": (503, "No provider is available for this model"),
    "invalid": (400, "Invalid request: duration"),
    "moderated_input": (403, "The request was flagged by moderation"),
    "unauthorised": (401, "No auth credentials found"),
    "no_funds": (402, "Insufficient credits"),
    "model_gone": (404, "No endpoints found for this model"),
    "error": (500, "Internal Server Error"),
    "missing": (404, "Job not found"),
}
_FIELDS = frozenset(
    (
        *("model", "prompt", "duration", "resolution", "aspect_ratio", "size", "generate_audio", "seed"),
        *("frame_images", "input_references", "callback_url", "provider", "previous_job_id", "user"),
        *("session_id", "trace", "creativity", "upscale_factor"),
    )
)


class OpenRouter(Dialect):
    """One workspace, with a signing secret."""

    name = "openrouter"
    base_path = "/openrouter/api/v1"

    def routes(self, shop: Shop) -> Iterable[web.RouteDef]:
        async def create(request: web.Request) -> web.StreamResponse:
            body = await request.json()
            if not body.get("model") or body.keys() - _FIELDS:
                return _error(400, "Invalid request: unknown fields, or no model")
            order = Order(
                dialect=self.name,
                prompt=body.get("prompt", ""),
                token=request.headers.get("idempotency-key"),
                callback_url=body.get("callback_url"),
                details=body,
            )
            return await shop.sell(request, order, self)

        async def show(request: web.Request) -> web.StreamResponse:
            return await shop.look(request, self, lambda: self._show(request, shop))

        async def content(request: web.Request) -> web.StreamResponse:
            return await self._content(request, shop)

        async def models(_: web.Request) -> web.StreamResponse:
            return answer({"data": [_MODEL]})

        return (
            web.post("/videos", create),
            web.get("/videos/models", models),
            web.get("/videos/{reference}", show),
            web.get("/videos/{reference}/content", content),
        )

    def created(self, sale: Sale, shop: Shop) -> web.Response:
        return answer(self._job(sale, "queued", shop), 202)

    def refusal(self, refusal: Refusal, words: str) -> web.Response:
        status, message = _WORDS[refusal]
        return _error(status, f"{message} ({words})")

    def announcement(self, sale: Sale, stage: Stage, shop: Shop) -> tuple[bytes, Mapping[str, str]] | None:
        if stage in {"queued", "running", "strange"}:
            return None
        job = self._job(sale, stage, shop)
        shown = ("id", "status", "generation_id", "unsigned_urls", "usage", "error")
        told = {
            "type": f"video.generation.{job['status']}",
            "created_at": "2026-11-21T08:00:00.000Z",
            "data": {name: job[name] for name in shown if name in job},
        }
        body = json.dumps(told).encode()
        mark = {"X-OpenRouter-Idempotency-Key": f"{sale.reference}-{job['status']}"}
        return body, mark | signed(body, int(time.time()))

    def _show(self, request: web.Request, shop: Shop) -> web.Response:
        sale = shop.find(request.match_info["reference"])
        if sale is None:
            return self.refusal("missing", "unknown")
        return answer(self._job(sale, sale.stage(shop.clock()), shop))

    async def _content(self, request: web.Request, shop: Shop) -> web.StreamResponse:
        if shop.key is not None and not self.authorised(request, shop.key):
            return self.refusal("unauthorised", "no key")
        sale = shop.find(request.match_info["reference"])
        if sale is None:
            return self.refusal("missing", "unknown")
        if sale.stage(shop.clock()) != "succeeded":
            return _error(409, "The video is not ready")
        if shop.clock() > sale.ends_at + _KEPT:
            return _error(410, "The video is gone")
        return await send_file(request, shop, sale, "video.mp4")

    def _job(self, sale: Sale, stage: Stage, shop: Shop) -> dict[str, Any]:
        place = f"{shop.url}{self.base_path}/videos/{sale.reference}"
        job: dict[str, Any] = {"id": sale.reference, "polling_url": place, "status": _STATUSES[stage]}
        match stage:
            case "succeeded":
                job |= {
                    "generation_id": f"gen-{sale.number}",
                    "unsigned_urls": [f"{place}/content?index=0"],
                    "usage": {"cost": _COST, "is_byok": False},
                }
                if sale.plot != "no_result":  # that is: OpenRouter keeps no copy of its own
                    job |= {
                        "urls": [shop.file_url(sale, "video.mp4")],
                        "expires_at": int(sale.ends_at) + _KEPT,
                    }
            case "moderated":
                job["error"] = "blocked by content filter"
            case "failed":
                job["error"] = "The provider failed."
        return job


def signed(body: bytes, timestamp: int) -> dict[str, str]:
    """The header of a webhook."""
    digest = hmac.digest(SECRET.encode(), f"{timestamp},".encode() + body, "sha256").hex()
    return {"X-OpenRouter-Signature": f"t={timestamp},v1={digest}"}


def _error(status: int, message: str) -> web.Response:
    return answer({"error": {"code": status, "message": message, "metadata": {}}}, status)


_MODEL: dict[str, Any] = {
    "id": "google/veo-3.1-lite",
    "canonical_slug": "google/veo-3.1-lite",
    "name": "Veo 3.1 Lite",
    "created": 1_770_000_000,
    "creativity": None,
    "generate_audio": True,
    "seed": True,
    "supported_aspect_ratios": ["16:9", "9:16"],
    "supported_durations": [8, 4, 6],
    "supported_frame_images": ["first_frame", "last_frame"],
    "supported_resolutions": ["720p", "1080p"],
    "supported_sizes": None,
    "upscale_factor": None,
    "allowed_passthrough_parameters": [],
    "pricing_skus": None,
}
