"""`leaflet-tool review` and `prepare --corrections` as a shell sees them."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from leaflet_tool.cli.main import main
from leaflet_tool.errors import ExitCode
from leaflet_tool.manifest import read_prepared
from leaflet_tool.results.review import Review
from leaflet_tool.storage import locked
from tests.reviews import party_audit


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def audit(tiny_prepared: Path, tmp_path: Path) -> Path:
    return party_audit(tmp_path / "audit", tiny_prepared)


def test_an_audit_alone_means_to_serve_it(audit: Path) -> None:
    with locked(audit):
        for words in (["review", audit], ["review", "--port", 0, audit], ["review", "serve", audit]):
            found = run(*words, "--no-browser")
            assert found.exit_code == ExitCode.INPUT
            assert "is in use by another leaflet-tool" in found.stderr


def test_export_before_anything_is_decided(audit: Path) -> None:
    found = run("review", "export", audit)
    assert found.exit_code == ExitCode.DONE, found.output
    assert "decided 0 of 8 findings: none" in found.stdout
    assert "nothing is decided yet" in found.stdout
    assert (audit / "corrections.csv").read_text().startswith("id,source,row,label_before,label,decision,reviewers")


def test_decisions_become_labels(audit: Path, tiny_prepared: Path, tmp_path: Path) -> None:
    review = Review(audit)
    subject = review.subject(review.findings[0])
    review.decisions.record("anna", "change", "Green", subject, once="once", base=0)
    review.close()
    told = json.loads(run("--json", "review", "export", audit, "--out", tmp_path / "c.csv").stdout)
    assert (told["corrections"], told["changed_pages"]) == (str(tmp_path / "c.csv"), 2)
    assert told["worth"]["per_hundred"]["value"] == 100
    archive = shutil.copy(tiny_prepared / "manifest.csv", tmp_path / "archive.csv")
    columns = (
        "--label",
        "party",
        "--group",
        "group",
        "--id-column",
        "id",
        "--text-column",
        "text",
        "--image-column",
        "row",
    )
    done = run(
        "prepare", archive, *columns, "--out", tmp_path / "out", "--no-report", "--corrections", tmp_path / "c.csv"
    )
    assert done.exit_code == ExitCode.DONE, done.output
    assert "corrected labels: 2 pages" in done.stdout
    frame = read_prepared(tmp_path / "out").frame.set_index("id")
    assert frame.loc["red0p1", ["party", "label_before"]].tolist() == ["Green", "Red"]
    again = run("prepare", archive, *columns, "--out", tmp_path / "out", "--no-report")
    assert again.exit_code == ExitCode.INPUT
    assert "--corrections" in again.stderr


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--as", "a/b"], ExitCode.USAGE, "cannot be a reviewer's name"),
        (["--port", "70000"], ExitCode.USAGE, "70000"),
        (["--data", "/nonexistent"], ExitCode.INPUT, "is not there"),
    ],
)
def test_what_cannot_be_served(audit: Path, words: list[str], code: int, told: str) -> None:
    found = run("review", audit, "--no-browser", *words)
    assert found.exit_code == code, found.output
    assert told in found.stderr


def test_a_folder_without_an_audit(tmp_path: Path) -> None:
    for command in (["review", tmp_path, "--no-browser"], ["review", "export", tmp_path]):
        found = run(*command)
        assert found.exit_code == ExitCode.INPUT
        assert "audit.json is missing" in found.stderr
        assert "audit an audit's" in found.stderr
        assert not list(tmp_path.iterdir())
