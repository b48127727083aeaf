"""``/openapi.json``: OpenAPI 3.1 from the operations and the types that encode and decode the bodies."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from .call import VERSIONS, Answer, Call, Reply
from .errors import ErrorBody
from .operation import Operation, Parameter, Response

_REF = "#/components/schemas/{name}"
_ALWAYS = (400, 500)
_TITLES = {
    400: "The request cannot be read.",
    401: "The key is missing, malformed, unknown or revoked.",
    402: "The budget of the key is used up.",
    403: "The key is suspended.",
    404: "There is no such thing, or it is somebody else's.",
    409: "The task's state does not allow it.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    416: "The range lies outside the file.",
    422: "The request is understood but not valid.",
    429: "Too many requests.",
    500: "A fault of the server.",
    502: "The upstream failed.",
    503: "Nothing can serve this now.",
    504: "The upstream did not answer in time.",
}


class OpenAPI:
    """Serves the document, built once."""

    def __init__(self, operations: Sequence[Operation], version: str, public_url: str) -> None:
        self._body = msgspec.json.encode(document(operations, version, public_url))

    async def get(self, call: Call) -> Answer:
        """The document."""
        return Reply(self._body)

    def operation(self) -> Operation:
        """The route of the document itself."""
        return Operation(
            method="GET",
            path="/openapi.json",
            name="getOpenAPI",
            summary="This API as OpenAPI 3.1",
            tag="health",
            handler=self.get,
            login=False,
            responses={200: Response(description="The document.", body=dict)},
        )


def document(operations: Sequence[Operation], version: str, public_url: str) -> dict[str, Any]:
    """The OpenAPI document of ``operations``."""
    bodies = {id(body): body for operation in operations for body in _bodies(operation)}
    types = [ErrorBody, *bodies.values()]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    by_type = dict(zip([id(type_) for type_ in types], schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        template = re.sub(r"\{(\w+):\w+\}", r"{\1}", operation.path)
        paths.setdefault(template, {})[operation.method.lower()] = _operation(operation, by_type)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Mesh API",
            "version": version,
            "description": "Asynchronous video generation: create a task, watch it, download the result.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": public_url}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "An `rsk_` key."}},
        },
    }


def _bodies(operation: Operation) -> list[Any]:
    bodies = [] if operation.request is None else [operation.request]
    for response in operation.responses.values():
        bodies += _alternatives(response)
    return bodies


def _alternatives(response: Response) -> list[Any]:
    if response.body is None:
        return []
    return list(response.body) if isinstance(response.body, tuple) else [response.body]


def _operation(operation: Operation, by_type: dict[int, Any]) -> dict[str, Any]:
    errors = (*_ALWAYS, *((401,) if operation.login else ()), *operation.errors)
    answer: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": [*(_parameter(each) for each in operation.parameters), *_COMMON_PARAMETERS],
        "responses": {
            **{str(status): _response(each, by_type) for status, each in operation.responses.items()},
            **{str(status): _error(status, by_type) for status in sorted(set(errors))},
        },
        "security": [{"key": []}] if operation.login else [],
    }
    if operation.request is not None:
        schema = by_type[id(operation.request)]
        content = {"application/json": {"schema": schema}}
        answer["requestBody"] = {"required": operation.request_required, "content": content}
    return answer


def _parameter(parameter: Parameter) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.place == "path",
        "description": parameter.description,
        "schema": parameter.schema,
    }
    if parameter.explode:
        answer |= {"style": "form", "explode": True}
    return answer


_COMMON_PARAMETERS = [
    {
        "name": "X-Mesh-Version",
        "in": "header",
        "required": False,
        "description": "The version of the wire that the caller speaks.",
        "schema": {"type": "string", "enum": list(VERSIONS), "default": VERSIONS[0]},
    },
]


def _response(response: Response, by_type: dict[int, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": response.description}
    if response.body is bytes:
        binary = {"schema": {"type": "string", "format": "binary"}}
        answer["content"] = {response.media_type: binary, "image/png": binary}
    elif response.body is not None:
        schemas = [by_type[id(body)] for body in _alternatives(response)]
        schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
        text = {"schema": {"type": "string"}}
        answer["content"] = {response.media_type: {"schema": schema}, **dict.fromkeys(response.texts, text)}
    if response.headers:
        answer["headers"] = {name: {"schema": {"type": "string"}} for name in response.headers}
    return answer


def _error(status: int, by_type: dict[int, Any]) -> dict[str, Any]:
    return {
        "description": _TITLES[status],
        "content": {"application/json": {"schema": by_type[id(ErrorBody)]}},
    }
