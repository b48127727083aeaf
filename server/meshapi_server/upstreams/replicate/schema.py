"""The input schema that a model on Replicate publishes: which fields it has, of which type and spelling.

Source: Replicate's OpenAPI document; a model shows its schema as an OpenAPI document of its own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct


class Field(Struct, frozen=True, kw_only=True):
    """One input. ``kind`` is its JSON type; ``choices`` are the values it takes, where they are listed."""

    kind: str | None = None
    choices: tuple[Any, ...] = ()

    def spelled(self, value: Any) -> Any:
        """The value in this field's type, and in the case and with the unit of its choices."""
        for choice in self.choices:
            if str(choice).lower() in {str(value).lower(), f"{value}s"}:
                return choice
        if self.kind == "string" and not isinstance(value, str):
            return str(value)
        return value


class Schema(Struct, frozen=True):
    """The inputs of one model. None: it is not known, and the usual names are taken as they are."""

    fields: Mapping[str, Field] | None = None

    def first(self, names: Sequence[str], kind: str | None = None) -> str | None:
        """The first of these names that the model has, of this type if one is asked for."""
        if self.fields is None:
            return names[0]
        for name in names:
            field = self.fields.get(name)
            if field is not None and kind in {None, field.kind}:
                return name
        return None

    def spelled(self, name: str, value: Any) -> Any:
        """The value as the field of this name spells it."""
        return (self.fields or {}).get(name, Field()).spelled(value)


UNKNOWN = Schema()


def schema_of(document: Mapping[str, Any]) -> Schema:
    """The inputs of a model or a version as Replicate shows it; UNKNOWN where it shows none."""
    version = document.get("latest_version", document)
    openapi = version.get("openapi_schema") if isinstance(version, dict) else None
    components = openapi.get("components") if isinstance(openapi, dict) else None
    schemas = components.get("schemas") if isinstance(components, dict) else None
    inputs = schemas.get("Input") if isinstance(schemas, dict) else None
    properties = inputs.get("properties") if isinstance(inputs, dict) else None
    if not isinstance(properties, dict) or not isinstance(schemas, dict):
        return UNKNOWN
    return Schema({name: _field(value, schemas) for name, value in properties.items()})


def _field(value: Any, schemas: Mapping[str, Any]) -> Field:
    """A property, or the schema that it refers to, as properties with choices do."""
    own = value if isinstance(value, dict) else {}
    named = next((part for part in own.get("allOf") or (own,) if isinstance(part, dict)), {})
    place = named.get("$ref")
    if isinstance(place, str):
        meant = schemas.get(place.rpartition("/")[2])
        own = {**meant, **own} if isinstance(meant, dict) else own
    kind, choices = own.get("type"), own.get("enum")
    return Field(
        kind=kind if isinstance(kind, str) else None,
        choices=tuple(choices) if isinstance(choices, list) else (),
    )
