"""One line of facts for each adapter of the registry; the suite does the rest."""

from dataclasses import dataclass, field
from typing import Any

from tests.upstreams.kling.dialect import SECRET as KLING_SECRET
from tests.upstreams.openrouter.dialect import SECRET as OPENROUTER_SECRET

from meshapi_server.upstreams.adapter import Adapter, Registration
from meshapi_server.upstreams.adapters import registrations
from meshapi_server.upstreams.enabled import values

SECRET = "sk-suite-7d1c2b9e4f60a8537d1c2b9e4f60a853"


@dataclass(frozen=True, kw_only=True)
class Case:
    """``model`` is the upstream's own id, ``spec`` are parameters it takes, ``environment`` has its keys.

    ``stops`` are the stages in which a task can be cancelled. ``refusals`` are those that its protocol has,
    and ``late`` those that it utters only when it is looked at. ``fresh_headers`` differ in every request.
    ``waits_as`` is what a look says of a waiting task: ``running`` where the protocol does not tell.
    ``looks_by_post``: a look is a POST, which is not sent again when its connection breaks.
    ``variant`` tells two protocols of one upstream apart. ``withheld_retryable``: whether the upstream lets a
    video that it withheld be asked for once more. ``tells_stage``: whether one can tell that from a
    request that was refused late.
    """

    name: str
    model: str
    environment: dict[str, str] = field(default_factory=dict)
    spec: dict[str, Any] = field(default_factory=dict)
    stops: frozenset[str] = frozenset()
    refusals: frozenset[str] = frozenset({"unauthorised", "no_funds", "model_gone"})
    late: frozenset[str] = frozenset()
    fresh_headers: frozenset[str] = frozenset()
    waits_as: str = "queued"
    looks_by_post: bool = False
    variant: str = ""
    withheld_retryable: bool = True
    tells_stage: bool = True

    @property
    def registration(self) -> Registration:
        return registrations()[self.name]

    def adapter(self, base_url: str = "http://127.0.0.1:1/v1") -> Adapter:
        """The adapter, for what can be asked without a network."""
        options = values(self.registration.options, self.environment)
        return self.registration.build({**options, Registration.BASE_URL: base_url})

    def __str__(self) -> str:
        return f"{self.name}-{self.variant}" if self.variant else self.name


_SEEDANCE = {"duration": 5, "resolution": "720p", "ratio": "16:9", "generate_audio": True, "seed": 7}

