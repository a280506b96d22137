"""`leaflet-tool sample`."""

from pathlib import Path

import click

from leaflet_tool.cli.console import Console
from leaflet_tool.settings import SAMPLE


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--leaflets", type=click.IntRange(1), default=SAMPLE.leaflets, show_default=True)
@click.option("--seed", type=int, default=SAMPLE.seed, show_default=True)
@click.pass_obj
def sample(console: Console, folder: Path, leaflets: int, seed: int) -> None:
    """Draw an archive of invented leaflets into FOLDER, to try the tool on; read it with --dataset sample."""
    from leaflet_tool.prepare.sample import generate

    archive = generate(folder, leaflets=leaflets, seed=seed, progress=console.progress)
    console.result({"archive": str(archive), "leaflets": leaflets, "seed": seed}, f"{leaflets} leaflets in {archive}")
