"""Lists of objects inside an answer: what is no object is passed over and never costs the others."""

from typing import Any

from pydantic import BaseModel


def objects_only(value: Any) -> Any:
    """The rows that are objects, or models already; an empty list for what is no list."""
    if not isinstance(value, list):
        return []
    return [each for each in value if isinstance(each, dict | BaseModel)]
