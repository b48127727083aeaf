"""The contract's vector files as test cases."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

CONTRACT = Path(__file__).parents[4] / "contract"
# Cases that this SDK is known to fail: {suite: [description, ...]}. One that passes fails the build.
KNOWN_FAILING = Path(__file__).parents[1] / "known_failing.json"


def load(name: str) -> Any:
    """A data file of the contract, by its path below ``contract/``."""
    return json.loads((CONTRACT / name).read_text("utf-8"))


def cases(suite: str) -> list[Any]:
    """The cases of a suite, each a pytest parameter named by its description."""
    known = json.loads(KNOWN_FAILING.read_text("utf-8"))
    return parameters(suite, load(f"vectors/{suite}.json")["cases"], known)


def parameters(suite: str, cases: list[Any], known_failing: Mapping[str, list[str]]) -> list[Any]:
    """The cases as parameters; a known failing one must fail, and a listed one must be there."""
    listed = set(known_failing.get(suite, ()))
    unheard_of = listed - {case["description"] for case in cases}
    if unheard_of:
        raise ValueError(f"{KNOWN_FAILING.name} lists cases that {suite} does not have: {sorted(unheard_of)}")
    surprise = pytest.mark.xfail(
        strict=True, reason="listed in known_failing.json; take it off when it passes"
    )
    return [
        pytest.param(
            case["given"],
            case["want"],
            id=case["description"],
            marks=surprise if case["description"] in listed else (),
        )
        for case in cases
    ]


def at_least(actual: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """The members of ``actual`` that ``wanted`` names."""
    return {name: actual.get(name) for name in wanted}
