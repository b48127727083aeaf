"""DashScope's asynchronous tasks and uploads. Our mark is the ``Idempotency-Key`` header, ignored there."""

from collections.abc import Iterable
from typing import Any

from aiohttp import web
from tests.upstreams.fake.dialect import Dialect, Refusal, answer
from tests.upstreams.fake.sale import Order, Sale, Stage
from tests.upstreams.fake.shop import Received, Shop

_STATUSES: dict[Stage, str] = {
    "queued": "PENDING",
    "running": "RUNNING",
    "strange": "REVIEWING",
    "succeeded": "SUCCEEDED",
    "failed": "FAILED",
    "moderated": "FAILED",
    "cancelled": "CANCELED",
}
_FAILED: dict[Stage, tuple[str, str]] = {
    "failed": ("InternalError.Algo", "The algorithm failed."),
    "moderated": ("DataInspectionFailed", "Output data may contain inappropriate content."),
}
_WORDS: dict[Refusal, tuple[int, str, str]] = {
    "rate_limited": (429, "Throttling.RateQuota", "Requests rate limit exceeded."),
    "overloaded": (429, "Throttling.BurstRate", "Request rate increased too quickly."),
    "invalid": (400, "InvalidParameter", "The parameters are not valid."),
    "moderated_input": (400, "DataInspectionFailed", "Input data may contain inappropriate content."),
    "unauthorised": (401, "InvalidApiKey", "Invalid API-key provided."),
    "no_funds": (400, "Arrearage", "Access denied: the account is overdue."),
    "model_gone": (404, "ModelNotFound", "The model does not exist."),
    "error": (500, "InternalError", "An internal error has occured."),
    "missing": (404, "NotFound", "There is no such task."),
}
_PERMIT = {
    "policy": "cG9saWN5",
    "signature": "signature-of-the-permit",
    "oss_access_key_id": "key-of-the-permit",
    "x_oss_object_acl": "private",
    "x_oss_forbid_overwrite": "true",
    "expire_in_seconds": 300,
}
_FOLDER = "dashscope-instant/fake/2026-11-21/1"
_CLASSES = {"480P": "832*480", "720P": "1280*720", "1080P": "1920*1080"}


