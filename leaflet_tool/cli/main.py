"""`leaflet-tool`: the group, its global flags and the list of commands."""

from importlib import import_module
from typing import Any

import click

from leaflet_tool import __version__
from leaflet_tool.cli import options
from leaflet_tool.cli.console import Console, reporting

COMMANDS = {
    "prepare": "prepare",
    "sample": "sample",
    "configs": "configs",
    "train": "train",
    "evaluate": "evaluate",
    "predict": "predict",
    "runs": "runs",
    "compare": "compare",
    "hyperopt": "hyperopt",
    "study": "study",
    "stack": "stack",
    "explain": "explain",
    "audit": "audit",
    "review": "review",
    "cache": "cache",
}
"""Command name to its module in this package, in the order the help shows."""


class Commands(click.Group):
    """Imports a command's module when it is asked for, and turns errors into words in one place."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        return options.voiced(getattr(import_module(f"leaflet_tool.cli.{COMMANDS[cmd_name]}"), COMMANDS[cmd_name]))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise click.exceptions.NoSuchCommand(args[0], possibilities=COMMANDS, ctx=ctx)
        return super().resolve_command(ctx, args)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        # --json counts before anything is parsed, so that a usage error is one object on stdout as well
        console = Console(as_json="--json" in args)
        with reporting(console):
            return super().make_context(info_name, args, parent, obj=console, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with reporting(ctx.obj):
            return super().invoke(ctx)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="leaflet-tool")
def main() -> None:
    """Prepare, classify and counter-check archives of photographed leaflets and scanned documents."""


options.voiced(main)

if __name__ == "__main__":
    main()
