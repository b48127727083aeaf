"""Vidu's tasks as its API serves them. Our mark is the payload; the list does not show it, a task does."""

import base64
import hmac
import json
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from email.utils import formatdate
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from tests.upstreams.fake.dialect import Dialect, Refusal, answer
from tests.upstreams.fake.sale import Order, Sale, Stage
from tests.upstreams.fake.shop import Shop

_PAGE = 10
_COST = 40  # credits
_ROUTES: dict[str, tuple[range, frozenset[str]]] = {  # how many images, and which fields of their own
    "text2video": (range(1), frozenset({"aspect_ratio", "style"})),
    "img2video": (range(1, 2), frozenset()),
    "start-end2video": (range(2, 3), frozenset()),
    "reference2video": (range(1, 8), frozenset({"aspect_ratio"})),
}
_FIELDS = frozenset(
    (
        *("model", "images", "prompt", "duration", "resolution", "audio", "seed", "watermark", "bgm"),
        *("movement_amplitude", "off_peak", "payload", "callback_url", "wm_position", "wm_url", "meta_data"),
    )
)
_STATES: dict[Stage, str] = {
    "queued": "queueing",
    "running": "processing",
    "strange": "upscaling",
    "succeeded": "success",
    "failed": "failed",
    "moderated": "failed",
    "cancelled": "failed",
}
_WORDS: dict[Refusal, tuple[int, str, str]] = {
    "rate_limited": (429, "TooManyRequests", "too many requests"),
    "overloaded": (429, "SystemThrottling", "system is throttling"),
    "invalid": (400, "FieldInvalid", "invalid field: duration"),
    "moderated_input": (400, "TaskPromptPolicyViolation", "prompt policy violation"),
    "unauthorised": (401, "Unauthorized", "unauthorized"),
    "no_funds": (400, "CreditInsufficient", "insufficient credits"),
    "model_gone": (400, "ModelUnavailable", "model unavailable"),
    "error": (500, "InternalServiceFailure", "internal service failure"),
    "missing": (404, "TaskNotFound", "task not found"),
}


class Vidu(Dialect):
    """One account. A route refuses the fields that it does not know."""

    name = "vidu"
    base_path = "/vidu/ent/v2"

    def authorised(self, request: web.Request, key: str) -> bool:
        return request.headers.get("authorization") == f"Token {key}"

    def routes(self, shop: Shop) -> Iterable[web.RouteDef]:
        async def create(request: web.Request) -> web.StreamResponse:
            body = await request.json()
            problem = _problem(request.match_info["route"], body)
            if problem is not None:
                return _error(400, *problem)
            order = Order(
                dialect=self.name,
                prompt=body.get("prompt", ""),
                token=body.get("payload"),
                callback_url=body.get("callback_url"),
                details=body,
            )
            return await shop.sell(request, order, self)

        async def show(request: web.Request) -> web.StreamResponse:
            return await shop.look(request, self, lambda: self._show(request, shop))

        async def listed(request: web.Request) -> web.StreamResponse:
            return await shop.look(request, self, lambda: self._list(request, shop), "lists")

        async def cancel(request: web.Request) -> web.StreamResponse:
            body = await request.json()
            return await shop.look(request, self, lambda: self._cancel(request, body, shop), "cancels")

        return (
            web.post("/{route:[a-z-]+2video}", create),
            web.get("/tasks", listed),
            web.get("/tasks/{reference}/creations", show),
            web.post("/tasks/{reference}/cancel", cancel),
        )

    def created(self, sale: Sale, shop: Shop) -> web.Response:
        asked = sale.order.details
        shown = ("model", "prompt", "images", "duration", "resolution", "aspect_ratio", "seed", "payload")
        told = {name: asked[name] for name in shown if name in asked}
        return answer({"task_id": sale.reference, "state": "created", **told, "credits": _COST})

    def refusal(self, refusal: Refusal, words: str) -> web.Response:
        status, name, message = _WORDS[refusal]
        return _error(status, name, f"{message} ({words})")

    def announcement(self, sale: Sale, stage: Stage, shop: Shop) -> tuple[bytes, Mapping[str, str]] | None:
        if stage == "queued" or sale.order.callback_url is None:
            return None
        body = json.dumps(_creations(sale, stage, shop)).encode()
        return body, signed(sale.order.callback_url, shop.key or "", f"{sale.number}-{stage}")

    def _show(self, request: web.Request, shop: Shop) -> web.Response:
        sale = shop.find(request.match_info["reference"])
        if sale is None:
            return self.refusal("missing", "unknown")
        return answer(_creations(sale, sale.stage(shop.clock()), shop))

    def _list(self, request: web.Request, shop: Shop) -> web.Response:
        since = request.query.get("created_at.from")
        earliest = datetime.fromisoformat(since).timestamp() if since else 0.0
        known = [sale for sale in shop.newest(self.name) if sale.accepted_at >= earliest]
        start = int(request.query.get("pager.page_token", 0))
        page: dict[str, Any] = {"tasks": [_row(sale, shop) for sale in known[start : start + _PAGE]]}
        more = {"next_page_token": str(start + _PAGE)} if start + _PAGE < len(known) else {}
        return answer(page | more)

    def _cancel(self, request: web.Request, body: dict[str, Any], shop: Shop) -> web.Response:
        sale = shop.find(request.match_info["reference"])
        if sale is None or body.get("id") != sale.reference:
            return self.refusal("missing", "unknown")
        if sale.stage(shop.clock()) != "queued":
            return _error(400, "BadRequest", "the task cannot be cancelled")
        shop.cancel(sale)
        return answer({})


