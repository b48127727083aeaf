"""The Videos API in the shape that self-hosted engines took over from OpenAI.

Sources: openai-openapi (2026-08-21), sglang 0.5.23 and vllm-omni 0.30.0, read in their sources. An engine
keeps its jobs in its own memory: a job is asked for where it was accepted, and is lost when it restarts.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from meshapi_server.upstreams.adapter import (
    Abilities,
    Accepted,
    Adapter,
    Deferred,
    HttpResponse,
    Job,
    Limits,
    Look,
    Progress,
    Registration,
    Rejected,
    Result,
    Supports,
    Talk,
    Unreadable,
)
from meshapi_server.upstreams.http import delete, get, path
from meshapi_server.upstreams.refusals import Errors, Fault, said_in, said_of, unanswered

from .reading import facts_of
from .request import create, frame_of

ERRORS = Errors(
    codes={"rate_limit_exceeded": "rate", "insufficient_quota": "funds", "model_not_found": "model_gone"},
    parts=(
        ("moderation", "moderated_input"),
        ("content_policy", "moderated_input"),
        ("safety", "moderated_input"),
    ),
    words=(("model mismatch", "model_gone"),),
    charged="no",
)
_STATES = {"queued": "queued", "completed": "succeeded"}


class OpenAIVideos(Adapter):
    """One or several engines. ``reference`` is the address of the video at the engine that took it."""

    name = "openai-videos"
    limits = Limits(tasks=64)
    abilities = Abilities(cancels=True)
    supports = Supports(progress=True, data_uris=True)

    def __init__(self, engines: Sequence[str]) -> None:
        self.engines = tuple(_with_version(engine) for engine in engines)
        self.base_url = self.engines[0]
        self.hosts = self.engines

    def inlines(self, job: Job) -> frozenset[int]:
        """Engines take the first frame as a file of the form."""
        frame = frame_of(job)
        return frozenset() if frame is None else frozenset({frame.index})

    def submit(self, job: Job) -> Talk[Accepted]:
        """POST the form to one engine."""
        engine = self._engine(job)
        response = yield create(f"{engine}/videos", job)
        if not response.ok:
            raise ERRORS.refusal(response)
        video = response.object()
        if not isinstance(video.get("id"), str):
            raise Unreadable("a video without an id")
        return Accepted(reference=f"{engine}/videos{path(video['id'])}", look_again_in=_advice(response))

    def poll(self, looks: Sequence[Look]) -> Talk[Sequence[Progress | Exception]]:
        """GET the video."""
        stands: list[Progress | Exception] = []
        for look in looks:
            response = yield get(look.reference)
            stands.append(_progress(response))
        return stands

    def result(self, look: Look) -> Talk[Result]:
        """The content route, or the URL that an engine with cloud storage gives instead."""
        response = yield get(look.reference)
        stands = _progress(response)
        if isinstance(stands, Exception):
            raise stands
        if stands.error is not None:
            raise Rejected(stands.error)
        if stands.state != "succeeded":
            raise Deferred("the engine has not finished after all", retry_after=2.0)
        video = response.object()
        url = video.get("url")
        stored = isinstance(url, str) and url.startswith(("http://", "https://"))
        place = get(str(url), authorised=False) if stored else get(f"{look.reference}/content")
        return Result(video=place, facts=facts_of(video, look.job))

    def cancel(self, look: Look) -> Talk[bool]:
        """DELETE: vLLM-Omni stops the work, SGLang only forgets it."""
        response = yield delete(look.reference)
        if response.status == 404:
            return False
        if not response.ok:
            raise unanswered(response, ERRORS)
        return True

    def _engine(self, job: Job) -> str:
        """Tasks spread evenly and a task always goes to the same engine (rendezvous hashing)."""
        return max(self.engines, key=lambda engine: hashlib.sha256(f"{engine} {job.token}".encode()).digest())


def build(options: Mapping[str, str]) -> Adapter:
    """The adapter for the operator's engines: their base URLs, separated by commas."""
    return OpenAIVideos([each.strip() for each in options[Registration.BASE_URL].split(",")])


def _progress(response: HttpResponse) -> Progress | Exception:
    """Where a video stands. vLLM-Omni gives a failed one an error status, so the body is read first."""
    video = _video(response)
    if video is None:
        if response.status == 404:
            return Fault(kind="lost", said=said_in(response), charged="unknown").progress()
        return Unreadable("no video in the answer") if response.ok else unanswered(response, ERRORS)
    status = video["status"]
    if status in {"failed", "cancelled", "expired", "deleted"}:
        return _failure(video, str(status)).progress()
    done = video.get("progress")
    fraction = None if isinstance(done, bool) or not isinstance(done, (int, float)) else done / 100
    return Progress(
        state=_STATES.get(status, "running"),  # type: ignore[arg-type]  # the values are states
        fraction=fraction,
        look_again_in=_advice(response),
    )


def _video(response: HttpResponse) -> dict[str, Any] | None:
    try:
        value = response.json()
    except Unreadable:
        return None
    return (
        value if isinstance(value, dict) and isinstance(value.get("status"), str) and "id" in value else None
    )


def _failure(video: Mapping[str, Any], status: str) -> Fault:
    if status == "expired":
        return Fault(kind="expired")
    if status != "failed":
        return Fault(kind="cancelled")
    error = video.get("error")
    said = said_of({"error": error} if isinstance(error, dict) else error)
    kind = ERRORS.kind(said)
    return Fault(kind="moderated_output" if kind == "moderated_input" else "broken", said=said)


def _advice(response: HttpResponse) -> float | None:
    wish = response.headers.get("openai-poll-after-ms", "")
    return int(wish) / 1000 if wish.isdigit() else None


def _with_version(engine: str) -> str:
    plain = engine.rstrip("/")
    return plain if plain.endswith("/v1") else f"{plain}/v1"
