"""What a run is made of: which pages of a prepared folder it knows, under whatever name."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from leaflet_tool.manifest import Label, Prepared, read_prepared, write_manifest
from leaflet_tool.models import ancestry, rows
from leaflet_tool.models.runs import ROWS, Run
from leaflet_tool.prepare.output import COPIES
from leaflet_tool.prepare.store import Store
from leaflet_tool.storage import write_json

SAID = "vote for lower taxes on every street of ours"


def folder_of(folder: Path, archive: str, pages: list[dict[str, str]], digests: dict[str, str]) -> Prepared:
    """A prepared folder of pages that all train; `digests` are those of the files behind working copies, by page."""
    blank = {"text": "", "ocr_status": "read", "page": "", "split": "train", "source": folder.name, "row": ""}
    blank["party"] = "Red"
    frame = pd.DataFrame(
        [{**blank, "image": f"images/{page['id']}.jpg", "group": page["id"], **page} for page in pages]
    )
    folder.mkdir()
    write_manifest(frame, folder / "manifest.csv", Label("party"))
    write_json(folder / "prepare.json", {"archive": archive, "label": {"name": "party", "multiple": False}})
    if digests:
        with Store(folder / COPIES) as store:
            store.put_all({f"{page}.jpg": {"copy": {"digest": digest}} for page, digest in digests.items()})
    return read_prepared(folder)


def run_on(prepared: Prepared, folder: Path, **facts: Any) -> Run:
    """A run as far as its rows and what it says of its data go."""
    folder.mkdir()
    rows.write(rows.for_ludwig(prepared.frame, prepared.folder, prepared.label), folder / ROWS)
    data = {"folder": str(prepared.folder), "manifest_sha256": prepared.digest}
    return Run(folder, {"folds": 0, "prepare": prepared.facts, "data": data, **facts})


def known(run: Run, prepared: Prepared) -> set[str]:
    return set(ancestry.known(run, prepared.frame, prepared))


def test_an_archive_that_was_renamed_has_the_pages_it_had(tmp_path: Path) -> None:
    pages = [{"id": "one"}, {"id": "two"}]
    digests = {"one": "1", "two": "2"}
    run = run_on(folder_of(tmp_path / "old", "before", pages, digests), tmp_path / "run")
    again = [{**page, "text": "read anew"} for page in pages]
    assert known(run, folder_of(tmp_path / "new", "after", again, digests)) == {"one", "two"}
    assert known(run, folder_of(tmp_path / "bare", "after", again, {})) == {"one", "two"}, "nothing says they differ"


def test_a_page_of_the_same_file_is_the_same_whatever_it_is_called(tmp_path: Path) -> None:
    run = run_on(folder_of(tmp_path / "old", "before", [{"id": "one"}], {"one": "1"}), tmp_path / "run")
    other = folder_of(tmp_path / "new", "after", [{"id": "a"}, {"id": "b"}], {"a": "1", "b": "3"})
    assert known(run, other) == {"a"}


def test_another_file_of_the_same_name_is_another_page_in_another_archive_alone(tmp_path: Path) -> None:
    run = run_on(folder_of(tmp_path / "old", "before", [{"id": "one"}], {"one": "1"}), tmp_path / "run")
    assert known(run, folder_of(tmp_path / "new", "after", [{"id": "one"}], {"one": "9"})) == set()
    assert known(run, folder_of(tmp_path / "mended", "before", [{"id": "one"}], {"one": "9"})) == {"one"}


def test_what_stands_in_the_runs_prepared_folder_today_may_be_something_else(tmp_path: Path) -> None:
    was = folder_of(tmp_path / "old", "before", [{"id": "one"}], {"one": "1"})
    run = run_on(replace(was, digest="another"), tmp_path / "run")
    assert known(run, folder_of(tmp_path / "new", "after", [{"id": "one"}, {"id": "a"}], {"one": "9", "a": "1"})) == {
        "one"
    }


@pytest.mark.parametrize(("text", "image", "same"), [(SAID, True, True), ("i", True, False), ("i", False, True)])
def test_pages_of_the_same_text_are_the_same_but_for_the_few_words_of_a_picture(
    tmp_path: Path, text: str, image: bool, same: bool
) -> None:
    page = {"id": "one", "text": f" {text}", **({} if image else {"image": ""})}
    run = run_on(folder_of(tmp_path / "old", "before", [page], {}), tmp_path / "run")
    other = folder_of(tmp_path / "new", "after", [{**page, "id": "a", "text": text}], {})
    assert known(run, other) == ({"a"} if same else set())
