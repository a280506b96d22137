"""`leaflet-tool cache`."""

from dataclasses import asdict

import click

from leaflet_tool.cli.console import Console


@click.command()
@click.option("--clear", is_flag=True, help="Forget all readings.")
@click.option("--older-than", type=click.FloatRange(0), metavar="DAYS", help="Forget readings older than that.")
@click.pass_obj
def cache(console: Console, clear: bool, older_than: float | None) -> None:
    """Show what is kept of pages that Tesseract has read, or forget it."""
    from leaflet_tool.prepare import ocr_cache

    if clear and older_than is not None:
        raise click.UsageError("--clear forgets all; --older-than DAYS some: give one of them")
    path = ocr_cache.cache_path()
    found = ocr_cache.prune(path, older_than) if clear or older_than is not None else ocr_cache.summary(path)
    console.result(asdict(found), str(found))
