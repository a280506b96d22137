"""`leaflet-tool review`: the page on which findings are decided, and what was decided as a table."""

import sys
from pathlib import Path

import click

from leaflet_tool.cli.console import Console
from leaflet_tool.settings import REVIEW


class Serving(click.Group):
    """A group whose first command is meant where none is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        named = next((word for word in args if not word.startswith("-")), "")
        if named and named not in self.commands:
            args = ["serve", *args]
        return super().parse_args(ctx, args)


audit = click.argument("audit", type=click.Path(path_type=Path))
data = click.option(
    "--data", type=click.Path(path_type=Path), metavar="FOLDER", help="Prepared folder, where it lies elsewhere now."
)


@click.group(cls=Serving, subcommand_metavar="AUDIT | COMMAND [ARGS]...")
def review() -> None:
    """Review the findings of an AUDIT in a browser, or export what was decided.

    `review AUDIT` is short for `review serve AUDIT`.
    """


@review.command()
@audit
@data
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=REVIEW.port,
    show_default=True,
    help="0: the last one, or any free one.",
)
@click.option("--as", "reviewer", default="", metavar="NAME", help="Begin as this reviewer.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@click.pass_obj
def serve(console: Console, audit: Path, data: Path | None, port: int, reviewer: str, no_browser: bool) -> None:
    """Serve the page on 127.0.0.1 until Ctrl-C and open it in a browser."""
    from leaflet_tool.web.review_app import serve

    def told(address: str) -> None:
        console.result({"address": address}, address)
        sys.stdout.flush()
        console.say("review in the browser; every decision is kept at once; Ctrl-C ends this")
        if not no_browser:
            click.launch(address)

    counts = serve(audit, data, port, reviewer, told)
    console.say(f"decided {counts['decided']} of {counts['findings']} findings; leaflet-tool review export writes them")


@review.command()
@audit
@data
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="By default in AUDIT.")
@click.pass_obj
def export(console: Console, audit: Path, data: Path | None, out: Path | None) -> None:
    """Write corrections.csv, which `prepare --corrections` takes; a review need not be complete for that."""
    from leaflet_tool.results import review_export
    from leaflet_tool.results.review import opened

    with opened(audit, data) as found:
        told = review_export.export(found, out or audit / review_export.FILE)
    console.result(told, review_export.words(told))
