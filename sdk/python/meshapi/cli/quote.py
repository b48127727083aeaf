"""``meshapi quote``: what a video would cost, without making it."""

import typer

from . import connection, output, prompt
from .failure import reported, warn
from .generate import AsJSON


def quote(
    text: prompt.Prompt,
    model: prompt.ModelId = prompt.DEFAULT_MODEL,
    duration: prompt.Duration = None,
    resolution: prompt.Resolution = None,
    ratio: prompt.Ratio = None,
    seed: prompt.Seed = None,
    image: prompt.Images = None,
    audio: prompt.Audio = None,
    camera_fixed: prompt.CameraFixed = None,
    as_json: AsJSON = False,
) -> None:
    """Tell what a video would cost. Spends nothing; takes the options of `meshapi generate`."""
    fields = prompt.fields(
        text,
        model=model,
        duration=duration,
        resolution=resolution,
        ratio=ratio,
        seed=seed,
        image=image,
        audio=audio,
        camera_fixed=camera_fixed,
    )
    with reported(), connection.client() as client:
        found = client.videos.quote(fields)
    if as_json:
        output.document(found)
        return
    if found.unsupported_params:
        warn(f"{model} has no {', '.join(found.unsupported_params)}; the video would be made without")
    output.quote(found)
    if found.cost_usd is None:
        typer.echo(f"The price is unknown: {found.reason or 'the server gives no reason'}", err=True)
    elif found.reason:
        typer.echo(found.reason, err=True)