class Alibaba(Dialect):
    """One account of one region."""

    name = "alibaba"
    base_path = "/alibaba/api/v1"

    def routes(self, shop: Shop) -> Iterable[web.RouteDef]:
        stored: set[str] = set()

        async def create(request: web.Request) -> web.StreamResponse:
            body = await request.json()
            problem = _problem(request, body, stored)
            if problem:
                return self.refusal("invalid", problem)
            order = Order(
                dialect=self.name,
                prompt=body["input"].get("prompt", ""),
                token=request.headers.get("idempotency-key"),
                details=body,
            )
            return await shop.sell(request, order, self)

        async def show(request: web.Request) -> web.StreamResponse:
            return await shop.look(request, self, lambda: self._show(request, shop))

        async def show_list(request: web.Request) -> web.StreamResponse:
            return await shop.look(request, self, lambda: self._list(request, shop), "lists")

        async def cancel(request: web.Request) -> web.StreamResponse:
            return await shop.look(request, self, lambda: self._cancel(request, shop), "cancels")

        async def permit(request: web.Request) -> web.StreamResponse:
            if shop.key is not None and not self.authorised(request, shop.key):
                return self.refusal("unauthorised", "no key")
            if request.query.get("action") != "getPolicy" or not request.query.get("model"):
                return self.refusal("invalid", "an upload is for a model")
            place = {"upload_host": f"{shop.url}{self.base_path}/storage", "upload_dir": _FOLDER}
            return answer({"request_id": "r-1", "data": {**_PERMIT, **place}})

        async def store(request: web.Request) -> web.StreamResponse:
            form = await request.post()
            file = form.get("file")
            signed = form.get("Signature") == _PERMIT["signature"] and form.get("policy") == _PERMIT["policy"]
            if not signed or "authorization" in request.headers or not isinstance(file, web.FileField):
                return web.Response(status=403, text="<Error><Code>AccessDenied</Code></Error>")
            shop.received.append(Received(request.method, request.path_qs, {}, file.file.read()))
            stored.add("oss://" + str(form["key"]))
            return web.Response(status=int(str(form.get("success_action_status", 204))))

        return (
            web.post("/services/aigc/{place:video-generation|image2video}/video-synthesis", create),
            web.get("/tasks", show_list),
            web.get("/tasks/{reference}", show),
            web.post("/tasks/{reference}/cancel", cancel),
            web.get("/uploads", permit),
            web.post("/storage", store),
        )

    def created(self, sale: Sale, shop: Shop) -> web.Response:
        return answer({"output": {"task_id": sale.reference, "task_status": "PENDING"}, "request_id": "r-1"})

    def refusal(self, refusal: Refusal, words: str) -> web.Response:
        status, code, sentence = _WORDS[refusal]
        return answer({"code": code, "message": f"{sentence} ({words})", "request_id": "r-1"}, status)

    def _show(self, request: web.Request, shop: Shop) -> web.Response:
        reference = request.match_info["reference"]
        sale = shop.find(reference)
        if sale is None:
            return answer({"request_id": "r-1", "output": {"task_id": reference, "task_status": "UNKNOWN"}})
        stage = sale.stage(shop.clock())
        usage = {"usage": _usage(sale)} if stage == "succeeded" else {}
        return answer({"request_id": "r-1", "output": self._output(sale, stage, shop), **usage})

    def _list(self, request: web.Request, shop: Shop) -> web.Response:
        number, size = int(request.query.get("page_no", 1)), int(request.query.get("page_size", 10))
        now, known = shop.clock(), shop.newest(self.name)
        page = known[(number - 1) * size : number * size]
        rows = [
            {
                "task_id": sale.reference,
                "status": _STATUSES[sale.stage(now)],
                "model_name": sale.order.details["model"],
            }
            for sale in page
        ]
        return answer({"request_id": "r-1", "data": rows, "total": len(known), "page_no": number})

    def _cancel(self, request: web.Request, shop: Shop) -> web.Response:
        sale = shop.find(request.match_info["reference"])
        if sale is None:
            return self.refusal("missing", "unknown")
        if sale.stage(shop.clock()) != "queued":
            return answer({"code": "UnsupportedOperation", "message": "It is not pending."}, 400)
        shop.cancel(sale)
        return answer({"request_id": "r-1"})

    def _output(self, sale: Sale, stage: Stage, shop: Shop) -> dict[str, Any]:
        output = {
            "task_id": sale.reference,
            "task_status": _STATUSES[stage],
            "submit_time": "2026-11-21 16:00:00.000",
        }
        if stage in _FAILED:
            code, words = _FAILED[stage]
            return {**output, "code": code, "message": words}
        if stage == "succeeded" and sale.plot != "no_result":
            return {**output, "video_url": shop.file_url(sale, "video.mp4")}
        return output


def _problem(request: web.Request, body: dict[str, Any], stored: set[str]) -> str:
    """What is wrong with a create call, in words."""
    if request.headers.get("x-dashscope-async") != "enable":
        return "the current user api does not support synchronous calls"
    given = body.get("input", {})
    media = [each.get("url", "") for each in given.get("media", ())]
    named = [*media, *(value for value in given.values() if isinstance(value, str))]
    uploads = [each for each in named if each.startswith("oss://")]
    if uploads and request.headers.get("x-dashscope-ossresourceresolve") != "enable":
        return "the place of an upload is not resolved"
    if not set(uploads) <= stored:
        return "there is no such upload"
    return "" if body.get("model") else "model is required"


def _usage(sale: Sale) -> dict[str, Any]:
    asked = sale.order.details.get("parameters", {})
    resolution = asked.get("resolution", "720P")
    return {
        "video_count": 1,
        "duration": asked.get("duration", 5),
        "output_video_duration": asked.get("duration", 5),
        "size": asked.get("size", _CLASSES.get(resolution, "1280*720")),
        "SR": int(resolution.rstrip("P")),
    }
