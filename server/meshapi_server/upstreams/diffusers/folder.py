"""A diffusers folder as its files describe it: read, never run. The weights are not looked at.

Beside the files of diffusers the operator may lay a ``meshapi.toml``, in which he says what no
configuration tells: frames per second, resolutions, the steps that a distilled model wants.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from meshapi_server.upstreams.limits import ADAPTIVE, lines, shape

INDEX = "model_index.json"
WISHES = "meshapi.toml"


class FolderInvalid(ValueError):
    """A folder that cannot be served; the message names the file and what is wrong."""


class Wishes(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The operator's ``meshapi.toml``. Absent values follow from the pipeline.

    ``seconds`` is the usual duration and ``longest`` the longest one; ``steps``, ``guidance`` and
    ``negative_prompt`` are used where a request does not say.
    """

    name: str | None = None
    description: str | None = None
    resolutions: tuple[str, ...] = ()
    ratios: tuple[str, ...] = ()
    fps: int | None = None
    seconds: int | None = None
    longest: int | None = None
    steps: int | None = None
    guidance: float | None = None
    negative_prompt: str | None = None

    def __post_init__(self) -> None:
        for field in ("fps", "seconds", "longest", "steps"):
            value = getattr(self, field)
            if value is not None and value < 1:
                raise ValueError(f"{field} is {value}; it must be at least 1")
        for word in self.resolutions:
            if not lines(word):
                raise ValueError(f"resolutions: {word!r} is none such as 480p")
        for word in self.ratios:
            if word != ADAPTIVE and not shape(word):
                raise ValueError(f"ratios: {word!r} is none such as 16:9, nor {ADAPTIVE}")


class ModelFolder(Struct, frozen=True, kw_only=True):
    """One folder. ``name`` is the model's id without ``diffusers/``; ``pipeline`` a class of diffusers."""

    name: str
    path: Path
    pipeline: str
    index: Mapping[str, Any]
    denoiser: Mapping[str, Any]
    vae: Mapping[str, Any]
    wishes: Wishes = Wishes()


def is_model(path: Path) -> bool:
    """Whether this is a folder that a pipeline was saved to."""
    return (path / INDEX).is_file()


def read_folder(name: str, path: Path) -> ModelFolder:
    """Read the configuration files of a folder. Raises FolderInvalid."""
    index = _read_json(path / INDEX)
    pipeline = index.get("_class_name")
    if not isinstance(pipeline, str):
        raise FolderInvalid(
            f"{path / INDEX}: _class_name must name a pipeline of diffusers, not {pipeline!r}"
        )
    # Wan 2.2 has two experts of the same shape, of which either may be left out.
    denoisers = [each for each in ("transformer", "transformer_2", "unet") if _has(index, each)]
    return ModelFolder(
        name=name,
        path=path,
        pipeline=pipeline,
        index=index,
        denoiser=_read_json(path / denoisers[0] / "config.json") if denoisers else {},
        vae=_read_json(path / "vae" / "config.json") if _has(index, "vae") else {},
        wishes=_read_wishes(path / WISHES),
    )


def _has(index: Mapping[str, Any], part: str) -> bool:
    """Whether the index names a class for this part; parts that are left out stand as [null, null]."""
    entry = index.get(part)
    return isinstance(entry, list) and len(entry) == 2 and entry[1] is not None


def _read_json(file: Path) -> dict[str, Any]:
    try:
        read = json.loads(file.read_text("utf-8"))
    except OSError as fault:
        raise FolderInvalid(f"{file} cannot be read: {fault.strerror or fault}") from None
    except (ValueError, RecursionError) as fault:
        raise FolderInvalid(f"{file} is no JSON: {fault}") from None
    if not isinstance(read, dict):
        raise FolderInvalid(f"{file} must hold an object, not {type(read).__name__}")
    return read


def _read_wishes(file: Path) -> Wishes:
    try:
        return msgspec.toml.decode(file.read_bytes(), type=Wishes)
    except FileNotFoundError:
        return Wishes()
    except (OSError, msgspec.MsgspecError, ValueError) as fault:
        raise FolderInvalid(f"{file}: {fault}") from None
