"""``/v1/videos`` as SGLang Diffusion and vLLM-Omni serve it. Our mark is the ``Idempotency-Key`` header."""

from collections.abc import Iterable
from email import message_from_bytes
from email.message import MIMEPart
from email.policy import default
from typing import Any

from aiohttp import web

from .dialect import Dialect, Refusal, answer
from .files import send_file
from .sale import Order, Sale, Stage
from .shop import Shop

_STATUSES: dict[Stage, str] = {
    "queued": "queued",
    "running": "in_progress",
    "strange": "warming_up",
    "succeeded": "completed",
    "failed": "failed",
    "moderated": "failed",
    "cancelled": "failed",
}
_WORDS: dict[Refusal, tuple[int, str | None, str]] = {
    "rate_limited": (429, "rate_limit_exceeded", "requests"),
    "overloaded": (503, None, "server_error"),
    "invalid": (400, "invalid_value", "invalid_request_error"),
    "moderated_input": (400, "moderation_blocked", "invalid_request_error"),
    "unauthorised": (401, "invalid_api_key", "invalid_request_error"),
    "no_funds": (429, "insufficient_quota", "insufficient_quota"),
    "model_gone": (404, "model_not_found", "invalid_request_error"),
    "error": (500, None, "server_error"),
    "missing": (404, None, "invalid_request_error"),
}


class OpenAIVideos(Dialect):
    """One engine."""

    name = "openai-videos"
    base_path = "/v1"

    def routes(self, shop: Shop) -> Iterable[web.RouteDef]:
        async def create(request: web.Request) -> web.StreamResponse:
            form = await self._form(request)
            key = request.headers.get("idempotency-key")
            order = Order(
                dialect=self.name,
                prompt=str(form.get("prompt", "")),
                token=key,
                idempotency_key=key,
                details=form,
            )
            return await shop.sell(request, order, self)

        async def show(request: web.Request) -> web.StreamResponse:
            return await shop.look(request, self, lambda: self._show(request, shop))

        async def show_list(request: web.Request) -> web.StreamResponse:
            return await shop.look(request, self, lambda: self._list(request, shop), "lists")

        async def remove(request: web.Request) -> web.StreamResponse:
            return await shop.look(request, self, lambda: self._remove(request, shop), "cancels")

        async def content(request: web.Request) -> web.StreamResponse:
            sale = shop.find(request.match_info["reference"])
            if sale is None or sale.stage(shop.clock()) != "succeeded":
                return self.refusal("missing", "there is no content")
            if shop.key is not None and not self.authorised(request, shop.key):
                return self.refusal("unauthorised", "content needs the key, too")
            return await send_file(request, shop, sale, "video.mp4")

        return (
            web.post("/videos", create),
            web.get("/videos", show_list),
            web.get("/videos/{reference}", show),
            web.delete("/videos/{reference}", remove),
            web.get("/videos/{reference}/content", content),
        )

    def created(self, sale: Sale, shop: Shop) -> web.Response:
        return answer(self._video(sale, "queued", shop))

    def refusal(self, refusal: Refusal, words: str) -> web.Response:
        status, code, kind = _WORDS[refusal]
        return answer({"error": {"message": words, "type": kind, "param": None, "code": code}}, status)

    async def _form(self, request: web.Request) -> dict[str, Any]:
        """A form or JSON; files as the number of their bytes."""
        if request.content_type == "application/json":
            body = await request.json()
            return dict(body)
        head = f"Content-Type: {request.headers.get('content-type', '')}\r\n\r\n".encode()
        message = message_from_bytes(head + await request.read(), policy=default)
        return dict(_field(part) for part in message.iter_parts())

    def _show(self, request: web.Request, shop: Shop) -> web.Response:
        sale = shop.find(request.match_info["reference"])
        if sale is None:
            return self.refusal("missing", "there is no such video")
        stage = sale.stage(shop.clock())
        # vLLM-Omni gives a failed job an error status, with the job as body.
        status = 500 if stage in {"failed", "moderated"} else 200
        return answer(self._video(sale, stage, shop), status)

    def _list(self, request: web.Request, shop: Shop) -> web.Response:
        now = shop.clock()
        limit = int(request.query.get("limit", 20))
        known = shop.newest(self.name)
        data = [self._video(sale, sale.stage(now), shop) for sale in known[:limit]]
        return answer({"object": "list", "data": data, "has_more": len(known) > limit})

    def _remove(self, request: web.Request, shop: Shop) -> web.Response:
        sale = shop.find(request.match_info["reference"])
        if sale is None:
            return self.refusal("missing", "there is no such video")
        if sale.stage(shop.clock()) in {"queued", "running", "strange"}:
            shop.cancel(sale)
        sale.deleted = True
        return answer({"id": sale.reference, "object": "video.deleted", "deleted": True})

    def _video(self, sale: Sale, stage: Stage, shop: Shop) -> dict[str, Any]:
        form = sale.order.details
        error = None
        if stage == "failed":
            error = {"code": "server_error", "message": "the engine ran out of memory"}
        elif stage == "moderated":
            error = {"code": "moderation_blocked", "message": "the video was withheld"}
        elif stage == "cancelled":
            error = {"code": "cancelled", "message": "the job was cancelled"}
        return {
            "id": sale.reference,
            "object": "video",
            "model": form.get("model", "default"),
            "status": _STATUSES[stage],
            "progress": int(sale.fraction(shop.clock()) * 100),
            "created_at": int(sale.accepted_at),
            "completed_at": int(sale.ends_at) if stage == "succeeded" else None,
            "expires_at": None,
            "error": error,
            "prompt": sale.order.prompt,
            "size": form.get("size", "864x480"),
            "seconds": str(form.get("seconds", "2")),
            "remixed_from_video_id": None,
        }


def _field(part: MIMEPart) -> tuple[str, Any]:
    """One field of a form; a file as the number of its bytes."""
    name = str(part.get_param("name", header="content-disposition"))
    data = part.get_payload(decode=True)
    assert isinstance(data, bytes)
    return name, len(data) if part.get_filename() else data.decode()
