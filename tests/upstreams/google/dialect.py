"""Google as its services answer: interactions, files and webhooks; Veo's operations and buckets.

Our mark is the ``Idempotency-Key`` header, which Google ignores.
"""

import base64
import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web
from tests.upstreams.fake.dialect import Dialect, Refusal, answer
from tests.upstreams.fake.files import FILES, send_file
from tests.upstreams.fake.sale import Order, Sale, Stage
from tests.upstreams.fake.shop import Shop

from .signing import SigningKey

_WORDS: dict[Refusal, tuple[int, str, str]] = {
    "rate_limited": (429, "RESOURCE_EXHAUSTED", "Quota exceeded, please retry."),
    "overloaded": (503, "UNAVAILABLE", "The model is overloaded."),
    "invalid": (400, "INVALID_ARGUMENT", "Request contains an invalid argument."),
    "moderated_input": (
        400,
        "INVALID_ARGUMENT",
        "The prompt was blocked: it violates Google's usage guidelines.",
    ),
    "unauthorised": (401, "UNAUTHENTICATED", "Request had invalid authentication credentials."),
    "no_funds": (403, "PERMISSION_DENIED", "This API method requires billing to be enabled."),
    "model_gone": (404, "NOT_FOUND", "This model is no longer available."),
    "error": (500, "INTERNAL", "Internal error encountered."),
    "missing": (404, "NOT_FOUND", "Requested entity was not found."),
}
_STATUSES: dict[Stage, str] = {
    "queued": "queued",
    "running": "in_progress",
    "strange": "dreaming",
    "succeeded": "completed",
    "failed": "failed",
    "moderated": "completed",
    "cancelled": "cancelled",
}
_FILES_LAST = 48 * 3600  # s


