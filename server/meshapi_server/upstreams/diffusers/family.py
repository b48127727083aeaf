"""What the pipelines of one family have in common that no configuration file says. Data and pure rules."""

from msgspec import Struct

from .folder import ModelFolder

# Pipelines that start from a video or a control signal, which the API has no place for here.
_NEEDS_VIDEO = ("VideoToVideo", "Video2Video", "Vid2Vid", "VACE", "Animate", "Control", "Edit", "Video2World")
_NEEDS_IMAGE = ("ImageToVideo", "Image2Video", "Img2Vid", "Image2World")
_FINE_WAN_VAE = 16  # pixels that one latent of Wan 2.2's own autoencoder stands for, along a side


class Family(Struct, frozen=True, kw_only=True):
    """Usual values. ``sides`` divides every width and height, whatever the parts would allow.

    ``with_image`` is the class that runs the same weights from a first frame.
    """

    prefix: str
    brand: str
    fps: int
    seconds: int
    longest: int
    resolutions: tuple[str, ...] = ("480p", "720p")
    sides: int = 1
    with_image: str | None = None


# The checks of sides stand in the pipelines themselves; frames per second are those of their examples.
FAMILIES: tuple[Family, ...] = (
    Family(prefix="Wan", brand="Wan", fps=16, seconds=5, longest=10, sides=16),
    Family(
        prefix="LTX",
        brand="Lightricks",
        fps=25,
        seconds=5,
        longest=10,
        sides=32,
        with_image="LTXImageToVideoPipeline",
    ),
    Family(prefix="CogVideoX", brand="Zhipu", fps=8, seconds=6, longest=10, sides=8),
)
OTHER = Family(prefix="", brand="Local", fps=16, seconds=4, longest=10, sides=16)


def family_of(folder: ModelFolder) -> Family:
    """The family of a folder's pipeline; ``OTHER`` for one that is not known here."""
    return next((each for each in FAMILIES if folder.pipeline.startswith(each.prefix)), OTHER)


def fps_of(folder: ModelFolder) -> int:
    """Frames per second of the folder's videos."""
    if folder.wishes.fps is not None:
        return folder.wishes.fps
    if folder.pipeline.startswith("Wan") and folder.vae.get("scale_factor_spatial") == _FINE_WAN_VAE:
        return 24
    if _is_cogvideox_15(folder):
        return 16
    return family_of(folder).fps


def needs_image(folder: ModelFolder) -> bool:
    """Whether the pipeline cannot begin without a picture."""
    return any(word in folder.pipeline for word in _NEEDS_IMAGE)


def needs_video(folder: ModelFolder) -> bool:
    """Whether the pipeline begins from a video, or from what is drawn over one."""
    return any(word in folder.pipeline for word in _NEEDS_VIDEO)


def image_pipeline(folder: ModelFolder) -> str | None:
    """The class that starts from a first frame; None where there is none."""
    if needs_image(folder) or folder.pipeline == "LTXConditionPipeline":
        return folder.pipeline
    if folder.pipeline == "WanPipeline":
        # Wan 2.2 TI2V: one set of weights for both, told by the timestep of each token.
        return "WanImageToVideoPipeline" if folder.index.get("expand_timesteps") else None
    return family_of(folder).with_image if folder.pipeline == "LTXPipeline" else None


def takes_last_frame(folder: ModelFolder) -> bool:
    """Whether the weights were trained to arrive at a picture, too: Wan 2.1 FLF2V and Wan 2.2 I2V."""
    trained = folder.denoiser.get("pos_embed_seq_len") is not None
    return folder.pipeline == "WanImageToVideoPipeline" and (
        trained or folder.index.get("boundary_ratio") is not None
    )


def native_size(folder: ModelFolder) -> tuple[int, int] | None:
    """Width and height of the only size that the weights were trained for (CogVideoX 1.0), in pixels."""
    if not folder.pipeline.startswith("CogVideoX") or _is_cogvideox_15(folder):
        return None
    width, height = folder.denoiser.get("sample_width"), folder.denoiser.get("sample_height")
    if not isinstance(width, int) or not isinstance(height, int):
        return None
    side = 2 ** (len(folder.vae.get("block_out_channels", ())) - 1) if folder.vae else 8
    return width * side, height * side


def most_frames(folder: ModelFolder) -> int | None:
    """The length that the weights were trained for, where it is a limit."""
    frames = folder.denoiser.get("sample_frames")
    return frames if native_size(folder) is not None and isinstance(frames, int) else None


def _is_cogvideox_15(folder: ModelFolder) -> bool:
    return folder.pipeline.startswith("CogVideoX") and folder.denoiser.get("patch_size_t") is not None
