"""Real pipelines of diffusers from tiny random parts: ``python tiny_models.py FOLDER`` writes their folders.

Every class is the one that the published weights load into; only the numbers of layers and channels are
small. Nothing is downloaded: the tokenizer knows single bytes, so that it reads every language.
"""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"

import diffusers
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast, T5Config, T5EncoderModel, UMT5Config, UMT5EncoderModel

TEXT_WIDTH = 32
SPECIAL = ("<pad>", "</s>", "<unk>")


def tokenizer(longest: int) -> Any:
    """Bytes as tokens, the end marked as T5 does it."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate((*SPECIAL, *alphabet))}
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        model_max_length=longest,
    )


def text_parts(longest: int, *, umt5: bool = False) -> dict[str, Any]:
    """A tokenizer and an encoder of two layers."""
    words = tokenizer(longest)
    config, model = (UMT5Config, UMT5EncoderModel) if umt5 else (T5Config, T5EncoderModel)
    sizes = {"d_model": TEXT_WIDTH, "d_kv": 8, "d_ff": 37, "num_layers": 2, "num_heads": 4}
    encoder = model(config(vocab_size=len(words), is_encoder_decoder=False, is_decoder=False, **sizes))
    return {"tokenizer": words, "text_encoder": encoder.eval()}


def wan_transformer(channels: int) -> Any:
    return diffusers.WanTransformer3DModel(
        patch_size=(1, 2, 2),
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=channels,
        out_channels=16,
        text_dim=TEXT_WIDTH,
        freq_dim=32,
        ffn_dim=32,
        num_layers=2,
        cross_attn_norm=True,
        qk_norm="rms_norm_across_heads",
        rope_max_seq_len=64,
    )


def wan_vae() -> Any:
    return diffusers.AutoencoderKLWan(
        base_dim=3,
        z_dim=16,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
    )


def wan() -> Any:
    """Wan 2.1, from text."""
    return diffusers.WanPipeline(
        vae=wan_vae(),
        transformer=wan_transformer(16),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=7.0),
        **text_parts(64, umt5=True),
    )


def wan_image() -> Any:
    """Wan 2.2 A14B, from a picture: two experts; 16 latents, 4 masks and 16 latents of the picture."""
    return diffusers.WanImageToVideoPipeline(
        vae=wan_vae(),
        transformer=wan_transformer(36),
        transformer_2=wan_transformer(36),
        boundary_ratio=0.9,
        scheduler=diffusers.UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
        ),
        image_encoder=None,
        image_processor=None,
        **text_parts(64, umt5=True),
    )


def ltx() -> Any:
    """LTX-Video, from text; the same weights start from a picture, too."""
    transformer = diffusers.LTXVideoTransformer3DModel(
        in_channels=8,
        out_channels=8,
        num_attention_heads=4,
        attention_head_dim=8,
        cross_attention_dim=TEXT_WIDTH,
        num_layers=1,
        caption_channels=TEXT_WIDTH,
    )
    blocks = (8, 8, 8, 8)
    vae = diffusers.AutoencoderKLLTXVideo(
        latent_channels=8,
        block_out_channels=blocks,
        decoder_block_out_channels=blocks,
        layers_per_block=(1,) * 5,
        decoder_layers_per_block=(1,) * 5,
        spatio_temporal_scaling=(True, True, True, False),
        decoder_spatio_temporal_scaling=(True, True, True, False),
        decoder_inject_noise=(False,) * 5,
        upsample_residual=(False,) * 4,
        upsample_factor=(1,) * 4,
        patch_size=4,
    )
    return diffusers.LTXPipeline(
        transformer=transformer,
        vae=vae,
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        **text_parts(128),
    )


def cogvideox() -> Any:
    """CogVideoX, whose weights know one size: 12x8 latents of 8 pixels, and 9 frames."""
    transformer = diffusers.CogVideoXTransformer3DModel(
        num_attention_heads=4,
        attention_head_dim=8,
        in_channels=4,
        out_channels=4,
        time_embed_dim=2,
        text_embed_dim=TEXT_WIDTH,
        num_layers=1,
        sample_width=12,
        sample_height=8,
        sample_frames=9,
        max_text_seq_length=226,
    )
    vae = diffusers.AutoencoderKLCogVideoX(
        down_block_types=("CogVideoXDownBlock3D",) * 4,
        up_block_types=("CogVideoXUpBlock3D",) * 4,
        block_out_channels=(8, 8, 8, 8),
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=2,
    )
    return diffusers.CogVideoXPipeline(
        transformer=transformer, vae=vae, scheduler=diffusers.CogVideoXDDIMScheduler(), **text_parts(64)
    )


# Each folder's pipeline and its meshapi.toml: sizes that a CPU makes in a moment.
SMALL = 'resolutions = ["64p", "96p"]\nseconds = 1\nsteps = 4\n'
FOLDERS: dict[str, tuple[Callable[[], Any], str]] = {
    "wan": (wan, SMALL),
    "wan-image": (wan_image, SMALL),
    "ltx": (ltx, SMALL),
    "cogvideox": (cogvideox, "steps = 4\n"),
}


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("folder", type=Path)
    target = reader.parse_args().folder
    for name, (make, wishes) in FOLDERS.items():
        torch.manual_seed(0)
        make().save_pretrained(target / name)
        (target / name / "meshapi.toml").write_text(wishes, "utf-8")


if __name__ == "__main__":
    main()