CASES: tuple[Case, ...] = (
    Case(
        name="byteplus",
        model="dreamina-seedance-2-0-260128",
        environment={"ARK_API_KEY": SECRET},
        spec=_SEEDANCE,
        stops=frozenset({"queued"}),
    ),
    Case(
        name="volcengine",
        model="doubao-seedance-2-0-260128",
        environment={"VOLCENGINE_API_KEY": SECRET},
        spec=_SEEDANCE,
        stops=frozenset({"queued"}),
    ),
    Case(
        name="openai-videos",
        model="wan-2.2",
        environment={"MESHAPI_OPENAI_VIDEOS_API_KEY": SECRET},
        spec={"duration": 4, "resolution": "720p", "ratio": "16:9", "seed": 7},
        stops=frozenset({"queued", "running"}),
    ),
    Case(
        name="fal",
        model="fal-ai/veo3.1",
        environment={"FAL_KEY": SECRET},
        spec={"duration": 8, "resolution": "720p", "ratio": "16:9", "generate_audio": True},
        stops=frozenset({"queued", "running"}),
        late=frozenset({"invalid", "moderated_input"}),
    ),
    Case(
        name="replicate",
        model="google/veo-3.1-fast",
        environment={"REPLICATE_API_TOKEN": SECRET},
        spec={"duration": 8, "resolution": "720p", "ratio": "16:9", "seed": 7},
        stops=frozenset({"queued", "running"}),
        late=frozenset({"moderated_input"}),
    ),
    Case(
        name="luma",
        variant="agents",
        model="ray-3.2",
        environment={"LUMA_AGENTS_API_KEY": SECRET},
        spec={"duration": 5, "resolution": "720p", "ratio": "16:9"},
        withheld_retryable=False,
        tells_stage=False,
    ),
    Case(
        name="luma",
        variant="dream",
        model="ray-2",
        environment={"LUMAAI_API_KEY": SECRET},
        spec={"duration": 5, "resolution": "720p", "ratio": "16:9"},
        withheld_retryable=False,
        tells_stage=False,
    ),
    Case(
        name="runway",
        model="gen4.5",
        environment={"RUNWAYML_API_SECRET": SECRET},
        spec={"duration": 5, "resolution": "720p", "ratio": "16:9", "seed": 7},
        stops=frozenset({"queued", "running"}),
        refusals=frozenset({"unauthorised", "no_funds"}),
        late=frozenset({"moderated_input"}),
        withheld_retryable=False,
    ),
    Case(
        name="google",
        variant="omni",
        model="gemini-omni-1.1-flash",
        environment={"GEMINI_API_KEY": SECRET},
        spec={"duration": 8, "resolution": "720p", "ratio": "16:9", "seed": 7},
        stops=frozenset({"queued", "running"}),
    ),
    Case(
        name="google",
        variant="veo",
        model="veo-3.1-generate-001",
        environment={
            "MESHAPI_GOOGLE_ACCESS_TOKEN": SECRET,
            "GOOGLE_CLOUD_PROJECT": "project-of-the-suite",
            "MESHAPI_GOOGLE_BUCKET": "gs://bucket/videos",
        },
        spec={"duration": 8, "resolution": "720p", "ratio": "16:9", "generate_audio": True, "seed": 7},
        waits_as="running",
        looks_by_post=True,
    ),
    Case(
        name="xai",
        model="grok-imagine-video-1.5",
        environment={"XAI_API_KEY": SECRET},
        spec={"duration": 8, "resolution": "720p", "ratio": "16:9", "generate_audio": True},
    ),
    Case(
        name="vidu",
        model="viduq3-pro",
        environment={"VIDU_API_KEY": SECRET},
        spec={"duration": 5, "resolution": "720p", "ratio": "16:9", "generate_audio": True, "seed": 7},
        stops=frozenset({"queued"}),
    ),
    Case(
        name="kling",
        variant="tasks",
        model="kling-3.0",
        environment={"KLING_API_KEY": SECRET, "MESHAPI_KLING_WEBHOOK_SECRET": KLING_SECRET},
        spec={"duration": 5, "resolution": "720p", "ratio": "16:9", "generate_audio": True},
        withheld_retryable=False,
        tells_stage=False,
    ),
    Case(
        name="kling",
        variant="legacy",
        model="kling-v2-6",
        environment={"KLING_API_KEY": SECRET},
        spec={"duration": 5, "resolution": "1080p", "ratio": "16:9", "generate_audio": True},
        withheld_retryable=False,
        tells_stage=False,
    ),
    Case(
        name="minimax",
        variant="hailuo",
        model="MiniMax-Hailuo-02",
        environment={"MESHAPI_MINIMAX_HAILUO_API_KEY": SECRET},
        spec={"duration": 6, "resolution": "768p"},
        refusals=frozenset({"unauthorised", "no_funds"}),
    ),
    Case(
        name="minimax",
        variant="h3",
        model="MiniMax-H3",
        environment={"MESHAPI_MINIMAX_H3_API_KEY": SECRET},
        spec={"duration": 5, "resolution": "768p", "ratio": "16:9"},
        stops=frozenset({"queued"}),
        refusals=frozenset({"unauthorised", "no_funds"}),
    ),
    Case(
        name="alibaba",
        model="wan3.0-video",
        environment={"DASHSCOPE_API_KEY": SECRET, "DASHSCOPE_WORKSPACE_ID": "workspace-of-the-suite"},
        spec={"duration": 5, "resolution": "720p", "ratio": "16:9", "generate_audio": True, "seed": 7},
        stops=frozenset({"queued"}),
    ),
    Case(
        name="pixverse",
        model="v6",
        environment={"PIXVERSE_API_KEY": SECRET},
        spec={"duration": 5, "resolution": "720p", "ratio": "16:9", "generate_audio": True, "seed": 7},
        refusals=frozenset({"unauthorised", "no_funds"}),
        fresh_headers=frozenset({"ai-trace-id"}),
        withheld_retryable=False,
        tells_stage=False,
    ),
    Case(
        name="openrouter",
        model="google/veo-3.1-fast",
        environment={"OPENROUTER_API_KEY": SECRET, "OPENROUTER_WEBHOOK_SECRET": OPENROUTER_SECRET},
        spec={"duration": 8, "resolution": "720p", "ratio": "16:9", "generate_audio": True, "seed": 7},
        withheld_retryable=False,
        tells_stage=False,
    ),
)


def those_that(**abilities: Any) -> list[Case]:
    """The cases whose adapters have these abilities."""
    return [
        case
        for case in CASES
        if all(getattr(case.adapter().abilities, name) == value for name, value in abilities.items())
    ]
