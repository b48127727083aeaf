"""The feed of what happened: whatever callback was lost, it is here."""

import msgspec

from meshapi_server.callbacks.service import Webhooks

from . import query
from .call import Answer, Call, Reply
from .operation import Operation, Response
from .operation import query as query_parameter
from .view import TaskView
from .webhook_bodies import EventList, event_body

_encode = msgspec.json.Encoder().encode


class Feed:
    """The events of an owner, in the order in which they were stored."""

    def __init__(self, webhooks: Webhooks, view: TaskView) -> None:
        self._webhooks = webhooks
        self._view = view

    async def list(self, call: Call) -> Answer:
        """The events behind a cursor, oldest first."""
        after, limit = query.events(call.query)
        found, more = await self._webhooks.events(call.owner, after, limit)
        data = [event_body(each, self._view) for each in found]
        following = data[-1].id if data else after or None
        return Reply(
            _encode(EventList(data=data, has_more=more, next=following)),
            headers={"cache-control": "private, no-cache"},
        )

    def operations(self) -> tuple[Operation, ...]:
        """What this room serves."""
        return (
            Operation(
                method="GET",
                path="/v1/events",
                name="listEvents",
                summary="What happened since an event, oldest first",
                tag="webhooks",
                handler=self.list,
                parameters=(
                    query_parameter(
                        "after",
                        "Continue behind this event; without it, from the oldest that is kept (30 days).",
                        type="string",
                        pattern="^(evt_[0-9A-HJKMNP-TV-Z]{26})?$",
                    ),
                    query_parameter(
                        "limit", "Events on a page.", type="integer", minimum=1, maximum=200, default=50
                    ),
                ),
                responses={200: Response(description="Events, oldest first.", body=EventList)},
                errors=(403, 422, 429),
            ),
        )
