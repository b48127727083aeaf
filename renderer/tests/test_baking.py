import hashlib
import threading
from functools import partial

import pytest

from meshapi_renderer.baking import side_by_side
from meshapi_renderer.plan import ScenePlan
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scratch, Timing, build


def test_parts_come_back_in_their_order_whichever_is_ready_first():
    second_done = threading.Event()

    def first():
        assert second_done.wait(60)
        return 1

    def second():
        second_done.set()
        return 2

    assert side_by_side([first, second, lambda: 3]) == [1, 2, 3]


def test_the_error_of_a_part_is_raised():
    with pytest.raises(ValueError, match="no such tree"):
        side_by_side([lambda: 1, partial(_fail, "no such tree")])


def _fail(message):
    raise ValueError(message)


@pytest.mark.parametrize("setting", ["street", "forest"])
def test_scenes_baked_side_by_side_are_the_same_every_time(setting):
    plan, canvas, timing = ScenePlan(setting=setting), Canvas(256, 144), Timing(24, 25)
    frames = [build(plan, canvas, timing, Rng("baking", 1)).frame(7, Scratch()) for _ in range(3)]
    assert len({hashlib.sha256(frame.tobytes()).hexdigest() for frame in frames}) == 1
