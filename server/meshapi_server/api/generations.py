"""Video generation tasks: create, get, list, cancel, delete (wire.md sections 2 to 6)."""

import re

import msgspec

from meshapi_server.accounts.key import Key
from meshapi_server.callbacks.service import Problem
from meshapi_server.tasks.errors import ModelUnknown, unknown_model
from meshapi_server.tasks.ports import Idempotency
from meshapi_server.tasks.price import UNLIMITED, Budget
from meshapi_server.tasks.service import TaskService
from meshapi_server.tasks.spec import Spec
from meshapi_server.tasks.task import Task

from . import create_request, query
from .call import Answer, Call, Reply
from .errors import APIError, invalid
from .json_body import check_media_type
from .operation import Operation, Response, header, path
from .operation import query as query_parameter
from .task_bodies import TaskBodies, TaskBytes
from .view import TaskView, quote_body
from .wire import CreateBody, CreatedBody, Deleted, QuoteBody, TaskBody, TaskList

_encode = msgspec.json.Encoder().encode
_KEY = re.compile(r"^[\x21-\x7e]{1,255}$")

COLLECTION = "/v1/video/generations"
QUOTE = "/v1/video/quote"
ITEM = COLLECTION + "/{task_id}"
TASK_ID = path("task_id", "The task's id.", type="string")


class Generations:
    """Handlers of the generation tasks."""

    def __init__(
        self, tasks: TaskService, view: TaskView, destination_problem: Problem = lambda _: None
    ) -> None:
        self._tasks = tasks
        self._view = view
        self._bodies = TaskBodies(view)
        self._destination_problem = destination_problem

    async def create(self, call: Call) -> Answer:
        """Accept a task; the answer is sent only after it is stored durably."""
        check_media_type(call)
        key = call.header(b"idempotency-key")
        if key is not None and not _KEY.match(key):
            raise APIError("invalid_request", "Idempotency-Key must be 1 to 255 visible ASCII characters.")
        body = await call.body()
        wanted = create_request.read(body)
        self._check_destination(wanted.spec.callback_url)
        if wanted.dry_run:
            return await self._quote(call, wanted)
        _check_model(call, wanted.spec)
        seen: list[Task] = []

        def respond(task: Task, unsupported: tuple[str, ...]) -> bytes:
            seen.append(task)
            return _encode(self._view.created(task, unsupported, with_request_id=call.later_version))

        idempotency = Idempotency(key=key, fingerprint=create_request.fingerprint(body)) if key else None
        created = await self._tasks.create(
            call.owner,
            wanted.spec,
            request_id=call.request_id,
            respond=respond,
            key_id=call.key.id if call.key else None,
            lane=call.key.lane if call.key else "",
            most_in_flight=call.key.tasks_in_flight if call.key else None,
            unknown_fields=wanted.unknown,
            max_cost_usd=wanted.max_cost_usd,
            budget=_budget(call.key),
            idempotency=idempotency,
        )
        if not created.replayed:
            return Reply(created.response, headers=routing_headers(seen[0]))
        first = await self._tasks.find(call.owner, created.task_id)
        routing = {} if first is None else routing_headers(first)
        return Reply(created.response, headers={"idempotent-replayed": "true", **routing})

    def _check_destination(self, url: str | None) -> None:
        problem = None if url is None else self._destination_problem(url)
        if problem is not None:
            raise invalid("value_error", ("body", "callback_url"), problem)

    async def quote(self, call: Call) -> Answer:
        """What a create with this body would cost; nothing is stored or spent."""
        check_media_type(call)
        return await self._quote(call, create_request.read(await call.body()))

    async def _quote(self, call: Call, wanted: create_request.CreateRequest) -> Answer:
        _check_model(call, wanted.spec)
        prepared, unsupported = await self._tasks.quote(
            call.owner, wanted.spec, unknown_fields=wanted.unknown
        )
        return Reply(_encode(quote_body(prepared, unsupported)))

    async def get(self, call: Call) -> Answer:
        """A task, held back until it has ended if the caller wants to wait."""
        seconds = query.wait_seconds(call.query, call.header(b"prefer"))
        task = await self._tasks.wait(
            call.owner, call.path_values["task_id"], seconds, by_request=call.later_version
        )
        found = await self._encoded(call, task)
        headers = {**routing_headers(task), "etag": found.etag, "cache-control": "private, no-cache"}
        if _matches(call.header(b"if-none-match"), found.etag):
            return Reply(b"", 304, {**headers, "content-type": "application/json"}, media_type=None)
        return Reply(found.body, headers=headers)

    async def list(self, call: Call) -> Answer:
        """A page of the caller's tasks."""
        wanted = query.listing(call.query)
        page = await self._tasks.list(call.owner, wanted)
        positions = await self._tasks.queue_positions(page.tasks)
        data = [
            self._view.task(task, queue_position=positions.get(task.id), with_request_id=call.later_version)
            for task in page.tasks
        ]
        return Reply(
            _encode(
                TaskList(
                    object="list",
                    data=data,
                    has_more=page.has_more,
                    total=page.total,
                    limit=wanted.limit,
                    offset=wanted.offset,
                )
            )
        )

    async def cancel(self, call: Call) -> Answer:
        """End a task that has not ended."""
        return await self._task(call, await self._tasks.cancel(call.owner, call.path_values["task_id"]))

    async def delete(self, call: Call) -> Answer:
        """Cancel a task that has not ended, or remove an ended one with its files."""
        task_id = call.path_values["task_id"]
        task = await self._tasks.delete(call.owner, task_id)
        return Reply(_encode(Deleted(id=task_id))) if task is None else await self._task(call, task)

    async def _task(self, call: Call, task: Task) -> Reply:
        return Reply((await self._encoded(call, task)).body, headers=routing_headers(task))

    async def _encoded(self, call: Call, task: Task) -> TaskBytes:
        positions = await self._tasks.queue_positions([task])
        return self._bodies.encode(task, positions.get(task.id), with_request_id=call.later_version)

    def operations(self) -> tuple[Operation, ...]:
        """What this room serves."""
        return (
            Operation(
                method="POST",
                path=COLLECTION,
                name="createVideoGeneration",
                summary="Create a video generation task",
                tag="video",
                handler=self.create,
                request=CreateBody,
                parameters=(
                    header(
                        "Idempotency-Key",
                        "The same key with the same body gets the first answer again, for 24 hours at least.",
                        type="string",
                        pattern="^[\\x21-\\x7e]{1,255}$",
                    ),
                ),
                responses={
                    200: Response(
                        description="The task was accepted and is stored; with dry_run, its quote.",
                        body=(CreatedBody, QuoteBody),
                    )
                },
                errors=(402, 403, 404, 413, 415, 422, 429, 502, 503, 504),
            ),
            Operation(
                method="POST",
                path=QUOTE,
                name="quoteVideoGeneration",
                summary="What a create would cost, and why",
                tag="video",
                handler=self.quote,
                request=CreateBody,
                responses={200: Response(description="The quote.", body=QuoteBody)},
                errors=(403, 404, 413, 415, 422, 429, 503),
            ),
            Operation(
                method="GET",
                path=COLLECTION,
                name="listVideoGenerations",
                summary="List tasks, newest first",
                tag="video",
                handler=self.list,
                parameters=_LIST_PARAMETERS,
                responses={200: Response(description="A page of the caller's tasks.", body=TaskList)},
                errors=(403, 422, 429),
            ),
            Operation(
                method="GET",
                path=ITEM,
                name="getVideoGeneration",
                summary="Get a task",
                tag="video",
                handler=self.get,
                parameters=(
                    TASK_ID,
                    query_parameter(
                        "wait",
                        "Hold the answer until the task has ended or this many seconds have passed.",
                        type="integer",
                        minimum=0,
                        maximum=query.MAX_WAIT,
                    ),
                ),
                responses={
                    200: Response(description="The task as it is.", body=TaskBody, headers=("ETag",)),
                    304: Response(description="The task is what If-None-Match names."),
                },
                errors=(403, 404, 422, 429),
            ),
            Operation(
                method="POST",
                path=ITEM + "/cancel",
                name="cancelVideoGeneration",
                summary="Cancel a task that has not ended",
                tag="video",
                handler=self.cancel,
                parameters=(TASK_ID,),
                responses={200: Response(description="The task, cancelled.", body=TaskBody)},
                errors=(403, 404, 409, 429),
            ),
            Operation(
                method="DELETE",
                path=ITEM,
                name="deleteVideoGeneration",
                summary="Cancel a task that has not ended, or remove an ended one",
                tag="video",
                handler=self.delete,
                parameters=(TASK_ID,),
                responses={
                    200: Response(
                        description="The cancelled task, or word that it was removed.",
                        body=(TaskBody, Deleted),
                    )
                },
                errors=(403, 404, 409, 429),
            ),
        )


