"""`leaflet-tool compare` as a shell sees it."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from leaflet_tool.cli.main import main
from leaflet_tool.manifest import read_table, write_table


@pytest.fixture
def runs(tiny_runs: Path, tmp_path: Path) -> Path:
    """A copy of the two runs that a test may change."""
    return Path(shutil.copytree(tiny_runs, tmp_path / "runs"))


def called(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_the_tables_go_to_stdout_and_the_words_to_stderr(runs: Path, tmp_path: Path) -> None:
    page = tmp_path / "here" / "comparison.html"
    result = called("compare", "text", "image", "--runs", runs, "--out", page)
    assert result.exit_code == 0
    for words in (
        "Per page: 12 pages of 6 leaflets",
        "Per leaflet: 6 leaflets",
        "majority class",
        "text - image",
        "p = ",
    ):
        assert words in result.stdout
    assert "highest accuracy" in result.stderr and str(page) in result.stderr
    written = page.read_text(encoding="utf-8")
    assert "Ludwig's own figures" in written and "Not shown:" not in written


def test_json_is_one_object_with_everything(runs: Path, tmp_path: Path) -> None:
    page = tmp_path / "comparison.html"
    page.write_text("an older page")
    result = called("--json", "compare", "text", "image", "--runs", runs, "--out", page, "--no-figures", "--seed", 3)
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert list(found["runs"]) == ["text", "image"] and set(found["baselines"]) == {"majority", "tfidf_logistic"}
    assert found["runs"]["text"]["intervals"]["seed"] == 3
    assert found["pairs"][0]["page"]["rows"] == 12
    assert found["page"] == str(page) and found["outcome"]
    written = page.read_text(encoding="utf-8")
    assert written.startswith("<!doctype html>") and "Ludwig's own figures" not in written


def test_fewer_than_two_runs_are_a_usage_error(runs: Path) -> None:
    assert called("compare", "--runs", runs).exit_code == 2
    one = called("compare", "text", "--runs", runs)
    assert one.exit_code == 2 and "at least two runs" in one.stderr


def test_rows_that_differ_are_an_input_error_and_leave_the_old_page(runs: Path, tmp_path: Path) -> None:
    page = tmp_path / "comparison.html"
    page.write_text("an older page")
    predictions = runs / "image" / "predictions.csv"
    table = read_table(predictions)
    write_table(table[table["id"] != "green9p1"], predictions)
    result = called("compare", "text", "image", "--runs", runs, "--out", page)
    assert result.exit_code == 3
    assert "green9p1 (Green/9_1.png): only in text" in result.stderr
    assert page.read_text() == "an older page"


def test_an_unknown_run_is_an_input_error_with_the_nearest_name(runs: Path) -> None:
    result = called("compare", "text", "imagee", "--runs", runs)
    assert result.exit_code == 3 and "did you mean image?" in result.stderr


def test_eighty_columns_hold_the_tables(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from leaflet_tool.cli.compare import _show
    from leaflet_tool.cli.console import Console
    from leaflet_tool.results.comparison import compare, opened

    console = Console()
    console.out.width = 80
    _show(console, compare(opened(["text", "image"], runs), resamples=10), Path("comparison.html"))
    shown = capsys.readouterr().out
    assert "tfidf_logistic" in shown and "beats: more accurate than both baselines" in " ".join(shown.split())
    assert max(map(len, shown.splitlines())) <= 80
    (head,) = {line.rstrip() for line in shown.splitlines() if "balanced" in line}
    assert head.split() == ["accuracy", "95", "%", "balanced", "F1", "loss", "ECE", "top", "3", "beats"]


def test_runs_of_several_labels_are_shown_in_both_views(tiny_subject_runs: Path, tmp_path: Path) -> None:
    page = tmp_path / "comparison.html"
    result = called("compare", "words", "brief", "--runs", tiny_subject_runs, "--out", page)
    assert result.exit_code == 0
    for words in (
        "Per leaflet: 12 leaflets",
        "ranking loss",
        "gradient-boosted trees",
        "at 0.5",
        "with thresholds",
        "labels lacking",
        "trapezoid area",
        "precision (P) and recall (R)",
        "page F1",
        "the truth",
        "words - brief",
        "difference in macro AP",
    ):
        assert words in result.stdout
    assert "5 commonest" not in result.stdout  # five labels have test pages, so that there is no rest
    assert "highest macro AP" in result.stderr and "No test page has “Art”" in result.stderr
    written = page.read_text(encoding="utf-8")
    assert "compare_performance" in written and "learning_curves" in written
    assert "Not shown:" not in written and "confusion_matrix" not in written


def test_json_of_several_labels_is_one_object(tiny_subject_runs: Path, tmp_path: Path) -> None:
    page = tmp_path / "comparison.html"
    result = called("--json", "compare", "words", "brief", "--runs", tiny_subject_runs, "--out", page, "--no-figures")
    found = json.loads(result.stdout)
    assert set(found["baselines"]) == {"majority", "tfidf_logistic", "label_trees"}
    assert found["runs"]["words"]["page"]["views"]["half"]["figures"]["labels_per_row"]["value"] > 0
    assert found["pairs"][0]["leaflet"]["views"]["thresholds"]["macro_f1"]["p"] < 0.05


def test_eighty_columns_hold_the_tables_of_several_labels(
    tiny_subject_runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from leaflet_tool.cli.compare import _show
    from leaflet_tool.cli.console import Console
    from leaflet_tool.results.comparison import compare, opened

    console = Console()
    console.out.width = 80
    _show(console, compare(opened(["words", "brief"], tiny_subject_runs), resamples=10), Path("comparison.html"))
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    heads = [line.split() for line in shown.splitlines() if "micro AP" in line or "decided " in line]
    assert heads[0] == ["macro", "AP", "95", "%", "micro", "AP", "ranking", "loss", "beats"]
    assert heads[1] == ["decided", "micro", "F1", "macro", "F1", "labels", "lacking"]
    assert heads[2] == ["decided", "micro", "P", "micro", "R", "macro", "P", "macro", "R", "page", "F1"]
