"""Ark's content generation tasks. Our mark is ``safety_identifier``, which the list shows again."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web

from .dialect import Dialect, Refusal, answer
from .sale import Order, Sale, Stage
from .shop import Shop

_TASKS = "/contents/generations/tasks"
_STATUSES: dict[Stage, str] = {
    "strange": "rendering_preview",
    "moderated": "failed",
}
_WORDS: dict[Refusal, tuple[int, str, str]] = {
    "rate_limited": (429, "ModelAccountRpmRateLimitExceeded", "TooManyRequests"),
    "overloaded": (429, "ServerOverloaded", "TooManyRequests"),
    "invalid": (400, "InvalidParameter", "BadRequest"),
    "moderated_input": (400, "InputTextSensitiveContentDetected", "BadRequest"),
    "unauthorised": (401, "AuthenticationError", "Unauthorized"),
    "no_funds": (403, "AccountOverdueError", "Forbidden"),
    "model_gone": (404, "InvalidEndpointOrModel.NotFound", "NotFound"),
    "error": (500, "InternalServiceError", "InternalServerError"),
    "missing": (404, "ResourceNotFound", "NotFound"),
}
_MARK = re.compile(r"^[^.]+\.\d+")


class Ark(Dialect):
    """One cloud; ``byteplus`` and ``volcengine`` speak the same."""

    base_path = "/api/v3"

    def __init__(self, name: str, base_path: str = "/api/v3") -> None:
        self.name = name
        self.base_path = base_path

    def routes(self, shop: Shop) -> Iterable[web.RouteDef]:
        async def create(request: web.Request) -> web.StreamResponse:
            body = await request.json()
            mark = _MARK.match(body.get("safety_identifier") or "")
            text = " ".join(item.get("text", "") for item in body["content"] if item["type"] == "text")
            order = Order(
                dialect=self.name,
                prompt=text,
                token=mark[0] if mark else None,
                callback_url=body.get("callback_url"),
                last_frame=body.get("return_last_frame") is True,
                details=body,
            )
            return await shop.sell(request, order, self)

        async def show(request: web.Request) -> web.StreamResponse:
            reference = request.match_info["reference"]

            def shown() -> web.Response:
                sale = shop.find(reference)
                if sale is None:
                    return self.refusal("missing", f"The requested resource {reference} was not found.")
                return answer(self._task(sale, sale.stage(shop.clock()), shop))

            return await shop.look(request, self, shown)

        async def show_list(request: web.Request) -> web.StreamResponse:
            return await shop.look(request, self, lambda: self._list(request, shop), "lists")

        async def remove(request: web.Request) -> web.StreamResponse:
            return await shop.look(request, self, lambda: self._remove(request, shop), "cancels")

        return (
            web.post(_TASKS, create),
            web.get(_TASKS, show_list),
            web.get(_TASKS + "/{reference}", show),
            web.delete(_TASKS + "/{reference}", remove),
        )

    def created(self, sale: Sale, shop: Shop) -> web.Response:
        return answer({"id": sale.reference})

    def refusal(self, refusal: Refusal, words: str) -> web.Response:
        status, code, kind = _WORDS[refusal]
        message = f"{words} Request id: 02176{status}"
        return answer({"error": {"code": code, "message": message, "param": "", "type": kind}}, status)

    def announcement(self, sale: Sale, stage: Stage, shop: Shop) -> tuple[bytes, Mapping[str, str]] | None:
        body = answer(self._task(sale, stage, shop)).body
        return (body, {}) if isinstance(body, bytes) else None

    def _list(self, request: web.Request, shop: Shop) -> web.Response:
        query = request.query
        wanted = query.getall("filter.task_ids", [])
        known = [sale for each in wanted if (sale := shop.find(each))] if wanted else shop.newest(self.name)
        tier = query.get("filter.service_tier", "default")
        known = [sale for sale in known if (sale.order.details.get("service_tier") or "default") == tier]
        number, size = int(query.get("page_num", 1)), int(query.get("page_size", 10))
        page = known[(number - 1) * size : number * size]
        now = shop.clock()
        items = [self._task(sale, sale.stage(now), shop) for sale in page]
        return answer({"total": len(known), "items": items})

    def _remove(self, request: web.Request, shop: Shop) -> web.Response:
        sale = shop.find(request.match_info["reference"])
        if sale is None:
            return self.refusal("missing", "not found")
        match sale.stage(shop.clock()):
            case "queued":
                shop.cancel(sale)
            case "succeeded" | "failed" | "moderated":
                sale.deleted = True
            case stage:
                return self.refusal("invalid", f"a task that is {stage} cannot be deleted")
        return answer({})

    def _task(self, sale: Sale, stage: Stage, shop: Shop) -> dict[str, Any]:
        body = sale.order.details
        task: dict[str, Any] = {
            "id": sale.reference,
            "model": body["model"],
            "status": _STATUSES.get(stage, stage),
            "created_at": int(sale.accepted_at),
            "updated_at": int(shop.clock()),
            "service_tier": body.get("service_tier", "default"),
            "execution_expires_after": body.get("execution_expires_after", 172_800),
            "safety_identifier": body.get("safety_identifier"),
        }
        if stage == "failed":
            task["error"] = {"code": "InternalServiceError", "message": "it broke Request id: 0217"}
        elif stage == "moderated":
            task["error"] = {
                "code": "OutputVideoSensitiveContentDetected",
                "message": "the output video may contain sensitive information. Request id: 0217",
            }
        elif stage == "succeeded":
            task |= self._success(sale, body, shop)
        return task

    def _success(self, sale: Sale, body: Mapping[str, Any], shop: Shop) -> dict[str, Any]:
        content = {} if sale.plot == "no_result" else {"video_url": shop.file_url(sale, "video.mp4")}
        if sale.order.last_frame:
            content["last_frame_url"] = shop.file_url(sale, "last_frame.png")
        return {
            "content": content,
            "usage": {"completion_tokens": 43_200, "total_tokens": 43_200},
            "seed": body.get("seed", 7),
            "resolution": body.get("resolution", "480p"),
            "ratio": "16:9",
            "duration": "2",  # a string, as it happens in practice
            "framespersecond": 24,
            "generate_audio": body.get("generate_audio", True),
        }
