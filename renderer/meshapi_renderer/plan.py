"""The scene plan: what the renderer will draw, as a value.

A plan is the only thing that travels from the prompt reader to the scenes. It is small, frozen and
JSON-able, so it can be stored beside a video and shown to the person who asked for it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final, Literal, get_args

Setting = Literal[
    "lake",
    "city",
    "beach",
    "forest",
    "dunes",
    "neon",
    "aurora",
    "ocean",
    "sky",
    "space",
    "underwater",
    "fire",
    "street",
    "meadow",
    "studio",
    "waterfall",
]
TimeOfDay = Literal["sunrise", "golden", "noon", "sunset", "dusk", "night"]
Weather = Literal["clear", "cloudy", "overcast", "storm", "rain", "snow", "fog"]
Season = Literal["spring", "summer", "autumn", "winter"]
CameraMove = Literal[
    "drift", "push", "pull", "pan_left", "pan_right", "tilt_up", "tilt_down", "orbit", "aerial", "fixed"
]
Viewpoint = Literal["ground", "aerial"]
PlanetKind = Literal["giant", "ice_giant", "earth", "desert", "ice"]
Subject = Literal[
    "sailboat", "birds", "balloon", "rocket", "train", "car", "cat", "dog", "fish", "butterfly", "person",
    "campfire",
]  # fmt: skip

SETTINGS: Final[tuple[Setting, ...]] = get_args(Setting)
TIMES: Final[tuple[TimeOfDay, ...]] = get_args(TimeOfDay)
WEATHERS: Final[tuple[Weather, ...]] = get_args(Weather)
SEASONS: Final[tuple[Season, ...]] = get_args(Season)
SUBJECTS: Final[tuple[Subject, ...]] = get_args(Subject)
CAMERA_MOVES: Final[tuple[CameraMove, ...]] = get_args(CameraMove)

MODEL: Final = "mesh/diorama-1"
"""The public model id this package renders for."""

RENDERER_VERSION: Final = "diorama-1.3.0"
"""Part of every random key: pictures may change between versions, never within one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenePlan:
    """What to draw, decided once from the prompt and never changed afterwards.

    Attributes:
        setting: The place, one of the sixteen scenes.
        subject: What is drawn into the place; None for the place alone. Things asked for that cannot be drawn
            are named in `left_out`.
        subject_count: How many of it the prompt asks for; 0 where it leaves that open.
        subject_colour: Wished colour of the subject as sRGB hex "rrggbb"; None means its usual colours.
        reference_thing: Whether a thing cut out of a reference picture is put into the place.
        time: Time of day, which chooses the palette and the light.
        weather: Weather, which bends the palette and adds particles.
        season: Season of the year.
        camera: Camera move.
        planet: Kind of the planet in space, such as "earth"; None leaves it open.
        ringed: Whether that planet must have rings (True) or must not (False); None leaves it open.
        viewpoint: From where the camera looks; settings that cannot be seen from above ignore it.
        speed: Pace of all motion: 1.0 is normal, 0.5 slow, 1.6 fast.
        colours: Wished colours as sRGB hex "rrggbb"; empty means the scene's own palette.
        confidence: 0..1, how much of the picture was asked for rather than guessed.
        understood: The readings, such as "setting: lake (mountain lake)".
        left_out: What the prompt asks for and the picture does not show.
        renderer: Version of the renderer that reads and draws this plan.
    """

    setting: Setting
    subject: Subject | None = None
    subject_count: int = 0
    subject_colour: str | None = None
    reference_thing: bool = False
    time: TimeOfDay = "golden"
    weather: Weather = "clear"
    season: Season = "summer"
    camera: CameraMove = "drift"
    viewpoint: Viewpoint = "ground"
    planet: PlanetKind | None = None
    ringed: bool | None = None
    speed: float = 1.0
    colours: tuple[str, ...] = ()
    confidence: float = 1.0
    understood: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    renderer: str = RENDERER_VERSION

    @property
    def is_staged(self) -> bool:
        """Whether something is put into the place; a place with a stage of its own leaves it free."""
        return self.subject is not None or self.reference_thing

    def to_json(self) -> dict[str, object]:
        """Return the plan as JSON-able values (tuples become lists)."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }
