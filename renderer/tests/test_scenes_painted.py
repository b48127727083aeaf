"""Every pixel of a frame is painted: what its memory held before shows nowhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from meshapi_renderer import compose
from meshapi_renderer.contact_sheet import SHOWCASE
from meshapi_renderer.job import Job
from meshapi_renderer.plan import SETTINGS, Setting
from meshapi_renderer.scene import Scratch

_FRAMES = 48


class _Used(Scratch):
    """Memory full of what others left."""

    def __init__(self, left: int) -> None:
        super().__init__()
        self._left = left

    def array(self, *wanted: Any, **further: Any) -> Any:
        found = super().array(*wanted, **further)
        found[...] = self._left
        return found


@pytest.mark.parametrize("size", [(320, 180), (180, 320)], ids=["landscape", "portrait"])
@pytest.mark.parametrize("setting", SETTINGS)
def test_nothing_of_the_memory_shows_in_a_frame(
    setting: Setting, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compose, "frame_size", lambda resolution, ratio: size)
    job = Job(prompt=SHOWCASE[setting], seed=11, frames=_FRAMES, output="unused.mp4", resolution="480p")
    scene = compose.build_scene(compose.compose(job))
    for index in (4, _FRAMES - 1):
        first, second = (scene.frame(index, _Used(left)).copy() for left in (0, 255))
        assert np.array_equal(first, second)
