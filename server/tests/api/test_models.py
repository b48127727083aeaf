"""GET /v1/models over HTTP (wire.md section 10); the rows themselves are proved in upstreams/."""

import pytest

from ..serving import Caller, error


def test_the_list_is_a_bare_array_of_rows_with_distinct_ids(caller: Caller) -> None:
    rows = caller.get("/v1/models").json()
    assert isinstance(rows, list)
    ids = [row["id"] for row in rows]
    assert len(ids) == len(set(ids)) > 50
    assert {"mesh/diorama-1", "sandbox/instant", "byteplus/dreamina-seedance-2-0"} <= set(ids)


def test_type_and_provider_filter(caller: Caller) -> None:
    everything = caller.get("/v1/models").json()
    assert caller.get("/v1/models", params={"type": "video"}).json() == everything
    assert caller.get("/v1/models", params={"type": "image"}).json() == []
    assert caller.get("/v1/models", params={"provider": "none"}).json() == []
    sandbox = caller.get("/v1/models", params={"provider": "sandbox"}).json()
    assert [row["provider"] for row in sandbox] == ["sandbox"] * 6
    several = caller.get("/v1/models?provider=sandbox&provider=mesh").json()
    assert {row["provider"] for row in several} == {"sandbox", "mesh"}


def test_every_row_can_be_got_by_its_id_with_its_slash(caller: Caller) -> None:
    for row in caller.get("/v1/models").json():
        assert caller.get(f"/v1/models/{row['id']}").json() == row
    escaped = caller.raw("GET", "/v1/models/mesh%2Fdiorama-1")
    assert escaped.json()["id"] == "mesh/diorama-1"


@pytest.mark.parametrize(
    "model", ["none", "none/such", "mesh", "mesh/", "mesh/diorama-1/", "Mesh/Diorama-1", "%00"]
)
def test_an_unknown_model_is_404(caller: Caller, model: str) -> None:
    error(caller.raw("GET", f"/v1/models/{model}"), 404, "model_not_found")
