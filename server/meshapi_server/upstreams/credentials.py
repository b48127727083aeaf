"""An upstream's keys, which show themselves to nobody by accident."""

from collections.abc import Iterator, Mapping


class Credentials(Mapping[str, str]):
    """Named secrets. ``repr``, ``str`` and pickles hold their names only."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = dict(values or {})

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Credentials({', '.join(self._values)})"

    def __reduce__(self) -> tuple[type["Credentials"], tuple[()]]:
        return Credentials, ()

    def with_(self, **more: str) -> "Credentials":
        """These and others, such as a token that was got for them."""
        return Credentials({**self._values, **more})
