"""What a folder's files say: its sizes, its lengths, its card. No weights, no torch."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshapi_server.upstreams.diffusers import DiffusersMisconfigured, check_python, configured
from meshapi_server.upstreams.diffusers.cards import card
from meshapi_server.upstreams.diffusers.folder import FolderInvalid, ModelFolder, Wishes, read_folder
from meshapi_server.upstreams.diffusers.grid import Grid, grid_of

# The parts of the published configurations that decide what can be made.
WAN_VAE = {"_class_name": "AutoencoderKLWan", "temperal_downsample": [False, True, True]}
FINE_WAN_VAE = {**WAN_VAE, "scale_factor_spatial": 16, "scale_factor_temporal": 4}
WAN = {"patch_size": [1, 2, 2]}
LTX_VAE = {"patch_size": 4, "patch_size_t": 1, "spatio_temporal_scaling": [True, True, True, False]}
LTX = {"patch_size": 1, "patch_size_t": 1}
COG_VAE = {"block_out_channels": [128, 256, 256, 512], "temporal_compression_ratio": 4}
COG = {"patch_size": 2, "sample_width": 90, "sample_height": 60, "sample_frames": 49}


def folder(pipeline: str, denoiser: Any, vae: Any, **more: Any) -> ModelFolder:
    path = Path("/models/some")
    return ModelFolder(
        name="some", path=path, pipeline=pipeline, denoiser=denoiser, vae=vae, **{"index": {}, **more}
    )


def saved(path: Path, pipeline: str = "WanPipeline", wishes: str | None = None) -> Path:
    """A folder as ``save_pretrained`` leaves it, without its weights."""
    for part, settings in (("transformer", WAN), ("vae", WAN_VAE)):
        (path / part).mkdir(parents=True)
        (path / part / "config.json").write_text(json.dumps(settings))
    parts = {"transformer": ["diffusers", "WanTransformer3DModel"], "transformer_2": [None, None]}
    index = {"_class_name": pipeline, **parts, "vae": ["diffusers", "AutoencoderKLWan"]}
    (path / "model_index.json").write_text(json.dumps(index))
    if wishes is not None:
        (path / "meshapi.toml").write_text(wishes)
    return path


@pytest.mark.parametrize(
    ("found", "side", "step"),
    [
        (folder("WanPipeline", WAN, WAN_VAE), 16, 4),
        (folder("WanPipeline", WAN, FINE_WAN_VAE), 32, 4),
        (folder("LTXPipeline", LTX, LTX_VAE), 32, 8),
        (folder("CogVideoXPipeline", COG, COG_VAE), 16, 4),
    ],
)
def test_sides_and_lengths_follow_from_the_scale_factors(found: ModelFolder, side: int, step: int) -> None:
    grid = grid_of(found)
    assert (grid.side, grid.step) == (side, step)


def test_usual_sizes_become_the_nearest_that_the_pipeline_can_make() -> None:
    wan = grid_of(folder("WanPipeline", WAN, WAN_VAE))
    assert wan.size("480p", "16:9") == (864, 480)
    assert wan.size("720p", "4:3") == (1104, 832)  # from 1112x834: of two as near the smaller
    assert grid_of(folder("WanPipeline", WAN, FINE_WAN_VAE)).size("720p", "9:16") == (704, 1280)
    cog = grid_of(folder("CogVideoXPipeline", COG, COG_VAE))
    assert cog.size("1080p", "9:16") == (720, 480)


@given(st.integers(1, 64), st.integers(1, 12), st.floats(1, 400), st.integers(64, 2160))
def test_every_size_and_length_is_possible_and_none_is_nearer(
    side: int, step: int, wanted: float, height: int
) -> None:
    grid = Grid(side=side, step=step)
    frames = grid.frames(wanted)
    assert (frames - 1) % step == 0
    assert abs(frames - wanted) <= step / 2 + 1e-9 or frames == 1 + step
    width, tall = grid.size(f"{height}p", "1:1")
    assert width % side == tall % side == 0
    known = grid.size("480p", "16:9")
    assert abs(known[0] - 864) <= side / 2 or known[0] == side


def test_the_card_of_a_text_model_is_free_and_has_the_lengths_of_its_pipeline() -> None:
    found = card(folder("CogVideoXPipeline", COG, COG_VAE))
    assert found.free
    assert found.scenarios == ("text",)
    assert (list(found.durations or ()), found.resolutions, found.ratios) == (
        [1, 2, 3, 4, 5, 6],
        ("480p",),
        (),
    )
    assert found.frames is not None
    assert (found.frames.min, found.frames.max, found.frames.step) == (5, 49, 4)


@pytest.mark.parametrize(
    ("found", "scenarios"),
    [
        (folder("WanPipeline", WAN, WAN_VAE), ("text",)),
        (folder("WanPipeline", WAN, FINE_WAN_VAE, index={"expand_timesteps": True}), ("text", "first_frame")),
        (folder("LTXPipeline", LTX, LTX_VAE), ("text", "first_frame")),
        (folder("LTXConditionPipeline", LTX, LTX_VAE), ("text", "first_frame")),
        (folder("WanImageToVideoPipeline", WAN, WAN_VAE), ("first_frame",)),
        (
            folder("WanImageToVideoPipeline", WAN, WAN_VAE, index={"boundary_ratio": 0.9}),
            ("first_frame", "first_last_frame"),
        ),
        (
            folder("WanImageToVideoPipeline", {**WAN, "pos_embed_seq_len": 514}, WAN_VAE),
            ("first_frame", "first_last_frame"),
        ),
        (folder("CogVideoXImageToVideoPipeline", COG, COG_VAE), ("first_frame",)),
    ],
)
def test_what_a_model_starts_from_follows_from_its_pipeline(
    found: ModelFolder, scenarios: tuple[str, ...]
) -> None:
    assert card(found).scenarios == scenarios


def test_a_pipeline_that_starts_from_a_video_is_refused_by_name() -> None:
    with pytest.raises(FolderInvalid, match="CogVideoXVideoToVideoPipeline starts from a video"):
        card(folder("CogVideoXVideoToVideoPipeline", COG, COG_VAE))


def test_the_operators_file_in_the_folder_decides_before_the_pipeline() -> None:
    wishes = Wishes(name="Ours", resolutions=("240p",), ratios=("1:1",), fps=12, seconds=2, longest=3)
    found = card(folder("WanPipeline", WAN, WAN_VAE, wishes=wishes))
    assert (found.name, found.resolutions, found.ratios, found.fps) == ("Ours", ("240p",), ("1:1",), (12,))
    assert (found.defaults.duration, max(found.durations or ())) == (2, 3)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("fps = 0", "fps is 0"),
        ('resolutions = ["big"]', "'big' is none such as 480p"),
        ('ratios = ["wide"]', "'wide' is none such as 16:9"),
        ("step = 4", "step"),
        ("fps =", "meshapi.toml"),
    ],
)
def test_what_is_wrong_in_the_operators_file_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(FolderInvalid, match=r"meshapi\.toml") as caught:
        read_folder("some", saved(tmp_path / "some", wishes=text))
    assert complaint in str(caught.value)


def test_models_may_be_a_folder_of_folders_one_folder_or_names(tmp_path: Path) -> None:
    for name in ("one", "two"):
        saved(tmp_path / name)
    saved(tmp_path / "painter", pipeline="FluxPipeline")
    saved(tmp_path / "editor", pipeline="WanVideoToVideoPipeline")
    (tmp_path / "notes").mkdir()

    def names(models: str) -> list[str]:
        found = configured({"MESHAPI_DIFFUSERS_MODELS": models})
        assert found is not None
        return [each.name for each in found.folders]

    assert names(str(tmp_path)) == ["one", "two"]
    assert names(str(tmp_path / "two")) == ["two"]
    assert names(f"mine={tmp_path / 'one'}, diffusers/other={tmp_path / 'two'}") == ["mine", "other"]
    assert configured({}) is None


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"MESHAPI_DIFFUSERS_MODELS": "/no/such/place"}, "there is no folder '/no/such/place'"),
        ({"MESHAPI_DIFFUSERS_MODELS": "a b=/x"}, "'a b' is no name for a model"),
        ({"MESHAPI_DIFFUSERS_MODELS": "a=/x"}, "'/x' holds no model_index.json"),
        ({"MESHAPI_DIFFUSERS_DEVICES": "gpu"}, "'gpu' is no device; use auto, cpu, mps, cuda:0"),
        ({"MESHAPI_DIFFUSERS_IDLE": "soon"}, "MESHAPI_DIFFUSERS_IDLE: 'soon' is no number from 1"),
        ({"MESHAPI_DIFFUSERS_TASKS": "0"}, "MESHAPI_DIFFUSERS_TASKS: '0' is no number from 1"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(
    tmp_path: Path, variables: dict[str, str], complaint: str
) -> None:
    saved(tmp_path / "one")
    with pytest.raises(DiffusersMisconfigured) as caught:
        configured({"MESHAPI_DIFFUSERS_MODELS": str(tmp_path), **variables})
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("vae", "pipeline", "complaint"),
    [
        (WAN_VAE, "WanVideoToVideoPipeline", "WanVideoToVideoPipeline starts from a video"),
        ({"scale_factor_temporal": 0}, "WanPipeline", "sizes of nothing"),
        ({"temperal_downsample": 3}, "WanPipeline", "tells no sizes: object of type 'int' has no len()"),
    ],
)
def test_a_named_folder_that_cannot_be_served_is_told_before_anything_starts(
    tmp_path: Path, vae: dict[str, Any], pipeline: str, complaint: str
) -> None:
    path = saved(tmp_path / "one", pipeline=pipeline)
    (path / "vae" / "config.json").write_text(json.dumps(vae))
    with pytest.raises(DiffusersMisconfigured) as caught:
        configured({"MESHAPI_DIFFUSERS_MODELS": f"mine={path}"})
    assert complaint in str(caught.value)


def test_two_folders_cannot_have_one_name(tmp_path: Path) -> None:
    one, two = saved(tmp_path / "one"), saved(tmp_path / "two")
    with pytest.raises(DiffusersMisconfigured, match="'mine' names both"):
        configured({"MESHAPI_DIFFUSERS_MODELS": f"mine={one}, diffusers/mine={two}"})


def test_each_device_has_a_slot(tmp_path: Path) -> None:
    saved(tmp_path / "one")
    variables = {"MESHAPI_DIFFUSERS_MODELS": str(tmp_path), "MESHAPI_DIFFUSERS_DEVICES": "cuda:0, cuda:1"}
    found = configured(variables)
    assert found is not None
    assert (found.devices, found.tasks) == (("cuda:0", "cuda:1"), 2)


def test_an_interpreter_may_be_named_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(tmp_path / "one")
    (tmp_path / "python").symlink_to(sys.executable)
    monkeypatch.chdir(tmp_path)
    found = configured({"MESHAPI_DIFFUSERS_MODELS": "./one", "MESHAPI_DIFFUSERS_PYTHON": "./python"})
    assert found is not None
    assert found.python == str(tmp_path / "python")
    assert found.folders[0].path == tmp_path / "one"


def test_an_interpreter_that_is_not_there_or_lacks_torch_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(DiffusersMisconfigured, match="there is no interpreter '/no/python'"):
        check_python("/no/python")
    bare = tmp_path / "python"
    bare.write_text("#!/bin/sh\necho torch diffusers\n")
    bare.chmod(0o755)
    with pytest.raises(DiffusersMisconfigured, match="lacks torch, diffusers; install meshapi-server"):
        check_python(str(bare))