_STATUS_VALUES = ["pending", "running", "succeeded", "failed", "queued", "expired", "cancelled"]
_LIST_PARAMETERS = (
    query_parameter(
        "status",
        "Only tasks in these statuses; may repeat.",
        explode=True,
        type="array",
        items={"type": "string", "enum": _STATUS_VALUES},
    ),
    query_parameter(
        "model",
        "Only tasks of these models; may repeat.",
        explode=True,
        type="array",
        items={"type": "string"},
    ),
    query_parameter("created_after", "ISO 8601, inclusive.", type="string", format="date-time"),
    query_parameter("created_before", "ISO 8601, exclusive.", type="string", format="date-time"),
    query_parameter("limit", "Tasks on a page.", type="integer", minimum=1, maximum=200, default=50),
    query_parameter("offset", "Tasks to pass over.", type="integer", minimum=0, maximum=10**15, default=0),
    query_parameter(
        "after",
        "Continue behind this task id, at constant cost.",
        type="string",
        pattern="^task_[0-9A-HJKMNP-TV-Z]{26}$",
    ),
)


def _check_model(call: Call, spec: Spec) -> None:
    """Raise ModelUnknown for a model that the caller may not use, as for one that does not exist."""
    if not call.allows(spec.model):
        raise ModelUnknown(unknown_model(spec.model))


def routing_headers(task: Task) -> dict[str, str]:
    """What tells that another model than the requested one serves a task, and whether it is a fallback."""
    if task.model == task.requested_model:
        return {}
    fallback = task.simulated or (bool(task.routes) and task.model != task.routes[0].model)
    headers = {"x-mesh-routing-model": task.model}
    return {**headers, "x-mesh-routing-fallback": "true"} if fallback else headers


def _budget(key: Key | None) -> Budget:
    return UNLIMITED if key is None else Budget(per_day=key.budget_per_day, total=key.budget_total)


def _matches(header: str | None, etag: str) -> bool:
    if header is None:
        return False
    return any(each.strip().removeprefix("W/") in {etag, "*"} for each in header.split(","))
