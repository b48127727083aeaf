"""From a method call to the exchange that performs it, shared by the sync and the async client. No I/O."""

import json
import re
import secrets
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict, TypeVar, cast
from urllib.parse import quote, urlencode

from pydantic import ValidationError

from . import _paths
from ._exchange import Ambient, Answer, Exchange, Outcome, Repeat, Request
from ._retry import exchange
from ._service import Service
from ._settings import Settings, Timeout, checked_timeout, with_retries
from .errors import ConfigurationError, MeshAPIError, ResponseDecodingError
from .types import (
    CreateVideoGenerationResponse,
    DeleteVideoGenerationResponse,
    ListVideoGenerationsFields,
    ListVideoGenerationsParams,
    Model,
    ModelList,
    VideoGenerationFields,
    VideoGenerationParams,
    VideoTaskList,
    VideoTaskResponse,
)
from .types.listing import QueryPairs

PROBE_SECONDS = 5.0
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


class GenerateArguments(VideoGenerationFields, CreateOptions, total=False):
    """The keyword arguments of ``generate``: the parameters and the options."""


class ListArguments(ListVideoGenerationsFields, RequestOptions, total=False):
    """The keyword arguments of ``list`` and ``iter``: the parameters and the options."""


_OPTIONS = frozenset(RequestOptions.__annotations__)
_CREATE_OPTIONS = frozenset(CreateOptions.__annotations__)
Response = TypeVar(
    "Response",
    VideoTaskResponse,
    CreateVideoGenerationResponse,
    VideoTaskList,
    Model,
    DeleteVideoGenerationResponse,
)


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
        policy = self.settings.retry
        if "max_retries" in options:
            policy = with_retries(policy, options["max_retries"])
        probe = self._probe() if request.idempotency_key is not None else None
        return exchange(request, policy, self.service, self.ambient, probe)

    def create(self, params: object, arguments: GenerateArguments) -> Exchange:
        """The exchange of ``POST /v1/video/generations``, with one idempotency key for all its sends."""
        fields, options = _split(arguments, _CREATE_OPTIONS)
        body = {**_params(params, fields).to_wire(), **(options.get("extra_body") or {})}
        key = _checked_key(options.get("idempotency_key"))
        options = _split(options, _OPTIONS)[1]
        request = self.request("POST", _paths.GENERATIONS, options, body=_encoded(body), repeat="with_key")
        headers = {**request.headers, "Idempotency-Key": key}
        return self.perform(replace(request, headers=headers, idempotency_key=key), options)

    def retrieve(self, task_id: str, options: RequestOptions) -> Exchange:
        """The exchange of ``GET /v1/video/generations/{id}``."""
        return self.perform(self.request("GET", _paths.generation(task_id), options), options)

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

    def page(self, query: QueryPairs, options: RequestOptions) -> Generator[Any, Outcome, VideoTaskList]:
        """The same, decoded, for walking through pages."""
        answer = yield from self.list(query, options)
        page = decoded(VideoTaskList, answer)
        for task in page.data:
            task.request_id = task.request_id or page.request_id
        return page

    def models(self, kind: str | None, provider: str | None, options: RequestOptions) -> Exchange:
        """The exchange of ``GET /v1/models``."""
        query = [
            (name, value) for name, value in (("type", kind), ("provider", provider)) if value is not None
        ]
        return self.perform(self.request("GET", _paths.MODELS, options, query=query), options)

    def model(self, model_id: str, options: RequestOptions) -> Exchange:
        """The exchange of ``GET /v1/models/{id}``."""
        return self.perform(self.request("GET", _paths.model(model_id), options), options)

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


def decoded(kind: type[Response], answer: Answer) -> Response:
    """The body of a success as a value that knows its request id. Raises ResponseDecodingError."""
    try:
        value = kind.model_validate_json(answer.body)
    except ValidationError:
        raise _undecodable(kind.__name__, answer) from None
    if value.request_id is None:
        value.request_id = answer.headers.get("x-request-id")
    return value


def decoded_models(answer: Answer) -> ModelList:
    """The bare array of ``GET /v1/models``; a ``{"data": [...]}`` around it is read too."""
    try:
        body = json.loads(answer.body)
    except ValueError:
        raise _undecodable("list of models", answer) from None
    rows = body.get("data") if isinstance(body, dict) else body
    if not isinstance(rows, list):
        raise _undecodable("list of models", answer)
    models = ModelList(Model.model_validate(row) for row in rows if isinstance(row, dict))
    models.request_id = answer.headers.get("x-request-id")
    return models


def decoded_delete(task_id: str, answer: Answer) -> DeleteVideoGenerationResponse:
    """What a delete did. An empty body (204) means removed."""
    if not answer.body.strip():
        request_id = answer.headers.get("x-request-id")
        return DeleteVideoGenerationResponse(id=task_id, deleted=True, request_id=request_id)
    return decoded(DeleteVideoGenerationResponse, answer)


def list_query(params: object, arguments: ListArguments) -> tuple[QueryPairs, RequestOptions]:
    """The query pairs of a parameter object or of keyword arguments, and the options beside them."""
    fields, options = _split(arguments, _OPTIONS)
    if params is not None and fields:
        raise _both("list")
    given = fields if params is None else params
    if isinstance(given, ListVideoGenerationsParams):
        return given.to_query(), options
    return ListVideoGenerationsParams.model_validate(given).to_query(), options


def waiting_options(arguments: GenerateArguments) -> RequestOptions:
    """The options of a create that also hold for the wait that follows."""
    kept = ("timeout", "max_retries", "extra_headers")
    return cast("RequestOptions", {name: value for name, value in arguments.items() if name in kept})


def _split(arguments: Mapping[str, Any], names: frozenset[str]) -> tuple[dict[str, Any], CreateOptions]:
    """The wire's fields and the call's options."""
    fields = {name: value for name, value in arguments.items() if name not in names}
    return fields, cast("CreateOptions", {name: value for name, value in arguments.items() if name in names})


def _params(params: object, fields: Mapping[str, Any]) -> VideoGenerationParams:
    if params is not None and fields:
        raise _both("generate")
    given = fields if params is None else params
    return given if isinstance(given, VideoGenerationParams) else VideoGenerationParams.model_validate(given)


def _both(method: str) -> TypeError:
    return TypeError(f"{method}() takes a parameter object or keyword parameters, not both")


def _encoded(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


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


def _undecodable(wanted: str, answer: Answer) -> MeshAPIError:
    start = answer.body[:80].decode(errors="replace")
    return ResponseDecodingError(
        f"HTTP {answer.status}, but the body is no {wanted}; it begins {start!r}",
        status=answer.status,
        request_id=answer.headers.get("x-request-id"),
    )
