"""Registered endpoints and what their callbacks are signed with."""

import msgspec

from meshapi_server.callbacks.service import Webhooks

from .call import Answer, Call, Reply
from .json_body import given, read
from .operation import Operation, Response, path
from .webhook_bodies import (
    DeliveryBody,
    EndpointBody,
    EndpointCreate,
    EndpointDeleted,
    EndpointList,
    EndpointUpdate,
    SecretBody,
    delivery_body,
    endpoint_body,
    secret_body,
)

_encode = msgspec.json.Encoder().encode

COLLECTION = "/v1/webhooks/endpoints"
ITEM = COLLECTION + "/{endpoint_id}"
SECRET = "/v1/webhooks/secret"  # noqa: S105 - a path
_ENDPOINT_ID = path("endpoint_id", "The endpoint's id.", type="string")


class WebhookEndpoints:
    """Handlers of endpoints and secrets."""

    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks

    async def create(self, call: Call) -> Answer:
        """Register a URL; the answer shows its secret, this once."""
        wanted = given(await read(call, EndpointCreate))
        endpoint, secret = await self._webhooks.create(call.owner, wanted.pop("url"), **wanted)
        return _private(endpoint_body(endpoint, [secret]))

    async def list(self, call: Call) -> Answer:
        """All endpoints of the caller."""
        found = await self._webhooks.endpoints(call.owner)
        return Reply(_encode(EndpointList(data=[endpoint_body(each) for each in found])))

    async def get(self, call: Call) -> Answer:
        """One endpoint, without its secret."""
        return Reply(_encode(endpoint_body(await self._webhooks.endpoint(*_named(call)))))

    async def update(self, call: Call) -> Answer:
        """Change an endpoint."""
        changes = given(await read(call, EndpointUpdate))
        return Reply(_encode(endpoint_body(await self._webhooks.update(*_named(call), changes))))

    async def delete(self, call: Call) -> Answer:
        """Remove an endpoint."""
        owner, endpoint_id = _named(call)
        await self._webhooks.delete(owner, endpoint_id)
        return Reply(_encode(EndpointDeleted(id=endpoint_id)))

    async def rotate(self, call: Call) -> Answer:
        """A new secret; the one before signs, too, for a day."""
        endpoint, secrets = await self._webhooks.rotate(*_named(call))
        return _private(endpoint_body(endpoint, secrets))

    async def test(self, call: Call) -> Answer:
        """Send a test event."""
        return Reply(_encode(delivery_body(await self._webhooks.test(*_named(call)))))

    async def secret(self, call: Call) -> Answer:
        """What signs the callbacks of single tasks."""
        return _private(secret_body(await self._webhooks.secret(call.owner)))

    async def rotate_secret(self, call: Call) -> Answer:
        """A new one; the one before signs, too, for a day."""
        return _private(secret_body(await self._webhooks.rotate_secret(call.owner)))

    def operations(self) -> tuple[Operation, ...]:
        """What this room serves."""
        return (
            Operation(
                method="POST",
                path=COLLECTION,
                name="createWebhookEndpoint",
                summary="Register a URL that is told when tasks end",
                tag="webhooks",
                handler=self.create,
                request=EndpointCreate,
                responses={200: Response(description="The endpoint, with its secret.", body=EndpointBody)},
                errors=(403, 413, 415, 422, 429),
            ),
            Operation(
                method="GET",
                path=COLLECTION,
                name="listWebhookEndpoints",
                summary="List registered URLs",
                tag="webhooks",
                handler=self.list,
                responses={200: Response(description="All endpoints, oldest first.", body=EndpointList)},
                errors=(403, 429),
            ),
            Operation(
                method="GET",
                path=ITEM,
                name="getWebhookEndpoint",
                summary="Get a registered URL",
                tag="webhooks",
                handler=self.get,
                parameters=(_ENDPOINT_ID,),
                responses={200: Response(description="The endpoint.", body=EndpointBody)},
                errors=(403, 404, 429),
            ),
            Operation(
                method="PATCH",
                path=ITEM,
                name="updateWebhookEndpoint",
                summary="Change a registered URL",
                tag="webhooks",
                handler=self.update,
                parameters=(_ENDPOINT_ID,),
                request=EndpointUpdate,
                responses={200: Response(description="The endpoint as it is now.", body=EndpointBody)},
                errors=(403, 404, 413, 415, 422, 429),
            ),
            Operation(
                method="DELETE",
                path=ITEM,
                name="deleteWebhookEndpoint",
                summary="Remove a registered URL",
                tag="webhooks",
                handler=self.delete,
                parameters=(_ENDPOINT_ID,),
                responses={200: Response(description="Word that it was removed.", body=EndpointDeleted)},
                errors=(403, 404, 429),
            ),
            Operation(
                method="POST",
                path=ITEM + "/rotate",
                name="rotateWebhookEndpointSecret",
                summary="Give an endpoint a new secret; the old one signs, too, for 24 hours",
                tag="webhooks",
                handler=self.rotate,
                parameters=(_ENDPOINT_ID,),
                responses={200: Response(description="The endpoint, with its secret.", body=EndpointBody)},
                errors=(403, 404, 429),
            ),
            Operation(
                method="POST",
                path=ITEM + "/test",
                name="testWebhookEndpoint",
                summary="Send a test event to an endpoint",
                tag="webhooks",
                handler=self.test,
                parameters=(_ENDPOINT_ID,),
                responses={200: Response(description="The delivery, about to be made.", body=DeliveryBody)},
                errors=(403, 404, 429),
            ),
            Operation(
                method="GET",
                path=SECRET,
                name="getWebhookSecret",
                summary="What signs the callbacks to a task's callback_url",
                tag="webhooks",
                handler=self.secret,
                responses={200: Response(description="The secret.", body=SecretBody)},
                errors=(403, 429),
            ),
            Operation(
                method="POST",
                path=SECRET + "/rotate",
                name="rotateWebhookSecret",
                summary="A new secret for callback_urls; the old one signs, too, for 24 hours",
                tag="webhooks",
                handler=self.rotate_secret,
                responses={200: Response(description="The new secret.", body=SecretBody)},
                errors=(403, 429),
            ),
        )


def _named(call: Call) -> tuple[str, str]:
    return call.owner, call.path_values["endpoint_id"]


def _private(body: EndpointBody | SecretBody) -> Reply:
    return Reply(_encode(body), headers={"cache-control": "no-store"})
