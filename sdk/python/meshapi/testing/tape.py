"""What a cassette holds: requests and what came of them, readable, and without anything secret.

Left out are all request headers but a few, the API key and webhook secrets wherever they show, the user and
the query of every URL that is not an endpoint (links to files are signed there), and the bytes of pictures
in prompts, of which the SHA-256 is kept.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from meshapi._exchange import Answer, Failure, Request

FORMAT = "meshapi cassette 1"
_KEPT_HEADERS = frozenset(
    {
        *("content-type", "content-range", "accept-ranges", "etag", "repr-digest", "retry-after"),
        *("x-request-id", "idempotent-replayed"),
    }
)
_URL = re.compile(r"(https?://)(?:[^/@\s\"'<>]*@)?([^\s\"'<>?#\\]*)(?:\?[^\s\"'<>]*)?")
_SECRET = re.compile(r"\b(rsk_|whsec_)[A-Za-z0-9+/_=-]+")
_DATA_URI = re.compile(r"data:([a-z0-9.+-]+/[a-z0-9.+-]+)[^,]*,(.*)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Interaction:
    """One request and its outcome. ``asked`` is what a request is recognised by; ``seconds`` it took."""

    asked: dict[str, Any]
    outcome: Answer | Failure
    broken: Failure | None = None
    seconds: float = 0.0


@dataclass(slots=True)
class Tape:
    """The interactions in their order, and those not yet replayed."""

    recorded_at: float
    interactions: list[Interaction] = field(default_factory=list)

    def take(self, asked: dict[str, Any]) -> Interaction | None:
        """The next interaction that began with this request, which is then used up; None for none."""
        for index, each in enumerate(self.interactions):
            if each.asked == asked:
                return self.interactions.pop(index)
        return None


class Scrubber:
    """Takes out what must not be written."""

    def __init__(self) -> None:
        self._keys: set[str] = set()

    def learn(self, headers: Mapping[str, str]) -> None:
        """Hear of the key of another client."""
        key = headers.get("Authorization", "").removeprefix("Bearer ")
        self._keys |= {key} - {""}

    def asked(self, request: Request) -> dict[str, Any]:
        """What a request is recognised by: method, endpoint or link, range, body."""
        asked: dict[str, Any] = {"method": request.method, "url": self._location(request)}
        for name in ("Range", "Last-Event-ID"):
            if name in request.headers:
                asked[name.lower()] = request.headers[name]
        if request.body is not None:
            asked |= self.content(request.body)
        return asked

    def content(self, body: bytes) -> dict[str, Any]:
        """A body that is text: ``json`` or ``text``. Raises UnicodeDecodeError for one that is none."""
        text = body.decode()
        try:
            return {"json": self._walked(json.loads(text))}
        except (ValueError, RecursionError):
            return {"text": self.text(text)}

    def text(self, text: str) -> str:
        """The text without keys, and its URLs without user and query."""
        for key in self._keys:
            text = text.replace(key, "[api key]")
        return _URL.sub(_bare, _SECRET.sub(r"\1[secret]", text))

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Those of an answer that mean something to a client."""
        kept = {
            name.lower(): self.text(value)
            for name, value in headers.items()
            if name.lower() in _KEPT_HEADERS or name.lower().startswith("x-mesh-")
        }
        return dict(sorted(kept.items()))

    def _location(self, request: Request) -> str:
        parts = urlsplit(request.url)
        if not request.authenticated and not parts.path.endswith("/healthz"):
            return self.text(request.url)
        if parts.path.endswith("/healthz"):
            return "/healthz"
        path = parts.path[parts.path.find("/v1/") :]
        # How long the server may hold its answer depends on how much time is left, to the second.
        query = "&".join(pair for pair in parts.query.split("&") if pair and not pair.startswith("wait="))
        return self.text(f"{path}?{query}" if query else path)

    def _walked(self, value: Any) -> Any:
        if isinstance(value, str):
            match = _DATA_URI.fullmatch(value)
            if match:
                return f"data:{match[1]};sha256={hashlib.sha256(match[2].encode()).hexdigest()}"
            return self.text(value)
        if isinstance(value, dict):
            return {name: self._walked(each) for name, each in value.items()}
        return [self._walked(each) for each in value] if isinstance(value, list) else value


