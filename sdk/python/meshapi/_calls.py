"""From a method call to the exchange that performs it, shared by the sync and the async client. No I/O."""

import json
import re
import secrets
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypedDict, cast
from urllib.parse import quote, urlencode

from . import _decoding, _paths
from ._exchange import Ambient, Exchange, Outcome, QueryPairs, Repeat, Request
from ._retry import RetryPolicy, exchange
from ._service import Service
from ._settings import Settings, Timeout, checked_timeout, with_retries
from .errors import ConfigurationError, RequestTooLargeError
from .types.params import VideoGenerationParams

if TYPE_CHECKING:
    from ._arguments import GenerateArguments, ListArguments
    from ._usage import Day
    from .types import VideoTaskList

PROBE_SECONDS = 5.0
# wire.md section 1: a server answers 413 to more.
MAX_BODY_BYTES = 32 * 2**20
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class RequestOptions(TypedDict, total=False):
    """What every call takes beside its own arguments.

    ``timeout`` is seconds (or the HTTP library's value), ``max_retries`` how often this call is repeated.
    """

    timeout: Timeout
    max_retries: int
    extra_headers: Mapping[str, str]
    extra_query: Mapping[str, str | Sequence[str]]


class CreateOptions(RequestOptions, total=False):
    """What a create takes as well.

    ``extra_body`` is laid over the body. ``idempotency_key`` (1 to 255 visible ASCII characters) is minted
    anew for each call unless given; give the same one to find the task of an earlier call.
    """

    extra_body: Mapping[str, Any]
    idempotency_key: str


_OPTIONS = frozenset(RequestOptions.__annotations__)
_CREATE_OPTIONS = frozenset(CreateOptions.__annotations__)


@dataclass(frozen=True, slots=True)
class Calls:
    """Builds requests and exchanges from settings; ``service`` is what was learnt about the server."""

    settings: Settings
    service: Service
    ambient: Ambient

    def request(
        self,
        method: str,
        path: str,
        options: RequestOptions,
        *,
        query: QueryPairs | None = None,
        body: bytes | None = None,
        repeat: Repeat = "always",
    ) -> Request:
        """A request to the API."""
        if not options:
            headers: Mapping[str, str] = {}
            timeout = self.settings.timeout
        else:
            _refuse_unknown(options)
            headers = _checked_headers(options.get("extra_headers") or {})
            timeout = checked_timeout(options.get("timeout", self.settings.timeout))
            query = [*(query or ()), *_extra_pairs(options.get("extra_query") or {})]
        url = f"{self.settings.root}{path}"
        if query:
            url += "?" + urlencode(query, quote_via=quote, safe="")
        return Request(method, url, headers, body, timeout, repeat)

    def perform(self, request: Request, options: RequestOptions) -> Exchange:
        """The exchange of a request: sending, and sending again where that is right."""
        probe = self._probe() if request.idempotency_key is not None else None
        return exchange(request, self.policy(options), self.service, self.ambient, probe)

    def policy(self, options: RequestOptions) -> RetryPolicy:
        """How often a call with these options is repeated."""
        policy = self.settings.retry
        return with_retries(policy, options["max_retries"]) if "max_retries" in options else policy

    def create(self, params: object, arguments: "GenerateArguments") -> tuple[str, Exchange]:
        """The idempotency key of all sends, and the exchange of ``POST /v1/video/generations`` itself."""
        body, options = _body("generate", params, arguments)
        if body.get("dry_run"):
            raise ConfigurationError(
                "dry_run creates nothing, so generate() refuses it; call quote() instead"
            )
        key = _checked_key(arguments.get("idempotency_key"))
        request = self.request("POST", _paths.GENERATIONS, options, body=_encoded(body), repeat="with_key")
        headers = {**request.headers, "Idempotency-Key": key}
        return key, self.perform(replace(request, headers=headers, idempotency_key=key), options)

    def quote(self, params: object, arguments: "GenerateArguments") -> Exchange:
        """The exchange of ``POST /v1/video/quote``, which may be repeated freely: it spends nothing.

        The idempotency key of a create is not sent along: the create that follows may want to use it.
        """
        body, options = _body("quote", params, arguments)
        return self.perform(self.request("POST", _paths.QUOTE, options, body=_encoded(body)), options)

    def retrieve(self, task_id: str, options: RequestOptions) -> Exchange:
        """The exchange of ``GET /v1/video/generations/{id}``."""
        return self.perform(self.request("GET", _paths.generation(task_id), options), options)

    def timeline(self, task_id: str, options: RequestOptions) -> Exchange:
        """The exchange of ``GET /v1/video/generations/{id}/timeline``."""
        return self.perform(self.request("GET", _paths.generation(task_id, "timeline"), options), options)

    def cancel(self, task_id: str, options: RequestOptions) -> Exchange:
        """The exchange of ``POST /v1/video/generations/{id}/cancel``."""
        return self.perform(self.request("POST", _paths.generation(task_id, "cancel"), options), options)

    def delete(self, task_id: str, options: RequestOptions) -> Exchange:
        """The exchange of ``DELETE /v1/video/generations/{id}``.

        Not repeated once it may have arrived: the first one cancels a running task, a second would remove
        its row.
        """
        request = self.request("DELETE", _paths.generation(task_id), options, repeat="never")
        return self.perform(request, options)

    def list(self, query: QueryPairs, options: RequestOptions) -> Exchange:
        """The exchange of ``GET /v1/video/generations``."""
        return self.perform(self.request("GET", _paths.GENERATIONS, options, query=query), options)

    def page(self, query: QueryPairs, options: RequestOptions) -> "Generator[Any, Outcome, VideoTaskList]":
        """The same, decoded, for walking through pages."""
        return _decoding.page((yield from self.list(query, options)))

    def models(self, kind: str | None, provider: str | None, options: RequestOptions) -> Exchange:
        """The exchange of ``GET /v1/models``."""
        query = [
            (name, value) for name, value in (("type", kind), ("provider", provider)) if value is not None
        ]
        return self.perform(self.request("GET", _paths.MODELS, options, query=query), options)

    def model(self, model_id: str, options: RequestOptions) -> Exchange:
        """The exchange of ``GET /v1/models/{id}``."""
        return self.perform(self.request("GET", _paths.model(model_id), options), options)

    def usage(
        self,
        first: "Day | None",
        last: "Day | None",
        by: str | Sequence[str] | None,
        options: RequestOptions,
    ) -> Exchange:
        """The exchange of ``GET /v1/usage``."""
        from ._usage import usage_query

        query = usage_query(first, last, by)
        return self.perform(self.request("GET", _paths.USAGE, options, query=query), options)

    def plain(
        self,
        method: str,
        path: str,
        options: RequestOptions,
        *,
        query: Mapping[str, str | int | None] | None = None,
        body: Mapping[str, Any] | None = None,
        repeat: Repeat = "always",
    ) -> Exchange:
        """The exchange of a call that is one request; parts of the query that are None are left out."""
        pairs = [(name, str(value)) for name, value in (query or {}).items() if value is not None]
        encoded = None if body is None else _encoded(body)
        request = self.request(method, path, options, query=pairs, body=encoded, repeat=repeat)
        return self.perform(request, options)

    def _probe(self) -> Request:
        return Request(
            "GET",
            f"{self.settings.root}{_paths.HEALTH}",
            {},
            None,
            PROBE_SECONDS,
            "never",
            authenticated=False,
        )