def signed(url: str, key: str, nonce: str) -> dict[str, str]:
    """The headers of a callback to ``url``."""
    parts, date = urlsplit(url), formatdate(time.time(), usegmt=True)
    lines = ("POST", parts.path or "/", parts.query, "vidu", date, f"Date:{date}", f"x-request-nonce:{nonce}")
    digest = hmac.digest(key.encode(), "".join(f"{line}\n" for line in lines).encode(), "sha256")
    return {
        "Date": date,
        "x-request-nonce": nonce,
        "X-HMAC-ALGORITHM": "hmac-sha256",
        "X-HMAC-ACCESS-KEY": "vidu",
        "X-HMAC-SIGNED-HEADERS": "Date;x-request-nonce",
        "X-HMAC-SIGNATURE": base64.b64encode(digest).decode(),
    }


def _problem(route: str, body: dict[str, Any]) -> tuple[str, str] | None:
    known = _ROUTES.get(route)
    if known is None:
        return "NotFound", "the requested resource is not found"
    images, own = known
    strange = sorted(body.keys() - _FIELDS - own)
    if strange:
        return "FieldUnwanted", f"unwanted field: {', '.join(strange)}"
    if len(body.get("images", ())) not in images:
        return "FieldItemCountOutOfRange", "field item count out of range: images"
    return None if body.get("model") else ("FieldLacking", "field is missing or empty: model")


def _error(status: int, name: str, message: str) -> web.Response:
    told = {"code": status, "reason": name, "message": message, "metadata": {"trace_id": "of-the-fake"}}
    return answer(told, status)


def _row(sale: Sale, shop: Shop) -> dict[str, Any]:
    """A task as the list shows it."""
    asked = sale.order.details
    shown = {name: asked[name] for name in ("model", "prompt", "duration", "resolution") if name in asked}
    return {"id": sale.reference, "state": _STATES[sale.stage(shop.clock())]} | shown


def _creations(sale: Sale, stage: Stage, shop: Shop) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": sale.reference,
        "state": _STATES[stage],
        "err_code": _reason(sale, stage),
        "credits": _COST,
        "payload": sale.order.token or "",
        "creations": [],
    }
    if stage == "succeeded" and sale.plot != "no_result":
        urls = {"url": shop.file_url(sale, "video.mp4"), "cover_url": "", "watermarked_url": ""}
        told["creations"] = [{"id": f"creation-{sale.number}", **urls}]
    return told


def _reason(sale: Sale, stage: Stage) -> str:
    match stage:
        case "moderated":
            return "CreationPolicyViolation"
        case "cancelled":
            return "UserCancelled"
        case "failed":
            return "InternalServiceFailure"
    return ""
