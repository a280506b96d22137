"""Hierarchies as people write them down: what is read, what is refused and in which words."""

from pathlib import Path

import pytest

from leaflet_tool.errors import ExitCode, InputError
from leaflet_tool.prepare import dataset, taxonomies
from leaflet_tool.prepare.dataset import build
from leaflet_tool.taxonomy import Taxonomy

TREE = "STEM: null\nPlants: Nature\nNature: STEM\nFossils: [Nature, History]\nHistory:\n"
PARENTS = {"STEM": (), "Plants": ("Nature",), "Nature": ("STEM",), "Fossils": ("Nature", "History"), "History": ()}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An empty file called taxonomy.yaml."""
    path = tmp_path / "taxonomy.yaml"
    path.touch()
    return path


def test_a_file_is_found_beside_the_archive_or_in_it(file: Path) -> None:
    file.write_text(TREE)
    table = file.with_name("rows.csv")
    table.write_text("text\n")
    for archive in (file.parent, table):
        assert taxonomies.read("taxonomy.yaml", archive) == Taxonomy(PARENTS)
    assert taxonomies.read(str(file), Path("/")) == Taxonomy(PARENTS)
    assert not taxonomies.read("", file.parent)


def test_a_definitions_own_file_comes_before_the_archives(file: Path, tmp_path: Path) -> None:
    file.write_text("a:\nb: a\n")
    (tmp_path / "own.yaml").write_text("source: {type: table}\ntaxonomy: taxonomy.yaml\n")
    archive = tmp_path / "archive"
    archive.mkdir()
    (archive / "taxonomy.yaml").write_text("x:\n")
    own = dataset.load(str(tmp_path / "own.yaml"))
    assert taxonomies.read(own.taxonomy, archive).parents == {"a": (), "b": ("a",)}
    file.unlink()
    own = dataset.load(str(tmp_path / "own.yaml"))
    assert taxonomies.read(own.taxonomy, archive).parents == {"x": ()}


def test_a_definition_may_hold_the_hierarchy_itself() -> None:
    inline = {"STEM": None, "Plants": "Nature", "Nature": "STEM", "Fossils": ["Nature", "History"], "History": []}
    stated = build({"source": {"type": "table"}, "taxonomy": inline}, "x")
    assert stated.taxonomy == PARENTS
    assert build(stated.model_dump(mode="json"), "again") == stated
    assert taxonomies.read(stated.taxonomy, Path("nowhere")) == Taxonomy(PARENTS)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a:\nno: a\n", "YAML reads a label as False; put it in quotes to keep it text"),
        ("1: a\na:\n", "YAML reads a label as 1; put it in quotes"),
        ("a: yes\n", "YAML reads a label as True; put it in quotes"),
        ("a: 2020-01-01\n", "YAML reads a label as datetime.date(2020, 1, 1); put it in quotes"),
        ("a: {b: c}\n", "{'b': 'c'} is no label: a taxonomy is a mapping"),
        ("- a\n- b\n", "a taxonomy is a mapping of each label to its parent"),
        ("", "a taxonomy is a mapping of each label to its parent"),
        ("just words", "a taxonomy is a mapping of each label to its parent"),
        ("'a|b':\n", "'a|b' holds '|', with which labels are joined"),
        ("' a':\n", "' a': a label is not empty, and has no blanks around it"),
        ("a: ''\n", "'': a label is not empty"),
        ("a: b\n", "'a': its parent 'b' is not in the taxonomy"),
        ("a: b\nb: c\nc: a\n", "a cycle: a -> b -> c -> a"),
        ("a: a\n", "a cycle: a -> a"),
        ("a: b\nb:\nc:\na: c\n", "labels with several lines:\n  - 'a'"),
        ("a: [\n", "not readable as YAML"),
        ("? [a, b]\n: c\n", "not readable as YAML"),
    ],
)
def test_what_is_no_hierarchy_is_said_with_the_file(file: Path, content: str, words: str) -> None:
    file.write_text(content)
    with pytest.raises(InputError) as caught:
        taxonomies.read("taxonomy.yaml", file.parent)
    assert caught.value.message.startswith(f"{file}: ")
    assert words in caught.value.message
    assert caught.value.hint
    assert caught.value.exit_code == ExitCode.INPUT


def test_bytes_and_missing_files_are_said_too(file: Path) -> None:
    file.write_bytes(b"a: \xff\n")
    with pytest.raises(InputError, match="not readable as YAML"):
        taxonomies.read("taxonomy.yaml", file.parent)
    for name in ("taxonomy.yml", "."):
        with pytest.raises(InputError, match="there is no such taxonomy") as caught:
            taxonomies.read(name, file.parent)
        assert "--taxonomy FILE" in caught.value.hint


@pytest.mark.parametrize("stated", [{"a": 1}, {False: None}, ["a"], 3])
def test_an_inline_hierarchy_is_held_to_the_same(stated: object) -> None:
    with pytest.raises(InputError, match=r"  - taxonomy: (YAML reads a label as|a taxonomy is a mapping)"):
        build({"source": {"type": "table"}, "taxonomy": stated}, "x")