def list_query(params: object, arguments: "ListArguments") -> tuple[QueryPairs, RequestOptions]:
    """The query pairs of a parameter object or of keyword arguments, and the options beside them."""
    fields, options = _split(arguments, _OPTIONS)
    if params is not None and fields:
        raise _both("list")
    from .types.listing import ListVideoGenerationsParams

    given = fields if params is None else params
    if isinstance(given, ListVideoGenerationsParams):
        return given.to_query(), options
    return ListVideoGenerationsParams.model_validate(given).to_query(), options


def waiting_options(arguments: "GenerateArguments") -> RequestOptions:
    """The options of a create that also hold for the wait that follows."""
    kept = ("timeout", "max_retries", "extra_headers")
    return cast("RequestOptions", {name: value for name, value in arguments.items() if name in kept})


def _split(arguments: Mapping[str, Any], names: frozenset[str]) -> tuple[dict[str, Any], CreateOptions]:
    """The wire's fields and the call's options."""
    fields = {name: value for name, value in arguments.items() if name not in names}
    return fields, cast("CreateOptions", {name: value for name, value in arguments.items() if name in names})


def _body(
    method: str, params: object, arguments: "GenerateArguments"
) -> tuple[dict[str, Any], RequestOptions]:
    """The body of a create, and the options that any call takes."""
    fields, options = _split(arguments, _CREATE_OPTIONS)
    if params is not None and fields:
        raise _both(method)
    given = fields if params is None else params
    if not isinstance(given, VideoGenerationParams):
        given = VideoGenerationParams.model_validate(given)
    body = {**given.to_wire(), **(options.get("extra_body") or {})}
    return body, _split(options, _OPTIONS)[1]


def _both(method: str) -> TypeError:
    return TypeError(f"{method}() takes a parameter object or keyword parameters, not both")


def _encoded(body: Mapping[str, Any]) -> bytes:
    encoded = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    if len(encoded) > MAX_BODY_BYTES:
        raise RequestTooLargeError(
            f"the request has {len(encoded) / 2**20:.1f} MiB, and servers take {MAX_BODY_BYTES // 2**20} MiB:"
            " nothing was sent. Send media as http(s) URLs, or smaller (a file of 3 MiB travels as 4 MiB)",
            error_code="request_too_large",
        )
    return encoded


def _checked_key(key: object) -> str:
    if key is None:
        return secrets.token_hex(16)
    if not isinstance(key, str) or not _IDEMPOTENCY_KEY.fullmatch(key):
        raise ConfigurationError(f"idempotency_key must be 1 to 255 visible ASCII characters, got {key!r}")
    return key


def _refuse_unknown(options: Mapping[str, Any]) -> None:
    unknown = sorted(set(options) - _OPTIONS)
    if unknown:
        raise TypeError(f"unknown option {unknown[0]!r}; a call takes {', '.join(sorted(_OPTIONS))}")


def _checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if any(character in f"{name}{value}" for character in "\r\n\0"):
            raise ConfigurationError(f"extra_headers: the header {name!r} has a line break")
    return dict(headers)


def _extra_pairs(query: Mapping[str, str | Sequence[str]]) -> QueryPairs:
    return [
        (name, str(each))
        for name, value in query.items()
        for each in ([value] if isinstance(value, str | int) else value)
    ]
