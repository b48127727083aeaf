"""The operator's variables: which folders are served, by which interpreter, on which devices."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import structlog
from msgspec import Struct

from .cards import card
from .family import OTHER, family_of, needs_video
from .folder import WISHES, FolderInvalid, ModelFolder, is_model, read_folder
from .process import environment

log = structlog.get_logger("meshapi.diffusers")

MODELS = "MESHAPI_DIFFUSERS_MODELS"
PYTHON = "MESHAPI_DIFFUSERS_PYTHON"
DEVICES = "MESHAPI_DIFFUSERS_DEVICES"
IDLE = "MESHAPI_DIFFUSERS_IDLE"
TASKS = "MESHAPI_DIFFUSERS_TASKS"

NEEDED = ("torch", "diffusers", "transformers", "accelerate")
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
_DEVICE = re.compile(r"^(auto|cpu|mps|(cuda|xpu)(:\d+)?)$")
_IDLE_SECONDS = 600.0
_LOOK = "import importlib.util as u, sys; print(*(n for n in sys.argv[1:] if u.find_spec(n) is None))"


class DiffusersMisconfigured(ValueError):
    """A variable cannot be used; the message names it, its value and what would be accepted."""


class Configuration(Struct, frozen=True, kw_only=True):
    """What is served and how. ``idle`` (s) is how long an unused model stays loaded."""

    folders: tuple[ModelFolder, ...]
    python: str = sys.executable
    devices: tuple[str, ...] = ("auto",)
    idle: float = _IDLE_SECONDS
    tasks: int = 1


def configured(variables: Mapping[str, str]) -> Configuration | None:
    """What the environment asks for; None where it names no models. Raises DiffusersMisconfigured."""
    models = variables.get(MODELS, "").strip()
    if not models:
        return None
    devices = tuple(word.strip() for word in (variables.get(DEVICES) or "auto").split(","))
    for device in devices:
        if not _DEVICE.match(device):
            raise DiffusersMisconfigured(
                f"{DEVICES}: {device!r} is no device; use auto, cpu, mps, cuda:0 or several with commas"
            )
    try:
        folders = _servable(_folders(models))
    except FolderInvalid as fault:
        raise DiffusersMisconfigured(f"{MODELS}: {fault}") from None
    return Configuration(
        folders=folders,
        python=_interpreter(variables.get(PYTHON) or sys.executable),
        devices=devices,
        idle=_number(variables, IDLE, _IDLE_SECONDS),
        tasks=int(_number(variables, TASKS, len(devices))),
    )


def _interpreter(python: str) -> str:
    """Its absolute path: the child starts in another folder. Links stay, they are what an environment is."""
    found = shutil.which(os.path.expanduser(python))  # noqa: PTH111 - a Path would make ./python a name to search
    return str(Path(found).absolute()) if found else python


def check_python(python: str) -> None:
    """Raise DiffusersMisconfigured unless this interpreter is there and has what the pipelines need."""
    found = shutil.which(python)
    if found is None:
        raise DiffusersMisconfigured(f"{PYTHON}: there is no interpreter {python!r}")
    command = [found, "-c", _LOOK, *NEEDED]
    try:
        done = subprocess.run(  # noqa: S603 - the operator's own choice
            command, capture_output=True, text=True, timeout=60, check=False, env=environment(os.environ)
        )
    except (OSError, subprocess.TimeoutExpired) as fault:
        raise DiffusersMisconfigured(f"{PYTHON}: {python!r} does not run: {fault}") from None
    missing = done.stdout.split()
    if done.returncode or missing:
        lacks = ", ".join(missing) or "what every Python has"
        raise DiffusersMisconfigured(
            f"{PYTHON}: {python!r} lacks {lacks}; install meshapi-server[diffusers] there, or name an"
            " interpreter that has it"
        )


def _servable(folders: Iterable[ModelFolder]) -> tuple[ModelFolder, ...]:
    """Those folders, each under a name of its own and with a card. Raises FolderInvalid."""
    found: dict[str, ModelFolder] = {}
    for folder in folders:
        if folder.name in found:
            raise FolderInvalid(f"{folder.name!r} names both {found[folder.name].path} and {folder.path}")
        card(folder)
        found[folder.name] = folder
    return tuple(found.values())


def _folders(models: str) -> Iterator[ModelFolder]:
    """``NAME=PATH, ...``; or a folder of model folders; or one model folder."""
    if "=" in models:
        for entry in models.split(","):
            name, _, path = entry.strip().partition("=")
            yield _named(name.strip().removeprefix("diffusers/"), Path(path.strip()).expanduser())
        return
    root = Path(models).expanduser()
    if not root.is_dir():
        raise FolderInvalid(f"there is no folder {models!r}")
    if is_model(root):
        yield _named(root.resolve().name, root)
        return
    found = [folder for path in sorted(root.iterdir()) if (folder := _in_passing(path)) is not None]
    if not found:
        raise FolderInvalid(f"{models!r} holds no folder with a model_index.json of a video pipeline")
    yield from found


def _named(name: str, path: Path) -> ModelFolder:
    if not _NAME.match(name):
        raise FolderInvalid(f"{name!r} is no name for a model; use letters, digits, '.', '_' and '-'")
    if not is_model(path):
        raise FolderInvalid(f"{str(path)!r} holds no model_index.json")
    return read_folder(name, path.resolve())


def _in_passing(path: Path) -> ModelFolder | None:
    """A model that lies in the folder; what is none for us (an image model, another program's) is left."""
    if not is_model(path):
        return None
    folder = _named(path.name, path)
    known = family_of(folder) is not OTHER or (path / WISHES).is_file()
    if known and not needs_video(folder):
        return folder
    log.warning("model folder left out", folder=str(path), pipeline=folder.pipeline)
    return None


def _number(variables: Mapping[str, str], variable: str, usual: float) -> float:
    text = variables.get(variable)
    if not text:
        return usual
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1 <= value < float("inf"):
        raise DiffusersMisconfigured(f"{variable}: {text!r} is no number from 1")
    return value
