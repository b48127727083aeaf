"""A tropical beach: from a drone straight above, or from the sand with the surf running up to the viewer."""

from __future__ import annotations

from meshapi_renderer.plan import ScenePlan
from meshapi_renderer.rng import Rng
from meshapi_renderer.scene import Canvas, Scene, Timing
from meshapi_renderer.scenes.beach_aerial import Beach as AerialBeach
from meshapi_renderer.scenes.beach_ground import GroundBeach


def build(plan: ScenePlan, canvas: Canvas, timing: Timing, rng: Rng) -> Scene:
    """The beach of ``plan``, seen from where the plan looks."""
    if plan.viewpoint == "aerial":
        return AerialBeach(plan, canvas, timing, rng)
    return GroundBeach(plan, canvas, timing, rng)
