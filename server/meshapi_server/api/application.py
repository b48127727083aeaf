"""The ASGI application: request id, version, route, login, handler, envelope. In that order."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog
from starlette.routing import compile_path
from starlette.types import Message, Receive, Scope, Send

from meshapi_server.accounts.key import Key
from meshapi_server.accounts.keys import Keys
from meshapi_server.tasks.errors import StoreDown, TaskRefusal

from .call import VERSIONS, Answer, Call, ClientGone, Reply, header_of, request_id_of
from .cross_origin import CrossOrigin
from .errors import APIError, from_refusal
from .operation import Handler, Operation
from .secure_headers import missing

log = structlog.get_logger("meshapi.api")

_NOT_FOR_TASKS = (
    "This is an admin key: it manages keys, and sees nothing else. Use a key of the tasks' owner."
)
_NOT_FOR_KEYS = "This needs an admin key; `meshapi keys create --admin` makes one."
Hook = Callable[[], Awaitable[None]]


class _Route:
    """The operations of one path."""

    def __init__(self, path: str) -> None:
        self.pattern = compile_path(path)[0]
        self.operations: dict[str, Operation] = {}

    @property
    def allow(self) -> str:
        methods = set(self.operations) | ({"HEAD"} if "GET" in self.operations else set())
        return ", ".join(sorted(methods))


class Application:
    """Serves operations. Holds no state of a request."""

    def __init__(
        self,
        operations: Sequence[Operation],
        keys: Keys,
        *,
        startup: Hook | None = None,
        shutdown: Hook | None = None,
        cross_origin: CrossOrigin | None = None,
        constant_headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        self._keys = keys
        self._startup = startup
        self._shutdown = shutdown
        self._cross_origin = cross_origin or CrossOrigin()
        self._constant_headers = (*constant_headers, (b"x-mesh-idempotency", b"supported"))
        self._fixed: dict[str, _Route] = {}
        self._patterns: list[_Route] = []
        routes: dict[str, _Route] = {}
        for operation in operations:
            route = routes.setdefault(operation.path, _Route(operation.path))
            route.operations[operation.method] = operation
        for path, route in routes.items():
            if "{" in path:
                self._patterns.append(route)
            else:
                self._fixed[path] = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI 3."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1000})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id, version = request_id_of(scope["headers"]), VERSIONS[0]
        answer: Answer
        call: Call | None = None
        try:
            version = _version(scope)
            call = Call(scope, receive, request_id, version)
            answer = await self._answer(call)
        except ClientGone:
            return
        except APIError as error:
            answer = _error_reply(error, request_id)
        except TaskRefusal as refusal:
            answer = _error_reply(from_refusal(refusal), request_id)
        except StoreDown as fault:
            log.error("the store is down", request_id=request_id, path=scope["path"], fault=str(fault))
            answer = _error_reply(_store_down(), request_id)
        except Exception:
            log.exception("request failed", request_id=request_id, method=scope["method"], path=scope["path"])
            answer = _error_reply(_internal(), request_id)
        limits = call.admission.headers() if call is not None and call.admission is not None else []
        await self._send(answer, scope, receive, send, request_id, version, limits)

    async def _answer(self, call: Call) -> Answer:
        preflight = self._cross_origin.preflight(
            call.header(b"origin"), call.scope["method"], call.header(b"access-control-request-method")
        )
        if preflight is not None:
            return preflight
        operation, call.path_values = self._find(call.scope["path"], call.scope["method"])
        if operation.login:
            await self._login(call, admin=operation.admin)
        handler: Handler = operation.handler
        return await handler(call)

    def _find(self, path: str, method: str) -> tuple[Operation, Mapping[str, str]]:
        route = self._fixed.get(path)
        values: Mapping[str, str] = {}
        if route is None:
            for candidate in self._patterns:
                match = candidate.pattern.match(path)
                if match:
                    route, values = candidate, match.groupdict()
                    break
        if route is None:
            raise APIError("not_found", f"There is nothing at {path[:200]}.")
        operation = route.operations.get("GET" if method == "HEAD" else method)
        if operation is None:
            raise APIError(
                "method_not_allowed",
                f"{method[:20]} is not allowed here; use {route.allow}.",
                headers=(("allow", route.allow),),
            )
        return operation, values

    async def _login(self, call: Call, *, admin: bool) -> None:
        header = call.header(b"authorization")
        if header is None:
            raise _unauthorized("No API key: send the header Authorization: Bearer rsk_...")
        scheme, _, secret = header.partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            raise _unauthorized("The Authorization header must read: Bearer rsk_...")

        async def identify() -> None:
            call.key = await self._key(secret.strip(), admin=admin)

        key = call.key = await self._key(secret.strip(), admin=admin)
        call.log_in_again = identify
        call.admission = await self._keys.admit(key)
        if call.admission is not None and call.admission.retry_after is not None:
            raise APIError(
                "rate_limit_exceeded",
                f"The API key has used up its requests: {call.admission.refusal()}.",
                retry_after=call.admission.retry_after,
            )

    async def _key(self, secret: str, *, admin: bool) -> Key:
        """The key as it is now. Raises APIError when it may not be used here."""
        key = await self._keys.check(secret)
        if key is None:
            raise _unauthorized("The API key is not known, or it was revoked or has expired.")
        if key.suspended_at is not None:
            raise APIError("forbidden", "The API key is suspended; its operator can resume it.")
        if key.admin != admin:
            raise APIError("forbidden", _NOT_FOR_TASKS if key.admin else _NOT_FOR_KEYS)
        return key

    async def _send(
        self,
        answer: Answer,
        scope: Scope,
        receive: Receive,
        send: Send,
        request_id: str,
        version: str,
        limits: Sequence[tuple[bytes, bytes]],
    ) -> None:
        extra = [
            (b"x-request-id", request_id.encode()),
            (b"x-mesh-version", version.encode()),
            *limits,
            *self._constant_headers,
            *self._cross_origin.headers(header_of(scope["headers"], b"origin")),
        ]
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                given = message.get("headers", ())
                message = {**message, "headers": [*given, *extra, *missing(given)]}
            await send(message)

        try:
            await answer(scope, receive, send_with_headers)
        except Exception:
            log.exception("answer broke off", request_id=request_id, path=scope["path"])
            if not started:
                await _error_reply(_internal(), request_id)(scope, receive, send_with_headers)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            if self._startup is not None:
                await self._startup()
        except Exception as fault:
            log.exception("start failed")
            await send({"type": "lifespan.startup.failed", "message": str(fault)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if self._shutdown is not None:
            await self._shutdown()
        await send({"type": "lifespan.shutdown.complete"})


def _version(scope: Scope) -> str:
    given = header_of(scope["headers"], b"x-mesh-version")
    if given is None:
        return VERSIONS[0]
    if given not in VERSIONS:
        raise APIError(
            "invalid_api_version",
            f"X-Mesh-Version {given[:40]!r} is not spoken here; use {' or '.join(VERSIONS)}.",
            supported_versions=VERSIONS,
        )
    return given


def _unauthorized(message: str) -> APIError:
    return APIError("unauthorized", message, headers=(("www-authenticate", "Bearer"),))


def _store_down() -> APIError:
    message = "The database does not answer. Try again, a create under the same Idempotency-Key."
    return APIError("provider_not_available", message, retry_after=5)


def _internal() -> APIError:
    return APIError("internal_error", "The server failed; its log has the reason under this request id.")


def _error_reply(error: APIError, request_id: str) -> Reply:
    return Reply(error.body(request_id), error.status, dict(error.headers))
