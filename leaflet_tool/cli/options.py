"""Options that several commands share."""

from pathlib import Path

import click

from leaflet_tool.cli.console import Console
from leaflet_tool.settings import TRAIN

runs = click.option(
    "--runs", type=click.Path(path_type=Path), default=TRAIN.runs, show_default=True, help="Folder of runs."
)
data = click.option("--data", type=click.Path(path_type=Path), metavar="FOLDER", help="Prepared folder.")
overrides = click.option(
    "--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Override a key of the definition."
)


def _speak(ctx: click.Context, option: click.Parameter, times: int) -> None:
    ctx.ensure_object(Console).speak(times if option.name == "verbose" else -times)


VOICE = (
    click.Option(["-v", "--verbose"], count=True, expose_value=False, callback=_speak, help="Say more."),
    click.Option(["-q", "--quiet"], count=True, expose_value=False, callback=_speak, help="Say only what went wrong."),
    click.Option(["--json"], is_flag=True, expose_value=False, help="Print the result as one JSON object on stdout."),
)
"""What every command takes, before or after its name; `--json` is read in `main.Commands.make_context`."""


def voiced[C: click.Command](command: C) -> C:
    """The command, and those below it, with the options of VOICE."""
    for each in (command, *getattr(command, "commands", {}).values()):
        each.params.extend(option for option in VOICE if option not in each.params)
    return command
