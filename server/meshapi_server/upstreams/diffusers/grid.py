"""Which sizes and lengths a pipeline can make at all, from the scale factors of its parts. Pure."""

import math
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from meshapi_renderer.sizes import DEFAULT_RATIO, FRAME_SIZES
from meshapi_server.upstreams.limits import lines, shape

from .family import family_of, most_frames, native_size
from .folder import FolderInvalid, ModelFolder

_SPATIAL, _TEMPORAL = 8, 4  # of most autoencoders, for one whose configuration does not say


class Grid(Struct, frozen=True, kw_only=True):
    """Sides are multiples of ``side`` pixels; lengths are 1, 1 + ``step``, 1 + 2 * ``step``, ... frames.

    ``fixed`` is the only size (width, height) there is, ``most`` the most frames.
    """

    side: int
    step: int
    fixed: tuple[int, int] | None = None
    most: int | None = None

    def size(self, resolution: str, ratio: str) -> tuple[int, int]:
        """Width and height nearest to those that the words stand for; both are possible."""
        if self.fixed is not None:
            return self.fixed
        width, height = _pixels(resolution, ratio)
        return _nearest(width, self.side), _nearest(height, self.side)

    def frames(self, wanted: float) -> int:
        """The possible number of frames nearest to the one wanted, never fewer than two steps of one."""
        steps = max(1, math.ceil((wanted - 1) / self.step - 0.5))
        if self.most is not None:
            steps = min(steps, max(1, (self.most - 1) // self.step))
        return 1 + steps * self.step


def grid_of(folder: ModelFolder) -> Grid:
    """The grid of a folder's pipeline. Raises FolderInvalid where its files hold impossible values."""
    try:
        side = math.lcm(_spatial(folder.vae) * _patch(folder.denoiser), family_of(folder).sides)
        step, fixed = _temporal(folder.vae), native_size(folder)
    except (TypeError, ValueError, ArithmeticError) as fault:
        raise FolderInvalid(f"{folder.path}: its configuration tells no sizes: {fault}") from None
    if min(side, step, *(fixed or ())) < 1:
        raise FolderInvalid(f"{folder.path}: its configuration tells sizes of nothing")
    return Grid(side=side, step=step, fixed=fixed, most=most_frames(folder))


def _pixels(resolution: str, ratio: str) -> tuple[int, int]:
    """The usual size of that name; for a resolution that no table has, so many lines on the short side."""
    for name, sizes in FRAME_SIZES.items():
        for form, size in sizes.items():
            if (name, form) == (resolution, ratio):
                return size
    short, form_factor = lines(resolution) or 480, shape(ratio) or shape(DEFAULT_RATIO) or 1.0
    long = short * max(form_factor, 1 / form_factor)
    return (round(long), short) if form_factor >= 1 else (short, round(long))


def _nearest(pixels: int, side: int) -> int:
    """Of two multiples that are equally near the smaller one, which is made sooner."""
    return max(1, math.ceil(pixels / side - 0.5)) * side


def _spatial(vae: Mapping[str, Any]) -> int:
    """Pixels along a side for one latent. The names differ from one autoencoder to the next."""
    for name in ("scale_factor_spatial", "spatial_compression_ratio"):
        if isinstance(vae.get(name), int):
            return int(vae[name])
    if "spatio_temporal_scaling" in vae:
        return int(vae.get("patch_size") or 1) * int(2 ** sum(vae["spatio_temporal_scaling"]))
    if "temperal_downsample" in vae:
        return int(2 ** len(vae["temperal_downsample"]))
    if "block_out_channels" in vae:
        return int(2 ** (len(vae["block_out_channels"]) - 1))
    return _SPATIAL


def _temporal(vae: Mapping[str, Any]) -> int:
    """Frames for one latent after the first."""
    for name in ("scale_factor_temporal", "temporal_compression_ratio"):
        if isinstance(vae.get(name), int | float):
            return int(vae[name])
    if "spatio_temporal_scaling" in vae:
        return int(vae.get("patch_size_t") or 1) * int(2 ** sum(vae["spatio_temporal_scaling"]))
    if "temperal_downsample" in vae:
        return int(2 ** sum(vae["temperal_downsample"]))
    return 1 if vae.get("_class_name") == "AutoencoderKL" else _TEMPORAL


def _patch(denoiser: Mapping[str, Any]) -> int:
    """Latents along a side for one token: a number, or [time, height, width]."""
    patch = denoiser.get("patch_size")
    if isinstance(patch, list) and patch:
        patch = max(patch[1:] or patch)
    return patch if isinstance(patch, int) and patch > 0 else 1
