"""Files of several pages become one row a page."""

import os
import struct
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import GROUP, ID, IMAGE, PAGE, SOURCE
from leaflet_tool.prepare import expansion, formats
from leaflet_tool.prepare.expansion import expanded
from leaflet_tool.prepare.parallel import in_processes
from leaflet_tool.prepare.sources.rows import FRAME, Rows, raw_frame, skipped_frame
from leaflet_tool.prepare.store import Store


def stack(path: Path, pages: int) -> Path:
    """A TIFF of several pages, each in a shade of its own."""
    shades = [Image.new("L", (30, 20), number * 60) for number in range(pages)]
    shades[0].save(path, "TIFF", save_all=True, append_images=shades[1:])
    return path


@pytest.fixture
def rows(tmp_path: Path, pdf: Callable[..., Path]) -> Rows:
    """A text, a picture, a TIFF of three pages called otherwise, and a PDF of two."""
    Image.new("L", (30, 20)).save(tmp_path / "a.png")
    stack(tmp_path / "b.jpg", 3)
    pdf(tmp_path / "c.pdf", "one", "two")
    records = [{ID: "t", GROUP: "t"}]
    records += [{ID: name[0], GROUP: f"g{name[0]}", IMAGE: name, SOURCE: name} for name in ("a.png", "b.jpg", "c.pdf")]
    records[-1][PAGE] = "9"
    return Rows(raw_frame(records), skipped_frame(), tmp_path)


def test_a_page_is_a_row(rows: Rows) -> None:
    frame = expanded(rows).frame
    assert frame[[ID, GROUP, FRAME, PAGE]].values.tolist() == [
        ["t", "t", "", ""],
        ["a", "ga", "", ""],
        ["b", "gb", "0", "1"],
        ["b-2", "gb", "1", "2"],
        ["b-3", "gb", "2", "3"],
        ["c", "gc", "0", "9"],
        ["c-2", "gc", "1", "9"],
    ]


def test_files_are_counted_again_only_when_they_change(
    rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[Path] = []

    def counting(function: Callable[..., object], tasks: list[Path], *rest: object, **how: object) -> object:
        counted.extend(tasks)
        return in_processes(function, tasks, *rest, **how)

    monkeypatch.setattr(expansion, "in_processes", counting)
    with Store(tmp_path / "store.sqlite") as store:
        first = expanded(rows, store).frame
        assert [path.name for path in counted] == ["b.jpg", "c.pdf"]
        pd.testing.assert_frame_equal(expanded(rows, store).frame, first)
        assert len(counted) == 2
        stack(tmp_path / "b.jpg", 2)
        os.utime(tmp_path / "b.jpg", ns=(1, 1))
        assert len(expanded(rows, store).frame) == len(first) - 1
        assert [path.name for path in counted[2:]] == ["b.jpg"]


def test_ids_of_pages_must_be_free(rows: Rows, tmp_path: Path) -> None:
    taken = rows.frame.assign(**{ID: ["b-2", "a", "b", "c"]})
    with pytest.raises(InputError, match=r"ids of pages of a file are those of other rows(?s:.*)'b-2'"):
        expanded(Rows(taken, rows.skipped, tmp_path))


def test_too_many_pages_are_left_out(rows: Rows, tmp_path: Path) -> None:
    chain = (struct.pack("<HI", 0, 14 + 6 * number) for number in range(formats.MOST_PAGES + 1))
    (tmp_path / "b.jpg").write_bytes(b"II*\0" + struct.pack("<I", 8) + b"".join(chain))
    left = expanded(rows)
    assert left.skipped[["source", "reason"]].values.tolist() == [["b.jpg", "more than 10000 pages"]]
    assert left.frame[ID].tolist() == ["t", "a", "c", "c-2"]


def hang(source: Path) -> list[int]:
    raise SystemExit(f"{source} ends its process")


def test_a_file_that_crashes_the_counter_is_left_out_and_said(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expansion, "_frames", hang)
    left = expanded(rows)
    assert left.skipped[["source", "reason"]].values.tolist() == [
        ["b.jpg", "unreadable image: crashed its reader"],
        ["c.pdf", "unreadable image: crashed its reader"],
    ]
    assert left.frame[ID].tolist() == ["t", "a"]


def test_what_cannot_be_counted_is_one_page(rows: Rows, tmp_path: Path) -> None:
    (tmp_path / "c.pdf").write_bytes(b"%PDF-1.4 and no more")
    (tmp_path / "b.jpg").unlink()
    assert expanded(rows).frame[[ID, FRAME]].values.tolist() == [["t", ""], ["a", ""], ["b", ""], ["c", ""]]
