"""The contract's files are well formed, and the tables this package repeats agree with them."""

import jsonschema
import pytest
from sdk_support.vectors import CONTRACT, load

from meshapi._error_decoding import _ASSUMED_CODES
from meshapi.types.task import TERMINAL_STATUSES

FILES = sorted(
    path.relative_to(CONTRACT) for path in [*CONTRACT.glob("*.json"), *CONTRACT.glob("vectors/*.json")]
)


@pytest.mark.parametrize("path", FILES, ids=str)
def test_every_contract_file_satisfies_the_schema_of_its_name(path):
    schema = load(f"schema/{path.stem}.schema.json")
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(load(str(path)), schema, cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("path", [path for path in FILES if path.parent.name == "vectors"], ids=str)
def test_every_case_of_a_suite_has_a_description_of_its_own(path):
    descriptions = [case["description"] for case in load(str(path))["cases"]]
    assert len(descriptions) == len(set(descriptions))


def test_terminal_statuses_are_those_of_the_contract():
    states = load("states.json")
    named = [*states["statuses"], *states["hosted_aliases"]]
    assert {state["name"] for state in named if state["terminal"]} == TERMINAL_STATUSES


def test_assumed_error_codes_are_those_of_the_contract():
    assumed = load("errors.json")["assumed"]
    assert {str(status): code for status, code in _ASSUMED_CODES.items()} == assumed["by_status"]


def test_every_assumed_code_belongs_to_its_status():
    errors = load("errors.json")
    pairs = {(each["status"], each["code"]) for each in errors["http"]}
    assert {(int(status), code) for status, code in errors["assumed"]["by_status"].items()} <= pairs
