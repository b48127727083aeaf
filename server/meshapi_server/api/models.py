"""The models that can be asked for (wire.md section 10)."""

from typing import Protocol

import msgspec

from meshapi_server.tasks.errors import unknown_model
from meshapi_server.upstreams.rows import ModelRow

from .call import Answer, Call, Reply
from .errors import APIError
from .operation import Operation, Response, path
from .operation import query as query_parameter

_encode = msgspec.json.Encoder().encode
_ROWS = list[ModelRow]


class ModelSource(Protocol):
    """Where rows come from."""

    def rows(self) -> tuple[ModelRow, ...]:
        """Every model, in the catalogue's order."""
        ...

    def row(self, model_id: str) -> ModelRow | None:
        """One model by its id."""
        ...


class Models:
    """Handlers of the catalogue."""

    def __init__(self, source: ModelSource) -> None:
        self._source = source

    async def list(self, call: Call) -> Answer:
        """A bare array, filtered by ``type`` and ``provider``."""
        types, providers = call.query.get("type"), call.query.get("provider")
        rows = [
            row
            for row in self._source.rows()
            if call.allows(row.id)
            and (not types or row.model_type in types)
            and (not providers or row.provider in providers)
        ]
        return Reply(_encode(rows))

    async def get(self, call: Call) -> Answer:
        """One model; its id contains a slash."""
        model_id = call.path_values["model_id"]
        row = self._source.row(model_id) if call.allows(model_id) else None
        if row is None:
            raise APIError("model_not_found", unknown_model(model_id))
        return Reply(_encode(row))

    def operations(self) -> tuple[Operation, ...]:
        """What this room serves."""
        return (
            Operation(
                method="GET",
                path="/v1/models",
                name="listModels",
                summary="List models",
                tag="models",
                handler=self.list,
                parameters=(
                    query_parameter("type", "Only models of this type.", type="string"),
                    query_parameter("provider", "Only models of this provider.", type="string"),
                ),
                responses={200: Response(description="The models.", body=_ROWS)},
                errors=(403, 429),
            ),
            Operation(
                method="GET",
                path="/v1/models/{model_id:path}",
                name="getModel",
                summary="Get a model",
                tag="models",
                handler=self.get,
                parameters=(path("model_id", "The id, slash included.", type="string"),),
                responses={200: Response(description="The model.", body=ModelRow)},
                errors=(403, 404, 429),
            ),
        )
