"""The contract's vector files as test cases."""

import json
from pathlib import Path
from typing import Any

import pytest

CONTRACT = Path(__file__).parents[4] / "contract"


def load(name: str) -> Any:
    """A data file of the contract, by its path below ``contract/``."""
    return json.loads((CONTRACT / name).read_text("utf-8"))


def cases(suite: str) -> list[Any]:
    """The cases of a suite, each a pytest parameter named by its description."""
    return [
        pytest.param(case["given"], case["want"], id=case["description"])
        for case in load(f"vectors/{suite}.json")["cases"]
    ]


def at_least(actual: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """The members of ``actual`` that ``wanted`` names."""
    return {name: actual.get(name) for name in wanted}
