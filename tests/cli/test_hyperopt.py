"""`leaflet-tool hyperopt` as a shell sees it; tests/models/test_search.py searches for real."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from leaflet_tool.cli.main import main
from leaflet_tool.models.search import Search

TRIALS: list[dict[str, Any]] = [
    {"number": 2, "status": "done", "parameters": {"trainer.learning_rate": 0.01}}
    | {"metric": 0.25, "epochs": 8, "seconds": 4.5, "error": ""},
    {"number": 1, "status": "failed", "parameters": {"trainer.learning_rate": 900.0}}
    | {"metric": None, "epochs": 0, "seconds": 0.0, "error": "loss is nan: training diverged"},
]


def called(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def hyperopt(tiny_prepared: Path, tmp_path: Path):
    """The command on the tiny prepared folder."""

    def command(*arguments: object, json_: bool = False) -> Result:
        data = ("--config", "text_tfidf", "--data", tiny_prepared, "--name", "h", "--runs", tmp_path / "runs")
        return called(*(["--json"] if json_ else []), "hyperopt", *data, *arguments)

    return command


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A folder with one finished search."""
    (tmp_path / "h").mkdir()
    facts = {"metric": "loss", "goal": "minimize", "trials": TRIALS, "best": TRIALS[0]}
    Search(tmp_path / "h", {}).noting(state="done", **facts)
    return tmp_path


def test_a_dry_run_counts_the_trials_and_leaves_nothing(hyperopt, tmp_path: Path) -> None:
    result = hyperopt("--trials", 5, "--dry-run")
    assert (result.exit_code, result.stdout) == (0, "nothing speaks against this search: 5 trials at most\n")
    assert not (tmp_path / "runs").exists()
    as_json = hyperopt("--trials", 5, "--dry-run", json_=True)
    assert json.loads(as_json.stdout) == {"ready": True, "trials": 5}


def test_a_wrong_parameter_is_an_input_error_that_names_the_nearest(hyperopt, tmp_path: Path) -> None:
    space = tmp_path / "space.yaml"
    space.write_text("parameters: {trainer.lerning_rate: {space: uniform, lower: 0.1, upper: 1}}")
    result = hyperopt("--space", space)
    assert result.exit_code == 3
    assert "nothing was searched" in result.stderr
    assert "did you mean learning_rate?" in result.stderr
    assert result.stdout == ""
    assert not (tmp_path / "runs").exists()


def test_an_unknown_space_is_an_input_error(hyperopt) -> None:
    result = hyperopt("--space", "text_tfdif")
    assert result.exit_code == 3
    assert "did you mean text_tfidf?" in result.stderr


def test_a_cluster_that_does_not_answer_is_an_input_error_at_once(hyperopt) -> None:
    result = hyperopt("--ray-address", "127.0.0.1:1")
    assert result.exit_code == 3
    assert "no Ray cluster answers at 127.0.0.1:1" in result.stderr


def test_without_definition_or_data_it_is_a_usage_error(tmp_path: Path) -> None:
    result = called("hyperopt", "--name", "h", "--runs", tmp_path)
    assert result.exit_code == 2
    assert "--config and --data" in result.stderr


def test_there_must_be_a_search_to_resume(tmp_path: Path) -> None:
    result = called("hyperopt", "--name", "h", "--runs", tmp_path, "--resume")
    assert result.exit_code == 3
    assert "no search called 'h'" in result.stderr


def test_the_trials_are_shown_best_first_with_the_reason_of_a_failure(runs: Path) -> None:
    result = called("hyperopt", "--name", "h", "--runs", runs, "--resume")
    assert result.exit_code == 0
    title, head, best, failed = result.stdout.splitlines()
    assert title.startswith("h: loss on the validation split, minimized")
    assert head.split() == ["trial", "status", "loss", "epochs", "seconds", "trainer.learning_rate", "error"]
    assert best.split() == ["2", "done", "0.25", "8", "4.5", "0.01"]
    assert failed.split()[:2] == ["1", "failed"]
    assert failed.rstrip().endswith("loss is nan: training diverged")
    assert "done already" in result.stderr


def test_json_is_one_object(runs: Path) -> None:
    result = called("--json", "hyperopt", "--name", "h", "--runs", runs, "--resume")
    found = json.loads(result.stdout)
    assert found["search"] == "h"
    assert (found["trials"], found["best"]) == (TRIALS, TRIALS[0])


def test_a_search_is_no_run(runs: Path) -> None:
    assert json.loads(called("--json", "runs", "--runs", runs).stdout) == {"runs": []}
