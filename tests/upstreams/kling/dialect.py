"""Kling's tasks as both of its path families show them. Our mark is the external task id."""

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
_KEPT = 30 * 86_400  # s
_MOST_IDS = 50
_STATUSES: dict[Stage, str] = {
    "queued": "submitted",
    "running": "processing",
    "strange": "upscaling",
    "succeeded": "succeeded",
    "failed": "failed",
    "moderated": "failed",
    "cancelled": "failed",
}
_FAILED: dict[Stage, str] = {
    "failed": "The service could not make the video.",
    "moderated": "Failure to pass the risk control system",
}
_WORDS: dict[Refusal, tuple[int, int, str]] = {
    "rate_limited": (429, 1303, "parallel task over resource pack limit"),
    "overloaded": (503, 5001, "The server is under maintenance."),
    "invalid": (400, 1201, "Invalid request parameters"),
    "moderated_input": (400, 1301, "The content did not pass the safety check."),
    "unauthorised": (401, 1002, "Authorization is invalid"),
    "no_funds": (429, 1102, "The resource pack is used up."),
    "model_gone": (404, 1203, "The model does not exist."),
    "error": (500, 5000, "Internal error"),
    "missing": (404, 1203, "The resource does not exist."),
}


class Kling(Dialect):
    """One account; an API key, or a token that the key of the fake signed, opens it."""

    name = "kling"
    base_path = "/kling"

    def authorised(self, request: web.Request, key: str) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        return scheme == "Bearer" and (given == key or is_token(given, key))

    def routes(self, shop: Shop) -> Iterable[web.RouteDef]:
        async def create(request: web.Request) -> web.StreamResponse:
            body = await request.json()
            order = self._order(request, body)
            if order is None:
                return self.refusal("invalid", f"{request.path} does not take this")
            return await shop.sell(request, order, self)

        async def show_all(request: web.Request) -> web.StreamResponse:
            many = "," in request.query.get("task_ids", "")
            what = "lists" if many else "polls"
            return await shop.look(request, self, lambda: self._tasks(request, shop), what)

        async def show(request: web.Request) -> web.StreamResponse:
            return await shop.look(request, self, lambda: self._legacy_task(request, shop))

        async def show_list(request: web.Request) -> web.StreamResponse:
            return await shop.look(request, self, lambda: self._legacy_list(request, shop), "lists")

        return (
            web.post("/{kind:text-to-video|image-to-video|omni-video}/{model}", create),
            web.get("/tasks", show_all),
            web.post("/v1/videos/{kind:text2video|image2video}", create),
            web.get("/v1/videos/{kind:text2video|image2video}", show_list),
            web.get("/v1/videos/{kind:text2video|image2video}/{reference}", show),
        )

    def created(self, sale: Sale, shop: Shop) -> web.Response:
        return _envelope(self._task(sale, sale.stage(shop.clock()), shop))

    def refusal(self, refusal: Refusal, words: str) -> web.Response:
        status, code, sentence = _WORDS[refusal]
        return answer({"code": code, "message": f"{sentence} ({words})", "request_id": "r-1"}, status)

    def announcement(self, sale: Sale, stage: Stage, shop: Shop) -> tuple[bytes, Mapping[str, str]] | None:
        body = json.dumps(self._task(sale, stage, shop), separators=(",", ":")).encode()
        return body, signed(str(sale.number), body, int(time.time()))

    def _order(self, request: web.Request, body: dict[str, Any]) -> Order | None:
        """What was ordered; None where the body is of the other family, or lacks what the place needs."""
        kind = request.match_info["kind"]
        legacy = "model" not in request.match_info
        if legacy:
            options, fits = body, isinstance(body.get("duration", ""), str) and "model_name" in body
            fits = fits and ("image" in body) == (kind == "image2video")
            prompt = body.get("prompt", "")
        else:
            options, contents = body.get("options", {}), body.get("contents", [])
            fits = isinstance(body.get("settings", {}).get("duration", 5), int)
            fits = fits and ("prompt" in body) == (kind == "text-to-video") != bool(contents)
            said = [each["text"] for each in contents if each["type"] == "prompt"]
            prompt = body.get("prompt") or " ".join(said)
        if not fits:
            return None
        return Order(
            dialect=self.name,
            prompt=prompt,
            token=options.get("external_task_id"),
            callback_url=options.get("callback_url"),
            details={"legacy": kind if legacy else ""},
        )

    def _tasks(self, request: web.Request, shop: Shop) -> web.Response:
        ours, theirs = request.query.get("external_task_ids"), request.query.get("task_ids")
        if (ours is None) == (theirs is None):
            return self.refusal("invalid", "either task_ids or external_task_ids")
        wanted = (ours or theirs or "").split(",")
        if len(wanted) > _MOST_IDS:
            return self.refusal("invalid", "too many ids")
        known = [sale for sale in shop.newest(self.name) if not sale.order.details["legacy"]]
        found = [sale for sale in known if (sale.order.token if ours else sale.reference) in wanted]
        return _envelope([self._task(sale, sale.stage(shop.clock()), shop) for sale in found])

    def _legacy_task(self, request: web.Request, shop: Shop) -> web.Response:
        named = request.match_info["reference"]
        for sale in self._legacy_sales(request, shop):
            if named in {sale.reference, sale.order.token}:
                return _envelope(self._task(sale, sale.stage(shop.clock()), shop))
        return self.refusal("missing", "unknown")

    def _legacy_list(self, request: web.Request, shop: Shop) -> web.Response:
        number, size = int(request.query.get("pageNum", 1)), int(request.query.get("pageSize", 30))
        page = self._legacy_sales(request, shop)[(number - 1) * size : number * size]
        return _envelope([self._task(sale, sale.stage(shop.clock()), shop) for sale in page])

    def _legacy_sales(self, request: web.Request, shop: Shop) -> list[Sale]:
        kind = request.match_info["kind"]
        return [sale for sale in shop.newest(self.name) if sale.order.details["legacy"] == kind]

    def _task(self, sale: Sale, stage: Stage, shop: Shop) -> dict[str, Any]:
        status, words = _STATUSES[stage], _FAILED.get(stage, "")
        made = stage == "succeeded" and sale.plot != "no_result"
        place = f"{shop.url}/files/{sale.reference}/video.mp4?expires={int(sale.ends_at) + _KEPT}"
        video = {"id": "v1", "url": f"{place}&signature=none", "duration": "5.041"}
        times = int(sale.accepted_at * 1000), int(shop.clock() * 1000)
        if sale.order.details["legacy"]:
            return {
                "task_id": sale.reference,
                "task_status": "succeed" if status == "succeeded" else status,
                "task_status_msg": words,
                "task_info": {"external_task_id": sale.order.token},
                **({"task_result": {"videos": [video]}} if made else {}),
                **dict(zip(("created_at", "updated_at"), times, strict=True)),
            }
        output = {"type": "video", **video, "watermark_url": ""}
        return {
            "id": sale.reference,
            "status": status,
            "message": words,
            "external_id": sale.order.token,
            **({"outputs": [output]} if made else {}),
            **dict(zip(("create_time", "update_time"), times, strict=True)),
        }


def signed(message_id: str, body: bytes, timestamp: int) -> dict[str, str]:
    """The headers of a callback of an account with a webhook secret (Standard Webhooks)."""
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, "sha256")
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def is_token(token: str, key: str) -> bool:
    """Whether a JWT was signed with the key and holds now."""
    head, _, signature = token.rpartition(".")
    expected = base64.urlsafe_b64encode(hmac.digest(key.encode(), head.encode(), "sha256")).rstrip(b"=")
    if not head or not hmac.compare_digest(expected, signature.encode()):
        return False
    claims = json.loads(base64.urlsafe_b64decode(head.partition(".")[2] + "=="))
    return bool(claims["nbf"] <= time.time() < claims["exp"])


def _envelope(data: Any) -> web.Response:
    return answer({"code": 0, "message": "SUCCEED", "request_id": "r-1", "data": data})
