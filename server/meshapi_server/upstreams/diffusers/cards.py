"""The model card of a folder: what can be asked of it, made from its pipeline's configuration. Pure."""

from meshapi_renderer.sizes import RATIOS
from meshapi_server.upstreams.card import Defaults, ModelCard, Upstream
from meshapi_server.upstreams.limits import Span
from meshapi_server.upstreams.rules import Scenario

from .family import family_of, fps_of, image_pipeline, needs_image, needs_video, takes_last_frame
from .folder import FolderInvalid, ModelFolder
from .grid import Grid, grid_of

PROVIDER = "diffusers"


def upstream_card(folders: tuple[ModelFolder, ...]) -> Upstream:
    """What takes the place of a card file. Raises FolderInvalid."""
    return Upstream(upstream=PROVIDER, name="Local models", models=tuple(map(card, folders)))


def card(folder: ModelFolder) -> ModelCard:
    """The card of one folder. Raises FolderInvalid."""
    if needs_video(folder):
        raise FolderInvalid(f"{folder.path}: {folder.pipeline} starts from a video, which is not supported")
    wishes, family, grid = folder.wishes, family_of(folder), grid_of(folder)
    longest = _longest(folder, grid)
    resolutions = _resolutions(folder, grid)
    ratios = () if grid.fixed else wishes.ratios or _ratios(folder)
    shape = "adaptive" if needs_image(folder) and "adaptive" in ratios else None
    try:
        return ModelCard(
            id=f"{PROVIDER}/{folder.name}",
            upstream_id=folder.name,
            name=wishes.name or folder.name,
            brand=family.brand,
            description=wishes.description or f"{folder.pipeline} in a folder of this server.",
            scenarios=_scenarios(folder),
            needs=("first_frame",) if needs_image(folder) else (),
            durations=Span(min=1, max=longest),
            frames=Span(min=1 + grid.step, max=grid.frames(longest * fps_of(folder)), step=grid.step),
            resolutions=resolutions,
            ratios=ratios,
            fps=(fps_of(folder),),
            audio="never",
            parameters=(
                "seed",
                "return_last_frame",
                "negative_prompt",
                "guidance_scale",
                "num_inference_steps",
            ),
            defaults=Defaults(
                duration=min(wishes.seconds or family.seconds, longest),
                resolution=resolutions[0],
                ratio=shape or (ratios[0] if ratios else None),
            ),
            free=True,
        )
    except ValueError as fault:
        raise FolderInvalid(f"{folder.path}: {fault}") from None


def _scenarios(folder: ModelFolder) -> tuple[Scenario, ...]:
    found: list[Scenario] = [] if needs_image(folder) else ["text"]
    if image_pipeline(folder) is not None:
        found.append("first_frame")
    if takes_last_frame(folder):
        found.append("first_last_frame")
    return tuple(found)


def _longest(folder: ModelFolder, grid: Grid) -> int:
    """Whole seconds that the frames reach."""
    longest = folder.wishes.longest or family_of(folder).longest
    return max(1, min(longest, round(grid.frames(longest * fps_of(folder)) / fps_of(folder))))


def _resolutions(folder: ModelFolder, grid: Grid) -> tuple[str, ...]:
    if grid.fixed is not None:
        return (f"{min(grid.fixed)}p",)
    return folder.wishes.resolutions or family_of(folder).resolutions


def _ratios(folder: ModelFolder) -> tuple[str, ...]:
    """Every ratio of the API; the one that follows a picture only where a picture may come."""
    return tuple(each for each in RATIOS if each != "adaptive" or image_pipeline(folder) is not None)
