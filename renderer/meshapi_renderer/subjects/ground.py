"""Things that stand: with a contact shadow and a cast one, a mirror image on gloss, or feet in grass."""

from __future__ import annotations

from collections.abc import Sequence

from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.scene import Scratch
from meshapi_renderer.subjects.grass import Grass
from meshapi_renderer.subjects.paste import Place, cast_shadow, contact_shadow, mirror, paste, shadow_of
from meshapi_renderer.subjects.role import Role
from meshapi_renderer.subjects.sketch import Cel

_HIGH_SUN_LENGTH = 0.28
_LOW_SUN_LENGTH = 0.75


class Standing:
    """Draws the cels of a figure together with what they do to the ground."""

    def __init__(self, role: Role, cels: Sequence[Cel], footprint: float = 0.16) -> None:
        """``footprint`` is half the width of the contact shadow, in figure units."""
        self.cels = cels
        """The figure's pictures."""
        self._surface = role.level.surface
        self._footprint = footprint
        self._strength = role.light.shadow if self._surface == "matt" else 0.0
        self._shadows = [shadow_of(cel, 0.02 * cel.scale) for cel in cels] if self._strength > 0.03 else []
        self._grass = Grass(role.rng.sub("grass"))
        self._low = role.plan.time in ("sunrise", "golden", "sunset", "night")
        self._source = role.light.source_x * role.canvas.width
        self._behind = role.light.behind
        self._long = role.canvas.long

    def draw(self, frame: Bytes8, phase: int, place: Place, seconds: float, scratch: Scratch) -> None:
        """Draw cel ``phase`` at ``place``, with its shadow or mirror image."""
        cel = self.cels[phase]
        if self._surface == "grass":
            self._grass.draw_behind(frame, cel, place)
            return
        if self._surface == "matt":
            self._shade(frame, phase, place)
        elif self._surface == "gloss":
            scale = cel.scale * place.size
            mirror(frame, cel, place, seconds, scratch, clarity=0.5, ripple=0.003 * scale, fade=0.45 * scale)
        foot = self._footprint * cel.scale * place.size
        contact_shadow(frame, place.x, place.y, 1.5 * foot, 0.55 if self._surface == "matt" else 0.3)
        paste(frame, cel, place)

    def _shade(self, frame: Bytes8, phase: int, place: Place) -> None:
        if not self._shadows:
            return
        length = _LOW_SUN_LENGTH if self._low else _HIGH_SUN_LENGTH
        offset = (place.x - self._source) / self._long
        lean = (2.2 if self._low else 0.5) * max(-0.6, min(0.6, offset))
        cast_shadow(frame, self._shadows[phase], place, lean, length, self._strength)
