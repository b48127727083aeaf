"""The delivery log: what was posted where, how often, and what came back."""

import msgspec

from meshapi_server.callbacks.service import Webhooks

from . import query
from .call import Answer, Call, Reply
from .operation import Operation, Response, path
from .operation import query as query_parameter
from .webhook_bodies import DeliveryBody, DeliveryList, delivery_body

_encode = msgspec.json.Encoder().encode

COLLECTION = "/v1/webhooks/deliveries"
ITEM = COLLECTION + "/{delivery_id}"
_DELIVERY_ID = path("delivery_id", "The delivery's id.", type="string")


class Deliveries:
    """Handlers of the delivery log."""

    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks

    async def list(self, call: Call) -> Answer:
        """A page of the caller's deliveries, newest first."""
        found, more = await self._webhooks.deliveries(call.owner, query.deliveries(call.query))
        return Reply(_encode(DeliveryList(data=[delivery_body(each) for each in found], has_more=more)))

    async def get(self, call: Call) -> Answer:
        """One delivery."""
        return Reply(_encode(delivery_body(await self._webhooks.delivery(*_named(call)))))

    async def redeliver(self, call: Call) -> Answer:
        """Deliver again, whatever became of it before."""
        return Reply(_encode(delivery_body(await self._webhooks.redeliver(*_named(call)))))

    def operations(self) -> tuple[Operation, ...]:
        """What this room serves."""
        return (
            Operation(
                method="GET",
                path=COLLECTION,
                name="listWebhookDeliveries",
                summary="List deliveries, newest first",
                tag="webhooks",
                handler=self.list,
                parameters=(
                    query_parameter(
                        "status",
                        "Only deliveries in this status.",
                        type="string",
                        enum=["pending", "delivered", "dead"],
                    ),
                    query_parameter("endpoint_id", "Only those to this endpoint.", type="string"),
                    query_parameter("event_id", "Only those of this event.", type="string"),
                    query_parameter("task_id", "Only those of this task.", type="string"),
                    query_parameter(
                        "limit", "Deliveries on a page.", type="integer", minimum=1, maximum=200, default=50
                    ),
                    query_parameter("after", "Continue behind this delivery id.", type="string"),
                ),
                responses={200: Response(description="A page of the log.", body=DeliveryList)},
                errors=(403, 422, 429),
            ),
            Operation(
                method="GET",
                path=ITEM,
                name="getWebhookDelivery",
                summary="Get a delivery with every attempt at it",
                tag="webhooks",
                handler=self.get,
                parameters=(_DELIVERY_ID,),
                responses={200: Response(description="The delivery.", body=DeliveryBody)},
                errors=(403, 404, 429),
            ),
            Operation(
                method="POST",
                path=ITEM + "/redeliver",
                name="redeliverWebhookDelivery",
                summary="Deliver again, at once, with all its retries",
                tag="webhooks",
                handler=self.redeliver,
                parameters=(_DELIVERY_ID,),
                responses={200: Response(description="The delivery, about to be made.", body=DeliveryBody)},
                errors=(403, 404, 429),
            ),
        )


def _named(call: Call) -> tuple[str, str]:
    return call.owner, call.path_values["delivery_id"]
