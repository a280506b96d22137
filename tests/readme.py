"""The commands' help in README.md, between markers: `python -m tests.readme` (make docs) writes it."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
from click.testing import CliRunner

from leaflet_tool.cli.main import main

README = Path(__file__).resolve().parents[1] / "README.md"
NAME = "leaflet-tool"
WIDTH = 100
BLOCK = re.compile(r"<!-- help:(?P<command>[ \w-]*)-->\n.*?<!-- end -->", re.DOTALL)


def commands(command: click.Command = main, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command and what a user types after the tool's name to get it; first the tool itself."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below, f"{path} {name}".strip())


def help_of(path: str) -> str:
    """What `leaflet-tool PATH --help` prints, at a width that a page of text has."""
    found = CliRunner().invoke(main, [*path.split(), "--help"], prog_name=NAME, terminal_width=WIDTH)
    assert found.exit_code == 0, found.output
    return found.stdout.rstrip()


def block(path: str) -> str:
    """A command's help between its markers."""
    return f"<!-- help:{' ' + path if path else ''} -->\n```text\n{help_of(path)}\n```\n<!-- end -->"


def rendered(text: str) -> str:
    """The text with every block between markers written anew."""
    return BLOCK.sub(lambda found: block(found["command"].strip()), text)


if __name__ == "__main__":
    README.write_text(rendered(README.read_text(encoding="utf-8")), encoding="utf-8")
