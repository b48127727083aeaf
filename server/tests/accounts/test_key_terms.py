"""What an operator may say of a key, and what follows from it."""

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshapi_server.accounts.dollars import MOST, NANO, dollars, nano_dollars
from meshapi_server.accounts.key import Key, TermInvalid, check_owner, check_terms

from ..samples import NOW


def key(**fields: Any) -> Key:
    return Key(
        **{"id": "key_1", "owner": "own_1", "name": "ci", "last_four": "ABCD", "created_at": NOW, **fields}
    )


@pytest.mark.parametrize(
    ("patterns", "allowed", "refused"),
    [
        (None, ["byteplus/x", "mesh/diorama-1"], []),
        (("mesh/diorama-1",), ["mesh/diorama-1"], ["mesh/diorama-10", "MESH/diorama-1", "xmesh/diorama-1"]),
        (("byteplus/*",), ["byteplus/a", "byteplus/a/b"], ["byteplus", "volcengine/a"]),
        (("*/x-*-1", "sandbox/*"), ["a/x-y-1", "sandbox/fails"], ["a/x-1", "a/y-1"]),
        (("a.b/*",), ["a.b/c"], ["aXb/c"]),
    ],
)
def test_a_star_stands_for_anything_and_everything_else_for_itself(
    patterns: tuple[str, ...] | None, allowed: list[str], refused: list[str]
) -> None:
    assert all(key(models=patterns).allows(model) for model in allowed)
    assert not any(key(models=patterns).allows(model) for model in refused)


def test_a_pattern_of_many_stars_is_decided_without_trying_every_way_to_share_a_name_among_them() -> None:
    """It used to take 48 s with eight stars; with forty nobody would see its end."""
    many = key(models=("*a" * 40 + "*b",))
    assert not many.allows("a" * 200)
    assert many.allows("a" * 199 + "b")


@given(st.text("ab*/", min_size=1, max_size=7), st.text("ab/", max_size=9))
def test_a_pattern_means_what_trying_every_way_finds(pattern: str, model: str) -> None:
    plain = ".*".join(re.escape(part) for part in pattern.split("*"))
    assert key(models=(pattern,)).allows(model) == bool(re.fullmatch(plain, model))


def test_of_several_reasons_against_a_key_the_one_that_lasts_longest_is_its_status() -> None:
    assert key().status(NOW) == "active"
    assert key(suspended_at=NOW).status(NOW) == "suspended"
    assert key(suspended_at=NOW, expires_at=NOW).status(NOW) == "expired"
    assert key(expires_at=NOW + 1).status(NOW) == "active"
    assert key(suspended_at=NOW, expires_at=NOW, revoked_at=NOW).status(NOW) == "revoked"


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"name": ""}, "name: 1 to 100 characters, got 0"),
        ({"requests_per_minute": 0}, "requests_per_minute: from 1"),
        ({"requests_per_day": -1}, "requests_per_day: from 1"),
        ({"tasks_in_flight": 0}, "tasks_in_flight: from 1"),
        ({"concurrency": 0}, "concurrency: from 1"),
        ({"budget_total": -1}, "budget_total: from 0"),
        ({"budget_per_day": MOST + 1}, "budget_per_day: from 0"),
        ({"expires_at": NOW}, "expires_at: a time in the future"),
        ({"models": ()}, "models: 1 to 100 patterns, got 0"),
        ({"models": ("a b",)}, "'a b' is no pattern"),
        ({"models": ("[a]",)}, "'\\[a\\]' is no pattern"),
    ],
)
def test_a_term_that_cannot_be_is_refused_by_name(terms: dict[str, Any], said: str) -> None:
    with pytest.raises(TermInvalid, match=said):
        check_terms(terms, NOW)


def test_every_limit_may_be_taken_away() -> None:
    check_terms(
        dict.fromkeys(("requests_per_minute", "tasks_in_flight", "budget_total", "expires_at", "models")), NOW
    )


@pytest.mark.parametrize("owner", ["", "o" * 101, "own 1", "own\n", "ö"])
def test_what_cannot_be_an_owner_is_refused(owner: str) -> None:
    with pytest.raises(TermInvalid, match="owner: 1 to 100 visible ASCII"):
        check_owner(owner)


def test_only_a_key_whose_tasks_are_counted_has_a_lane() -> None:
    assert key(requests_per_minute=5, budget_total=1).lane == ""
    assert key(concurrency=1).lane == key(tasks_in_flight=1).lane == "key:key_1"


@given(st.integers(0, MOST))
def test_money_comes_back_from_its_decimal_string_as_it_was(nano: int) -> None:
    text = dollars(nano)
    assert nano_dollars(text) == nano
    assert Decimal(text) * NANO == nano


def test_money_is_shown_without_zeros_that_say_nothing() -> None:
    assert [dollars(nano_dollars(text)) for text in ("0", "2.50", "10", "0.000000001")] == [
        "0",
        "2.5",
        "10",
        "0.000000001",
    ]


@pytest.mark.parametrize("text", ["", "x", "-1", "1e12", "nan", "inf", "1e999999", "0.0000000001"])
def test_what_is_no_amount_of_money_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no amount"):
        nano_dollars(text)