class Google(Dialect):
    """One project. Veo's answers hold the video unless the request names a bucket."""

    name = "google"
    base_path = "/google"

    def __init__(self) -> None:
        self._signing = SigningKey()

    def routes(self, shop: Shop) -> Iterable[web.RouteDef]:
        return (*self._interactions(shop), *self._operations(shop))

    def authorised(self, request: web.Request, key: str) -> bool:
        """The key, or a token."""
        return request.headers.get("x-goog-api-key") == key or super().authorised(request, key)

    def created(self, sale: Sale, shop: Shop) -> web.Response:
        if "instances" in sale.order.details:
            return answer({"name": _operation(sale)})
        return answer(self._interaction(sale, "queued", shop))

    def refusal(self, refusal: Refusal, words: str) -> web.Response:
        status, name, sentence = _WORDS[refusal]
        return answer({"error": {"code": status, "message": f"{sentence} ({words})", "status": name}}, status)

    def announcement(self, sale: Sale, stage: Stage, shop: Shop) -> tuple[bytes, Mapping[str, str]] | None:
        """Ends are announced, signed for the request's own webhook."""
        if stage in {"queued", "running", "strange"}:
            return None
        kind = {"succeeded": "completed", "cancelled": "cancelled"}.get(stage, "failed")
        now = int(time.time())
        event = {
            "type": f"interaction.{kind}",
            "version": "v1",
            "timestamp": now,
            "data": {"id": sale.reference},
        }
        claims = {"iss": "https://generativelanguage.googleapis.com", "iat": now, "exp": now + 300}
        return json.dumps(event).encode(), {
            "webhook-id": f"msg_{sale.number}_{stage}",
            "webhook-timestamp": str(now),
            "webhook-signature": self._signing.token(claims),
        }

    def _interactions(self, shop: Shop) -> Iterable[web.RouteDef]:
        async def create(request: web.Request) -> web.StreamResponse:
            body = await request.json()
            given = body["input"]
            parts = [{"type": "text", "text": given}] if isinstance(given, str) else given
            text = " ".join(part["text"] for part in parts if part["type"] == "text")
            hooks = (body.get("webhook_config") or {}).get("uris") or [None]
            return await shop.sell(request, self._order(request, body, text, hooks[0]), self)

        async def show(request: web.Request) -> web.StreamResponse:
            return await shop.look(request, self, lambda: self._show(request, shop))

        async def cancel(request: web.Request) -> web.StreamResponse:
            return await shop.look(request, self, lambda: self._cancel(request, shop), "cancels")

        async def keys(_: web.Request) -> web.StreamResponse:
            return answer({"keys": [self._signing.public()]})

        async def show_file(request: web.Request) -> web.StreamResponse:
            sale = self._file(request, shop)
            if sale is None:
                return self.refusal("missing", "no such file")
            return answer({"name": f"files/{sale.reference}", "state": "ACTIVE", "mimeType": "video/mp4"})

        async def download(request: web.Request) -> web.StreamResponse:
            sale = self._file(request, shop)
            if sale is None:
                return self.refusal("missing", "no such file")
            return await send_file(request, shop, sale, "video.mp4")

        return (
            web.post("/{version:v1|v1beta}/interactions", create),
            web.get("/{version:v1|v1beta}/interactions/{reference}", show),
            web.post("/{version:v1|v1beta}/interactions/{reference}/cancel", cancel),
            web.get("/.well-known/jwks.json", keys),
            web.get("/v1beta/files/{reference}:download", download),
            web.get("/v1beta/files/{reference}", show_file),
        )

    def _operations(self, shop: Shop) -> Iterable[web.RouteDef]:
        async def create(request: web.Request) -> web.StreamResponse:
            body = await request.json()
            text = body["instances"][0].get("prompt", "")
            body["model"] = request.match_info["model"]
            return await shop.sell(request, self._order(request, body, text, None), self)

        async def fetch(request: web.Request) -> web.StreamResponse:
            name = (await request.json())["operationName"]
            return await shop.look(request, self, lambda: self._fetch(name, shop))

        async def store(request: web.Request) -> web.StreamResponse:
            sale = shop.find(request.match_info["name"].split("/")[-2])
            if sale is None or (shop.key and not self.authorised(request, shop.key)):
                return self.refusal("missing", "no such object")
            return await send_file(request, shop, sale, "video.mp4")

        routes = []
        for version in ("v1", "v1beta1"):
            models = f"/{version}/projects/{{project}}/locations/{{location}}/publishers/google/models"
            routes += [
                web.post(models + "/{model}:predictLongRunning", create),
                web.post(models + "/{model}:fetchPredictOperation", fetch),
            ]
        return (*routes, web.get("/storage/v1/b/{bucket}/o/{name}", store))

    def _order(self, request: web.Request, body: dict[str, Any], text: str, hook: str | None) -> Order:
        key = request.headers.get("idempotency-key")
        return Order(dialect=self.name, prompt=text, token=key, callback_url=hook, details=body)

    def _file(self, request: web.Request, shop: Shop) -> Sale | None:
        sale = shop.find(request.match_info["reference"])
        if sale is None or (shop.key and not self.authorised(request, shop.key)):
            return None
        return None if shop.clock() > sale.ends_at + _FILES_LAST else sale

    def _show(self, request: web.Request, shop: Shop) -> web.Response:
        sale = shop.find(request.match_info["reference"])
        if sale is None:
            return self.refusal("missing", "no such interaction")
        return answer(self._interaction(sale, sale.stage(shop.clock()), shop))

    def _cancel(self, request: web.Request, shop: Shop) -> web.Response:
        sale = shop.find(request.match_info["reference"])
        if sale is None:
            return self.refusal("missing", "no such interaction")
        if sale.stage(shop.clock()) in {"queued", "running", "strange"}:
            shop.cancel(sale)
        return answer(self._interaction(sale, sale.stage(shop.clock()), shop))

    def _interaction(self, sale: Sale, stage: Stage, shop: Shop) -> dict[str, Any]:
        task: dict[str, Any] = {
            "id": sale.reference,
            "object": "interaction",
            "status": _STATUSES[stage],
            "model": sale.order.details["model"],
        }
        if stage == "succeeded" and sale.plot != "no_result":
            uri = f"{shop.url}{self.base_path}/v1beta/files/{sale.reference}:download?alt=media"
            content: dict[str, Any] = {"type": "video", "mime_type": "video/mp4", "uri": uri}
            task["steps"] = [
                {"type": "user_input", "content": [{"type": "text", "text": sale.order.prompt}]},
                {"type": "model_output", "content": [content]},
            ]
        elif stage == "failed":
            task["errors"] = [{"code": "internal", "message": "The video could not be made."}]
        return task

    def _fetch(self, name: str, shop: Shop) -> web.Response:
        sale = shop.find(name.rpartition("/")[2])
        if sale is None:
            return self.refusal("missing", "no such operation")
        stage = sale.stage(shop.clock())
        operation: dict[str, Any] = {"name": name}
        match stage:
            case "succeeded":
                operation |= {
                    "done": True,
                    "response": {"raiMediaFilteredCount": 0, "videos": [_video(sale)]},
                }
            case "moderated":
                reasons = ["The video was filtered. Support codes: 58061214"]
                operation |= {
                    "done": True,
                    "response": {"raiMediaFilteredCount": 1, "raiMediaFilteredReasons": reasons},
                }
            case "failed":
                operation |= {"done": True, "error": {"code": 13, "message": "Internal error."}}
            case "strange":
                operation |= {"metadata": {"state": "dreaming"}}
        return answer(operation)


def _operation(sale: Sale) -> str:
    model = sale.order.details["model"]
    return f"projects/p/locations/l/publishers/google/models/{model}/operations/{sale.reference}"


def _video(sale: Sale) -> dict[str, str]:
    place = sale.order.details["parameters"].get("storageUri")
    if place:
        return {"gcsUri": f"{place}{sale.reference}/sample_0.mp4", "mimeType": "video/mp4"}
    data = FILES["video.mp4"].read_bytes()
    return {"bytesBase64Encoded": base64.b64encode(data).decode(), "mimeType": "video/mp4"}
