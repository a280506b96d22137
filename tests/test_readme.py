"""README.md says what the commands do, and names no command or flag that there is not."""

import re
import shlex
from collections.abc import Iterator

import click
import pytest

from leaflet_tool.cli.main import COMMANDS
from leaflet_tool.manifest import Prepared
from leaflet_tool.models import checks, definitions, training
from tests import readme

TEXT = readme.README.read_text(encoding="utf-8")
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
KNOWN = dict(readme.commands())


def typed(program: str) -> Iterator[list[str]]:
    """The words after `program` on every line of the README's examples that begins with it."""
    for found in FENCED.finditer(readme.BLOCK.sub("", TEXT)):
        for line in found[2].replace("\\\n", " ").splitlines():
            command = line.strip().removeprefix("$ ").partition(" #")[0]
            if command.split(" ")[0] in (program, f".venv/bin/{program}"):
                yield shlex.split(command.replace("...", ""))[1:]


@pytest.mark.parametrize("path", KNOWN)
def test_the_help_of_every_command_is_in_the_readme_as_it_is(path: str) -> None:
    assert readme.block(path) in TEXT, "run: make docs"


def test_no_marker_stands_for_a_command_that_is_gone() -> None:
    assert {found["command"].strip() for found in readme.BLOCK.finditer(TEXT)} == KNOWN.keys()


def test_writing_the_help_anew_changes_nothing_else() -> None:
    assert readme.rendered(TEXT) == TEXT
    stale = TEXT.replace("Show this message and exit.", "Stale.")
    assert stale != TEXT
    assert readme.rendered(stale) == TEXT


def test_examples_name_commands_and_flags_that_exist() -> None:
    for words in typed(readme.NAME):
        path = " ".join(words[:2]) if " ".join(words[:2]) in KNOWN else " ".join(words[:1])
        assert path in KNOWN or path.startswith("-"), words
        command = KNOWN.get(path, KNOWN[""])
        flags = {flag for part in command.params if isinstance(part, click.Option) for flag in part.opts}
        used = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert used <= flags | {"-h", "--help"}, words


def test_examples_name_targets_that_exist() -> None:
    makefile = (readme.README.parent / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([\w-]+):", makefile, re.MULTILINE))
    for words in typed("make"):
        assert {word for word in words if "=" not in word} <= targets


def test_settings_against_imbalance_are_ones_that_train_takes(tiny_topics: Prepared) -> None:
    settings = re.findall(r"`--set '(output_features\.\$\{label\}\.loss=[^']+)'`", TEXT)
    types = set()
    for setting in settings:
        request = training.Request("any", overrides=(setting,))
        config = training.checked(definitions.find("topics_filename"), tiny_topics, request)
        loss = config["output_features"][0]["loss"]
        assert "${" not in str(loss)
        types.add(loss["type"])
    assert len(settings) == len(types) == 5 and types == {*checks.LOSSES["set"]} - {"coherent_bce"}


def test_every_command_is_in_the_table_of_the_group() -> None:
    shown = readme.help_of("")
    for name in COMMANDS:
        assert re.search(rf"^  {name} ", shown, re.MULTILINE)
