"""What configs, train, evaluate, predict and runs say."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from leaflet_tool.cli.main import main
from leaflet_tool.models import definitions, runs
from leaflet_tool.storage import sha256


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def told(*arguments: object) -> dict:
    found = invoke("--json", *arguments)
    assert found.exit_code == 0, found.output
    return json.loads(found.stdout)


@pytest.mark.parametrize("arguments", [["configs"], ["configs", "list"]])
def test_configs_lists_every_definition_with_its_line(arguments: list[str]) -> None:
    shown = invoke(*arguments).stdout
    for name in definitions.names():
        assert f"{name} " in shown
        assert definitions.find(name).description in shown
    assert [each["name"] for each in told(*arguments)["configs"]] == definitions.names()


def test_configs_show_fills_a_definition_for_the_data(tiny_prepared: Path) -> None:
    plain = invoke("configs", "show", "text").stdout
    assert "${label}" in plain
    assert plain.startswith(f"# {definitions.find('text').description}\n")
    filled = yaml.safe_load(
        invoke("configs", "show", "text", "--data", tiny_prepared, "--set", "trainer.epochs=3").stdout
    )
    assert filled["output_features"][0]["name"] == "party"
    assert filled["trainer"]["epochs"] == 3
    assert filled == told("configs", "show", "text", "--data", tiny_prepared, "--set", "trainer.epochs=3")


def test_configs_check_reports_every_problem_at_once(tiny_prepared: Path) -> None:
    assert told("configs", "check", "text", "--data", tiny_prepared) == {"config": "text", "problems": []}
    assert invoke("configs", "check", "multimodal_small").stdout == "multimodal_small: no problem found\n"
    found = invoke(
        *("configs", "check", "text", "--data", tiny_prepared, "--set", "trainer.epoch=3"),
        *("--set", "input_features.text.column=txt"),
    )
    assert found.exit_code == 3
    assert "text cannot be trained" in found.stderr
    assert "trainer.epoch" in found.stderr and "no column 'txt'" in found.stderr


def test_configs_check_tells_the_problems_of_all_stages_together(tiny_prepared: Path) -> None:
    wrong = ["trainr.epochs=1", "trainer.epochs=many", "trainer.epoch=3", "input_features.img.column=page"]
    settings = [word for each in wrong for word in ("--set", each)]
    gone = "input_features.image.encoder.model_name=local-dir:/nonexistent"
    found = invoke("configs", "check", "multimodal", "--data", tiny_prepared, "--offline", *settings, "--set", gone)
    assert found.exit_code == 3
    for part in (
        "--set trainr.epochs=1: the definition has no trainr; did you mean trainer?",
        "--set input_features.img.column=page: the definition has no input_features.img",
        "trainer.epochs: 'many' is not of type 'integer'",
        "trainer.epoch: Ludwig knows no such key",
        "/nonexistent is no folder of a saved model",
    ):
        assert part in found.stderr
    alone = invoke("configs", "check", "multimodal", "--data", tiny_prepared, "--offline", "--set", gone)
    assert alone.exit_code == 4


def test_train_dry_run_writes_nothing(tiny_prepared: Path, tmp_path: Path) -> None:
    start = ["train", "--config", "text", "--data", tiny_prepared, "--name", "x", "--runs", tmp_path / "runs"]
    assert invoke(*start, "--dry-run").stdout.endswith("nothing speaks against training x\n")
    assert invoke(*start, "--dry-run", "--folds", "31").exit_code == 3
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "complaint", "code"),
    [
        (["--name", "x"], "train needs --config and --data", 2),
        (["--name", "x", "--config", "text"], "train needs --config and --data", 2),
        (["--name", "x", "--resume", "--epochs", "3"], "--resume goes on as the run was started", 2),
        (["--name", "x", "--resume"], "there is no run called 'x'", 3),
        (["--config", "text", "--data", "nowhere", "--name", "x"], "nowhere has no manifest.csv", 3),
        (["--config", "text", "--data", "nowhere"], "Missing option '--name'", 2),
        (["--name", "x", "--folds", "1"], "1 is not in the range", 2),
        (["--name", "x", "--epochs", "0"], "0 is not in the range", 2),
    ],
)
def test_train_says_what_it_lacks(arguments: list[str], complaint: str, code: int) -> None:
    found = invoke("train", *arguments)
    assert found.exit_code == code
    assert complaint in found.stderr


def test_evaluate_shows_intervals_beside_the_baselines(tiny_runs: Path) -> None:
    shown = invoke("evaluate", "image", "--runs", tiny_runs)
    head, *lines = shown.stdout.splitlines()
    assert [word for word in ("majority", "tfidf_logistic", "95 % interval") if word in head] == [
        "majority",
        "tfidf_logistic",
        "95 % interval",
    ]
    first = lines[: next(number for number, line in enumerate(lines) if "calibration" in line and "before" in line)]
    assert sum(line.startswith("page") for line in first) == sum(line.startswith("leaflet") for line in first) == 7
    metrics = runs.find("image", tiny_runs).metrics()
    accuracy = metrics["page"]["figures"]["accuracy"]["value"]
    best = metrics["baselines"]["tfidf_logistic"]["page"]["figures"]["accuracy"]["value"]
    assert f"{accuracy:.3f}" in next(line for line in lines if line.split()[1] == "accuracy")
    assert ("does not beat the baseline tfidf_logistic" in shown.stderr) == (accuracy <= best)


def test_evaluate_judges_a_run_on_another_archive(tiny_runs: Path, tiny_prepared: Path, tmp_path: Path) -> None:
    refused = invoke("evaluate", "text", "--runs", tiny_runs, "--data", tiny_prepared)
    assert refused.exit_code == 3
    assert "is what run text was trained on" in refused.stderr


def test_predict_refuses_pages_it_cannot_use(tiny_runs: Path, tmp_path: Path) -> None:
    (tmp_path / "page.jpg").write_text("no image")
    found = invoke("predict", "image", tmp_path / "page.jpg", "--runs", tiny_runs, "--out", tmp_path / "p.csv")
    assert found.exit_code == 3
    assert "page.jpg" in found.stderr
    missing = invoke("predict", "image", tmp_path / "gone.jpg", "--runs", tiny_runs, "--out", tmp_path / "p.csv")
    assert missing.exit_code == 3
    assert "gone.jpg" in missing.stderr
    assert not (tmp_path / "p.csv").exists()


def test_predict_leaves_the_run_as_it_was(tiny_runs: Path, tiny_prepared: Path, tmp_path: Path) -> None:
    before = {path: sha256(path) for path in tiny_runs.rglob("*") if path.is_file()}
    summary = told("predict", "text", tiny_prepared, "--out", tmp_path / "p.csv", "--runs", tiny_runs)
    assert (summary["predicted"], summary["skipped"]) == (60, 0)
    assert sum(summary["classes"].values()) == 60
    assert {path: sha256(path) for path in tiny_runs.rglob("*") if path.is_file()} == before


def test_predict_dry_run_counts_and_reads_nothing(tiny_runs: Path, tiny_prepared: Path, tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    for name in ("a.png", "b.jpg"):
        (pages / name).write_text("whoever opens it fails")
    (pages / "notes.txt").write_text("no page")
    start = ["--out", tmp_path / "p.csv", "--runs", tiny_runs, "--dry-run"]
    assert told("predict", "text", pages, *start) == {"run": "text", "pages": 2, "ocr": 2, "skipped": 1}
    assert told("predict", "image", pages, *start)["ocr"] == 0
    assert told("predict", "text", tiny_prepared, *start) == {"run": "text", "pages": 60, "ocr": 0, "skipped": 0}
    assert invoke("predict", "text", pages, *start).stdout.endswith("nothing was written\n")
    assert invoke("predict", "text", pages / "gone.png", *start).exit_code == 3
    assert [path.name for path in tmp_path.iterdir()] == ["pages"]


def test_tables_in_a_pipe_end_their_lines_where_the_words_end(tiny_runs: Path) -> None:
    for arguments in (["configs"], ["runs", "--runs", tiny_runs], ["evaluate", "text", "--runs", tiny_runs]):
        lines = invoke(*arguments).stdout.splitlines()
        assert len(lines) > 2
        assert [line for line in lines if line != line.rstrip()] == []
    padded = CliRunner(env={"FORCE_COLOR": "1"}).invoke(main, ["configs"]).stdout.splitlines()
    assert any(line.endswith(" ") for line in padded)


def test_runs_lists_what_there_is(tiny_runs: Path, tmp_path: Path) -> None:
    found = told("runs", "--runs", tiny_runs)["runs"]
    assert [(run["name"], run["definition"], run["state"]) for run in found] == [
        ("text", "text_tfidf", "done"),
        ("image", "image_small", "done"),
    ]
    shown = invoke("runs", "--runs", tiny_runs).stdout
    assert f"{found[0]['accuracy']:.3f}" in shown
    assert told("runs", "--runs", tmp_path) == {"runs": []}
    assert f"no runs in {tmp_path}" in invoke("runs", "--runs", tmp_path).stdout
