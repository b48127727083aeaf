"""MiniMax's video API in both its versions. Our mark is the ``Idempotency-Key`` header, which it ignores."""

from collections.abc import Iterable, Mapping
from typing import Any

import aiohttp
from aiohttp import web
from tests.upstreams.fake.dialect import Dialect, Refusal, answer
from tests.upstreams.fake.sale import Order, Sale, Stage
from tests.upstreams.fake.shop import Shop

_CHALLENGE = "tell me this again"
_ANSWER_WITHIN = 3.0  # s
_FIRST_STATUSES: dict[Stage, str] = {
    "queued": "Queueing",
    "running": "Processing",
    "strange": "Upscaling",
    "succeeded": "Success",
    "failed": "Fail",
    "moderated": "Fail",
}
_FIRST_WORDS: dict[Refusal, tuple[int, str]] = {
    "rate_limited": (1002, "rate limit"),
    "overloaded": (1039, "token limit"),
    "invalid": (2013, "invalid params"),
    "moderated_input": (1026, "input new_sensitive"),
    "unauthorised": (1004, "login fail"),
    "no_funds": (1008, "insufficient balance"),
    "error": (1000, "unknown error"),
    "missing": (2013, "invalid params, invalid task_id"),
}
_SECOND_STATUSES: dict[Stage, str] = {"strange": "upscaling", "moderated": "failed"}
_SECOND_WORDS: dict[Refusal, tuple[int, str, str, int]] = {
    "rate_limited": (429, "rate_limit_error", "rate limit, please retry later", 1002),
    "overloaded": (529, "overloaded_error", "the service is overloaded", 1000),
    "invalid": (400, "bad_request_error", "invalid params", 2013),
    "moderated_input": (
        422,
        "unprocessable_entity_error",
        "video description contains sensitive content",
        1026,
    ),
    "unauthorised": (401, "authorized_error", "login fail", 1004),
    "no_funds": (402, "insufficient_balance_error", "insufficient balance", 1008),
    "error": (500, "server_error", "internal error", 1000),
    "missing": (400, "bad_request_error", "invalid task_id", 2013),
}
_FAILED: dict[Stage, tuple[str, str]] = {
    "failed": ("1000", "unknown error"),
    "moderated": ("1027", "output new_sensitive"),
}


class MiniMax(Dialect):
    """One account. ``challenges``: a callback URL has to repeat a challenge before its task is taken."""

    name = "minimax"
    base_path = "/minimax"

    def __init__(self, *, challenges: bool = False) -> None:
        self._first = First(challenges=challenges)
        self._second = Second(challenges=challenges)

    def routes(self, shop: Shop) -> Iterable[web.RouteDef]:
        return (*self._first.routes(shop), *self._second.routes(shop))

    def created(self, sale: Sale, shop: Shop) -> web.Response:
        return self._version(sale).created(sale, shop)

    def refusal(self, refusal: Refusal, words: str) -> web.Response:
        return self._second.refusal(refusal, words)

    def announcement(self, sale: Sale, stage: Stage, shop: Shop) -> tuple[bytes, Mapping[str, str]] | None:
        return self._version(sale).announcement(sale, stage, shop)

    def _version(self, sale: Sale) -> Dialect:
        return self._second if "content" in sale.order.details else self._first


class Version(Dialect):
    """What both versions share: how they take orders."""

    name = "minimax"
    base_path = "/minimax"
    place: str

    def __init__(self, *, challenges: bool) -> None:
        self._challenges = challenges

    def lacking(self, body: Mapping[str, Any]) -> str:
        """What a body needs and does not have, in words."""
        return "" if "model" in body else "model is required"

    def taking(self, shop: Shop) -> web.RouteDef:
        """The route that takes orders."""

        async def create(request: web.Request) -> web.StreamResponse:
            body = await request.json()
            texts = [item["text"] for item in body.get("content", ()) if item["type"] == "text"]
            lacking = self.lacking(body)
            if lacking:
                return self.refusal("invalid", lacking)
            hook = body.get("callback_url")
            if hook and self._challenges and not await repeats(hook):
                return self.refusal("invalid", "the callback_url did not repeat the challenge")
            order = Order(
                dialect=self.name,
                prompt=body.get("prompt") or " ".join(texts),
                token=request.headers.get("idempotency-key"),
                callback_url=hook,
                details=body,
            )
            return await shop.sell(request, order, self)

        return web.post(self.place, create)


