"""Quotes over HTTP: what it would cost, and refusals before anything is spent."""

import pytest

from ..serving import GENERATIONS, TEXT, Caller, error

QUOTE = "/v1/video/quote"


def test_a_quote_names_the_model_that_would_serve_and_creates_nothing(caller: Caller) -> None:
    before = caller.get(GENERATIONS).json()["total"]
    answer = caller.post({"model": "mesh/diorama-1", "content": TEXT}, QUOTE)
    assert answer.status_code == 200
    assert answer.json() == {
        "object": "quote",
        "model": "mesh/diorama-1",
        "cost_usd": "0",
        "reason": None,
        "lines": [],
        "unsupported_params": None,
    }
    assert caller.get(GENERATIONS).json()["total"] == before


def test_a_dry_run_answers_the_quote_instead_of_a_task(caller: Caller) -> None:
    before = caller.get(GENERATIONS).json()["total"]
    body = {"model": "fal/veo-3.1", "content": TEXT, "dry_run": True, "wings": 2}
    answer = caller.post(body).json()
    assert (answer["object"], answer["model"], answer["cost_usd"]) == ("quote", "mesh/diorama-1", "0")
    assert "Simulated" in answer["reason"]
    assert "wings" in answer["unsupported_params"]
    assert caller.get(GENERATIONS).json()["total"] == before


def test_a_quote_refuses_what_a_create_would_refuse(caller: Caller) -> None:
    error(caller.post({"model": "no/such", "content": TEXT}, QUOTE), 404, "model_not_found")
    error(caller.post({"model": "mesh/diorama-1", "content": []}, QUOTE), 422, "validation_error")
    error(caller.get(QUOTE), 405, "method_not_allowed")


def test_what_costs_no_more_than_it_may_is_accepted(caller: Caller) -> None:
    caller.create("sandbox/fails", max_cost_usd="0")
    caller.create("sandbox/fails", max_cost_usd=0.5)


@pytest.mark.parametrize("amount", ["-1", "NaN", "a lot", "1e9", -0.5, ""])
def test_a_sum_that_is_none_is_refused_by_its_field(caller: Caller, amount: object) -> None:
    found = error(
        caller.post({"model": "sandbox/fails", "content": TEXT, "max_cost_usd": amount}),
        422,
        "validation_error",
    )
    assert found["details"][0]["loc"] == ["body", "max_cost_usd"]
