"""Pictures made on the spot, and a picture of known content to render from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from meshapi_renderer import meaning


@pytest.fixture(autouse=True)
def _no_second_opinion(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read prompts by the lexicon alone, be the optional sentence encoder installed or not."""
    if "encoder" not in request.node.name:
        monkeypatch.setattr(meaning, "load_encoder", lambda: None)


def _painted(width: int, height: int, seed: int = 0) -> NDArray[np.uint8]:
    """Return a coloured picture: gradients, a weave and a few discs, as RGB bytes."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float64)
    y, x = rows / height, columns / width
    picture = np.stack([60 + 120 * y, 90 + 80 * x, 170 - 90 * y], axis=-1)
    picture += (14 * np.sin(60 * x + 9 * y) * np.sin(47 * y - 7 * x))[..., None]
    picture += (10 * np.sin(430 * x + 31 * y) * np.sin(230 * y - 13 * x))[..., None]
    for index in range(6):
        centre_x = (0.13 + 0.37 * index + 0.11 * seed) % 1.0
        centre_y = (0.21 + 0.29 * index + 0.17 * seed) % 1.0
        distance = np.hypot((x - centre_x) * width, (y - centre_y) * height) / (0.12 * min(width, height))
        disc = np.clip(4 * (1 - distance), 0, 1)[..., None]
        colour = np.array([40 + 35 * index, 200 - 30 * index, 90 + 25 * index])
        picture = picture * (1 - disc) + colour * disc
    return picture.astype(np.uint8)


@pytest.fixture
def painted() -> Callable[..., NDArray[np.uint8]]:
    """Return the function that paints `(width, height, seed=0)`."""
    return _painted


@pytest.fixture
def photo(tmp_path: Path) -> Callable[..., str]:
    """Return a function that writes a painted picture and returns its path."""

    def write(name: str = "photo.png", width: int = 864, height: int = 480, seed: int = 0) -> str:
        path = tmp_path / name
        Image.fromarray(_painted(width, height, seed)).save(path)
        return str(path)

    return write