class First(Version):
    """The first version: everything is HTTP 200, and what was made is a file with a number."""

    place = "/v1/video_generation"

    def routes(self, shop: Shop) -> Iterable[web.RouteDef]:
        async def show(request: web.Request) -> web.StreamResponse:
            return await shop.look(request, self, lambda: self._show(request, shop))

        async def retrieve(request: web.Request) -> web.StreamResponse:
            return await shop.look(request, self, lambda: self._file(request, shop), "files")

        return (
            self.taking(shop),
            web.get("/v1/query/video_generation", show),
            web.get("/v1/files/retrieve", retrieve),
        )

    def created(self, sale: Sale, shop: Shop) -> web.Response:
        return answer({"task_id": sale.reference, "base_resp": _base(0, "success")})

    def refusal(self, refusal: Refusal, words: str) -> web.Response:
        code, sentence = _FIRST_WORDS[refusal]
        return answer({"task_id": "", "base_resp": _base(code, f"{sentence} ({words})")})

    def announcement(self, sale: Sale, stage: Stage, shop: Shop) -> tuple[bytes, Mapping[str, str]] | None:
        task = self._task(sale, stage)
        body = answer({**task, "status": task["status"].lower()}).body
        return (body, {}) if isinstance(body, bytes) else None

    def _show(self, request: web.Request, shop: Shop) -> web.Response:
        sale = shop.find(request.query.get("task_id", ""))
        if sale is None:
            return self.refusal("missing", "unknown")
        return answer(self._task(sale, sale.stage(shop.clock())))

    def _file(self, request: web.Request, shop: Shop) -> web.Response:
        number = int(request.query.get("file_id", 0)) - 2**60
        for sale in shop.newest(self.name):
            if sale.number == number:
                url = shop.file_url(sale, "video.mp4")
                file = {"file_id": number + 2**60, "filename": "output.mp4", "download_url": url}
                return answer({"file": file, "base_resp": _base(0, "success")})
        return self.refusal("missing", "unknown")

    def _task(self, sale: Sale, stage: Stage) -> dict[str, Any]:
        task: dict[str, Any] = {"task_id": sale.reference, "status": _FIRST_STATUSES[stage], "file_id": ""}
        if stage == "succeeded" and sale.plot != "no_result":
            task |= {"file_id": str(sale.number + 2**60), "video_width": 1366, "video_height": 768}
        code, words = _FAILED.get(stage, ("0", "success"))
        return {**task, "base_resp": _base(int(code), words)}


class Second(Version):
    """The second version: proper statuses of HTTP, and an address in the task."""

    place = "/v2/video_generation"

    def lacking(self, body: Mapping[str, Any]) -> str:
        for name in ("model", "content", "resolution", "duration"):
            if not body.get(name):
                return f"{name} is required"
        text_alone = all(item["type"] == "text" for item in body["content"])
        return "text needs a ratio" if text_alone and body.get("ratio", "adaptive") == "adaptive" else ""

    def routes(self, shop: Shop) -> Iterable[web.RouteDef]:
        async def show(request: web.Request) -> web.StreamResponse:
            return await shop.look(request, self, lambda: self._show(request, shop))

        async def remove(request: web.Request) -> web.StreamResponse:
            return await shop.look(request, self, lambda: self._remove(request, shop), "cancels")

        return (
            self.taking(shop),
            web.get("/v2/query/video_generation/{reference}", show),
            web.delete("/v2/video_generation/{reference}", remove),
        )

    def created(self, sale: Sale, shop: Shop) -> web.Response:
        return answer({"task_id": sale.reference})

    def refusal(self, refusal: Refusal, words: str) -> web.Response:
        status, kind, sentence, number = _SECOND_WORDS[refusal]
        error = {"type": kind, "message": f"{sentence}: {words} ({number})", "http_code": str(status)}
        return answer({"type": "error", "error": error, "request_id": "r-1"}, status)

    def announcement(self, sale: Sale, stage: Stage, shop: Shop) -> tuple[bytes, Mapping[str, str]] | None:
        body = answer(self._task(sale, stage, shop)).body
        return (body, {}) if isinstance(body, bytes) else None

    def _show(self, request: web.Request, shop: Shop) -> web.Response:
        sale = shop.find(request.match_info["reference"])
        if sale is None:
            return self.refusal("missing", "unknown")
        return answer(self._task(sale, sale.stage(shop.clock()), shop))

    def _remove(self, request: web.Request, shop: Shop) -> web.Response:
        sale = shop.find(request.match_info["reference"])
        if sale is None:
            return self.refusal("missing", "unknown")
        stage = sale.stage(shop.clock())
        if stage not in {"queued", "succeeded", "failed", "moderated"}:
            return self.refusal("invalid", f"a task that is {stage} cannot be removed")
        if stage == "queued":
            shop.cancel(sale)
        else:
            sale.deleted = True
        action = "cancel" if stage == "queued" else "delete"
        return answer({"task_id": sale.reference, "action": action, "status": sale.stage(shop.clock())})

    def _task(self, sale: Sale, stage: Stage, shop: Shop) -> dict[str, Any]:
        asked = sale.order.details
        task: dict[str, Any] = {
            "id": sale.reference,
            "model": asked["model"],
            "status": _SECOND_STATUSES.get(stage, stage),
            "created_at": int(sale.accepted_at),
            "updated_at": int(shop.clock()),
        }
        if stage in _FAILED:
            code, words = _FAILED[stage]
            task["error"] = {"code": code, "message": words}
        elif stage == "succeeded":
            url = {} if sale.plot == "no_result" else {"url": shop.file_url(sale, "video.mp4")}
            task |= {"content": url, "usage": {"total_seconds": asked["duration"]}}
            task |= {name: asked[name] for name in ("resolution", "duration", "ratio") if name in asked}
        return {"task": task}


async def repeats(url: str) -> bool:
    """Whether a callback URL answers a challenge, as MiniMax asks before it takes a task."""
    timeout = aiohttp.ClientTimeout(total=_ANSWER_WITHIN)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, json={"challenge": _CHALLENGE}) as heard,
        ):
            return heard.ok and await heard.json() == {"challenge": _CHALLENGE}
    except (TimeoutError, aiohttp.ClientError, ValueError):
        return False


def _base(code: int, words: str) -> dict[str, Any]:
    return {"status_code": code, "status_msg": words}