def _bare(match: re.Match[str]) -> str:
    query = "?redacted" if "?" in match[0] else ""
    return f"{match[1]}{match[2]}{query}"


def written(tape: Tape, scrubber: Scrubber, path: Path) -> str:
    """The tape as JSON; bodies that are no text are written into files beside ``path``."""
    rows = []
    for number, each in enumerate(tape.interactions, 1):
        row: dict[str, Any] = {"request": each.asked, "seconds": round(each.seconds, 3)}
        if isinstance(each.outcome, Failure):
            row["failure"] = _told(each.outcome, scrubber)
        else:
            row["answer"] = {"status": each.outcome.status, "headers": scrubber.headers(each.outcome.headers)}
            row["answer"] |= _body(each.outcome, scrubber, path, number)
        if each.broken is not None:
            row["broken"] = _told(each.broken, scrubber)
        rows.append(row)
    moment = datetime.datetime.fromtimestamp(tape.recorded_at, datetime.UTC).isoformat()
    told = {"format": FORMAT, "recorded_at": moment, "interactions": rows}
    return json.dumps(told, ensure_ascii=False, indent=2) + "\n"


def read(path: Path) -> Tape:
    """The tape of a file. Raises ValueError for a file that is none."""
    told = json.loads(path.read_text("utf-8"))
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise ValueError(f"{path} is no cassette of this version: its format is not {FORMAT!r}")
    moment = datetime.datetime.fromisoformat(told["recorded_at"])
    return Tape(moment.timestamp(), [_interaction(row, path) for row in told["interactions"]])


def _body(answer: Answer, scrubber: Scrubber, path: Path, number: int) -> dict[str, Any]:
    if not answer.body:
        return {}
    kind = answer.headers.get("content-type", "").lower()
    if not kind.startswith(("video/", "image/", "audio/", "application/octet-stream")):
        try:
            return scrubber.content(answer.body)
        except UnicodeDecodeError:
            pass
    beside = path.with_name(f"{path.stem}.{number:02d}.bin")
    beside.write_bytes(answer.body)
    return {
        "file": beside.name,
        "size": len(answer.body),
        "sha256": hashlib.sha256(answer.body).hexdigest(),
        "content_length": answer.headers.get("content-length"),
    }


def _interaction(row: dict[str, Any], path: Path) -> Interaction:
    broken = _failure(row["broken"]) if "broken" in row else None
    if "failure" in row:
        return Interaction(row["request"], _failure(row["failure"]), broken, row["seconds"])
    told = row["answer"]
    headers = dict(told["headers"])
    body = b""
    if "json" in told:
        body = json.dumps(told["json"], ensure_ascii=False).encode()
    elif "text" in told:
        body = told["text"].encode()
    elif "file" in told:
        body = path.with_name(Path(told["file"]).name).read_bytes()
        if hashlib.sha256(body).hexdigest() != told["sha256"]:
            raise ValueError(f"{told['file']} is not what was recorded: its SHA-256 differs")
        if told.get("content_length"):
            headers["content-length"] = told["content_length"]
    return Interaction(row["request"], Answer(told["status"], headers, body), broken, row["seconds"])


def _told(failure: Failure, scrubber: Scrubber) -> dict[str, str]:
    return {
        "kind": failure.kind,
        "message": scrubber.text(str(failure.cause) or type(failure.cause).__name__),
    }


def _failure(told: dict[str, Any]) -> Failure:
    return Failure(told["kind"], ConnectionError(told["message"]))
