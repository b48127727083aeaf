"""fal's queue as its API serves it. Our mark is the ``Idempotency-Key`` header, which fal ignores."""

import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.upstreams.fake.dialect import Dialect, Refusal, answer
from tests.upstreams.fake.sale import Order, Sale, Stage
from tests.upstreams.fake.shop import Shop

SEED = bytes(range(32))  # of the key that signs
PUBLISHED = "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"
_KEPT = 7 * 86_400  # s
_WORDS: dict[Refusal, tuple[int, str, str | None]] = {
    "rate_limited": (429, "Too many concurrent requests.", "concurrent_requests_limit"),
    "overloaded": (503, "No runner can be reached.", "runner_connection_refused"),
    "invalid": (422, "The input is not valid.", None),
    "moderated_input": (422, "The content could not be processed.", None),
    "unauthorised": (401, "No user found for Key ID and Secret", None),
    "no_funds": (403, "User is locked. Reason: Exhausted balance.", None),
    "model_gone": (404, "Application not found", None),
    "error": (500, "Internal Server Error", "internal_error"),
    "missing": (404, "Request not found", None),
}


class Fal(Dialect):
    """One account. The queue takes every input; the model says later what is wrong with it."""

    name = "fal"
    base_path = "/fal"
    late = frozenset({"invalid", "moderated_input"})

    def authorised(self, request: web.Request, key: str) -> bool:
        return request.headers.get("authorization") == f"Key {key}"

    def routes(self, shop: Shop) -> Iterable[web.RouteDef]:
        async def create(request: web.Request) -> web.StreamResponse:
            body = await request.json()
            app = "/".join(request.match_info["endpoint"].split("/")[:2])
            order = Order(
                dialect=self.name,
                prompt=body.get("prompt", ""),
                token=request.headers.get("idempotency-key"),
                callback_url=request.query.get("fal_webhook"),
                details={"app": app},
            )
            return await shop.sell(request, order, self)

        async def status(request: web.Request) -> web.StreamResponse:
            return await shop.look(request, self, lambda: self._of(request, shop, self._status))

        async def result(request: web.Request) -> web.StreamResponse:
            return await shop.look(request, self, lambda: self._of(request, shop, self._result), "results")

        async def cancel(request: web.Request) -> web.StreamResponse:
            return await shop.look(request, self, lambda: self._of(request, shop, self._cancel), "cancels")

        async def keys(_: web.Request) -> web.StreamResponse:
            return answer({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": PUBLISHED}]})

        one = "/{owner}/{app}/requests/{reference}"
        return (
            web.get("/.well-known/jwks.json", keys),
            web.post("/{endpoint:.+}", create),
            web.get(f"{one}/status", status),
            web.get(one, result),
            web.put(f"{one}/cancel", cancel),
        )

    def created(self, sale: Sale, shop: Shop) -> web.Response:
        place = f"{shop.url}{self.base_path}/{sale.order.details['app']}/requests/{sale.reference}"
        return answer(
            {
                "status": "IN_QUEUE",
                "request_id": sale.reference,
                "queue_position": 0,
                "response_url": place,
                "status_url": f"{place}/status",
                "cancel_url": f"{place}/cancel",
            }
        )

    def refusal(self, refusal: Refusal, words: str) -> web.Response:
        status, detail, kind = _WORDS[refusal]
        body = {"detail": f"{detail} ({words})", **({"error_type": kind} if kind else {})}
        return answer(body, status)

    def announcement(self, sale: Sale, stage: Stage, shop: Shop) -> tuple[bytes, Mapping[str, str]] | None:
        if stage in {"queued", "running", "strange"}:
            return None
        told: dict[str, Any] = {"request_id": sale.reference, "gateway_request_id": sale.reference}
        payload, status = _payload(sale, stage, shop)
        told |= {"status": "OK" if status == 200 else "ERROR", "payload": payload}
        body = json.dumps(told).encode()
        return body, signed(sale.reference, body, int(time.time()))

    def _of(self, request: web.Request, shop: Shop, act: Any) -> web.Response:
        sale = shop.find(request.match_info["reference"])
        app = f"{request.match_info['owner']}/{request.match_info['app']}"
        if sale is None or sale.order.details["app"] != app:
            return self.refusal("missing", "unknown")
        found: web.Response = act(sale, shop)
        return found

    def _status(self, sale: Sale, shop: Shop) -> web.Response:
        stage = sale.stage(shop.clock())
        told: dict[str, Any] = {"request_id": sale.reference}
        match stage:
            case "queued":
                return answer({**told, "status": "IN_QUEUE", "queue_position": 0}, 202)
            case "running":
                return answer({**told, "status": "IN_PROGRESS", "logs": []}, 202)
            case "strange":
                return answer({**told, "status": "UPSCALING"}, 202)
            case "cancelled":
                told |= {"error": "Request was cancelled.", "error_type": "client_cancelled"}
            case "failed" if sale.plot == "fails":
                told |= {"error": "The runner failed.", "error_type": "runner_server_error"}
        return answer(
            {**told, "status": "COMPLETED", "metrics": {"inference_time": sale.runs_for}, "logs": []}
        )

    def _result(self, sale: Sale, shop: Shop) -> web.Response:
        stage = sale.stage(shop.clock())
        if stage in {"queued", "running", "strange"}:
            return answer({"detail": "Request is still in progress"}, 400)
        return answer(*_payload(sale, stage, shop))

    def _cancel(self, sale: Sale, shop: Shop) -> web.Response:
        if sale.stage(shop.clock()) not in {"queued", "running", "strange"}:
            return answer({"status": "ALREADY_COMPLETED"}, 400)
        shop.cancel(sale)
        return answer({"status": "CANCELLATION_REQUESTED"}, 202)


def signed(request_id: str, body: bytes, timestamp: int) -> dict[str, str]:
    """The headers of a webhook."""
    lines = [request_id, "user-1", str(timestamp)]
    message = "\n".join([*lines, hashlib.sha256(body).hexdigest()]).encode()
    return {
        "X-Fal-Webhook-Request-Id": lines[0],
        "X-Fal-Webhook-User-Id": lines[1],
        "X-Fal-Webhook-Timestamp": lines[2],
        "X-Fal-Webhook-Signature": Ed25519PrivateKey.from_private_bytes(SEED).sign(message).hex(),
    }


def _payload(sale: Sale, stage: Stage, shop: Shop) -> tuple[dict[str, Any], int]:
    """What the model answered, and with which HTTP status."""
    if stage == "cancelled":
        return {"detail": "Request was cancelled.", "error_type": "client_cancelled"}, 499
    if stage == "moderated":
        return _detail(["body"], "No media was generated.", "no_media_generated"), 422
    if sale.plot == "moderated_input":
        return _detail(
            ["body", "prompt"], "The content could not be processed.", "content_policy_violation"
        ), 422
    if sale.plot == "invalid":
        return _detail(["body", "duration"], "Input should be one of 4s, 6s, 8s.", "one_of"), 422
    if stage == "failed":
        return {"detail": "The runner failed.", "error_type": "runner_server_error"}, 500
    if sale.plot == "no_result":
        return {"seed": 7}, 200
    url = f"{shop.url}/files/{sale.reference}/video.mp4?expires={int(sale.ends_at) + _KEPT}&signature=none"
    video = {"url": url, "content_type": "video/mp4", "file_name": "out.mp4"}
    return {"video": video, "seed": 7}, 200


def _detail(place: list[str], words: str, kind: str) -> dict[str, Any]:
    return {"detail": [{"loc": place, "msg": words, "type": kind, "url": "https://docs.fal.ai/errors"}]}
