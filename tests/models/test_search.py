"""A search for real: three trials on a local Ray cluster, one of which fails, and the winner trained as a run."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pandas as pd
import psutil
import pytest

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import Prepared, read_prepared
from leaflet_tool.models import definitions, runs, search, search_space
from leaflet_tool.models.search import Request, Search

SPACE = """# Kinds of loss; Ludwig accepts focal and can't train it.
goal: maximize
metric: accuracy_micro
parameters:
  output_features.${label}.loss:
    space: grid_search
    values: [{type: softmax_cross_entropy}, {type: softmax_cross_entropy, weight: 2.0}, {type: focal}]
  trainer.learning_rate: {space: loguniform, lower: 1.0, upper: 8.0}
"""
RAYLET = "raylet"
CLI = [sys.executable, "-m", "leaflet_tool.cli.main"]


@pytest.fixture(scope="module")
def prepared(tiny_prepared: Path) -> Prepared:
    return read_prepared(tiny_prepared)


@pytest.fixture(scope="module")
def space_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("spaces") / "losses.yaml"
    path.write_text(SPACE, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def started() -> dict[psutil.Process, str]:
    """The processes that the search started and their names, known when it is over."""
    return {}


@contextmanager
def noting_processes(seen: dict[psutil.Process, str]) -> Iterator[None]:
    """Puts every process that comes to descend from this one into `seen`, with its command line."""
    over = threading.Event()
    before = set(psutil.Process().children(recursive=True))

    def look() -> None:
        while not over.wait(0.5):
            for process in set(psutil.Process().children(recursive=True)) - before:
                with suppress(psutil.Error):
                    seen[process] = " ".join(process.cmdline())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.fixture(scope="module")
def found(
    prepared: Prepared, space_file: Path, started: dict[psutil.Process, str], tmp_path_factory: pytest.TempPathFactory
) -> Search:
    """A finished search called `h`; for reading only."""
    folder = tmp_path_factory.mktemp("runs")
    request = Request("h", folder, overrides=("trainer.epochs=2",), trials=1, concurrent=1, train_best="w")
    with noting_processes(started):
        return search.search(definitions.find("text_tfidf"), search_space.read(space_file), prepared, request)


@pytest.fixture(scope="module")
def winner(found: Search) -> runs.Run:
    return search.train_best(found, "w")


def test_a_failing_trial_is_one_failed_trial_and_the_rest_goes_on(found: Search) -> None:
    good, second, bad = found.facts["trials"]
    assert found.state == "done"
    assert good["metric"] >= second["metric"]
    assert (good["status"], good["epochs"], good["error"]) == ("done", 2, "")
    assert 0 <= good["metric"] <= 1
    assert (bad["status"], bad["metric"]) == ("failed", None)
    assert "class_weights" in bad["error"]
    assert found.facts["best"] == good
    assert good["parameters"]["output_features.party.loss"]["type"] == "softmax_cross_entropy"
    assert 1 <= good["parameters"]["trainer.learning_rate"] <= 8


def test_what_is_on_disk_is_what_was_returned(found: Search) -> None:
    assert json.loads((found.folder / "hyperopt.json").read_text(encoding="utf-8")) == found.facts
    table = pd.read_csv(found.folder / "trials.csv")
    assert table["status"].tolist() == ["done", "done", "failed"]
    assert table["accuracy_micro"].iloc[0] == found.facts["best"]["metric"]
    assert search_space.read(found.folder / "space.yaml").goal == "maximize"
    assert definitions.read(found.folder / "config.yaml").content["trainer"]["epochs"] == 2


def test_no_process_of_ray_is_left_behind(found: Search, started: dict[psutil.Process, str]) -> None:
    assert any(RAYLET in command for command in started.values())
    _, alive = psutil.wait_procs(started, timeout=5)
    assert [started[process] for process in alive] == []


def test_ludwig_draws_its_report(found: Search, tmp_path: Path) -> None:
    from ludwig.visualize import cli

    statistics = str(found.folder / "hyperopt_statistics.json")
    cli(["-v", "hyperopt_report", "--hyperopt_stats_path", statistics, "-od", str(tmp_path), "-ff", "png"])
    drawn = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert {"hyperopt_trainer.learning_rate.png", "hyperopt_pair_plot.png"} <= drawn.keys()
    assert all(size > 1000 for size in drawn.values())


def test_the_winner_is_a_run_and_the_search_is_none(found: Search, winner: runs.Run) -> None:
    loss, rate = found.facts["best"]["parameters"].values()
    assert winner.state == "done"
    assert winner.facts["overrides"] == [
        "trainer.epochs=2",
        f"output_features.party.loss={json.dumps(loss)}",
        f"trainer.learning_rate={rate}",
    ]
    assert definitions.read(winner.folder / "config.yaml").content["trainer"]["learning_rate"] == rate
    assert runs.names(found.folder.parent) == ["w"]
    with pytest.raises(InputError, match="no run called 'h'"):
        runs.find("h", found.folder.parent)


def test_a_finished_search_is_not_searched_again(found: Search) -> None:
    assert search.resume("h", found.folder.parent).facts == found.facts


def test_a_search_and_a_run_never_replace_one_another(found: Search, winner: runs.Run, prepared: Prepared) -> None:
    definition, folder = definitions.find("text_tfidf"), found.folder.parent
    space = search_space.find(None, definition)
    with pytest.raises(InputError, match="w is a run"):
        search.check(definition, space, prepared, Request("w", folder, force=True))
    with pytest.raises(InputError, match="h is a search"):
        search.check(definition, space, prepared, Request("i", folder, train_best="h", force=True))
    with pytest.raises(InputError, match="exists already"):
        search.check(definition, space, prepared, Request("h", folder))
    with pytest.raises(InputError, match="exists already"):
        search.train_best(found, "w")


def test_the_winner_is_not_trained_on_other_data(found: Search, tiny_prepared: Path, tmp_path: Path) -> None:
    changed = tmp_path / "prepared"
    shutil.copytree(tiny_prepared, changed)
    manifest = changed / "manifest.csv"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace("election", "vote"), encoding="utf-8")
    elsewhere = {**found.facts, "data": {**found.facts["data"], "folder": str(changed)}}
    with pytest.raises(InputError, match="has changed since search h"):
        search.train_best(replace(found, facts=elsewhere), "v")


def test_an_unknown_search_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no search called 'g'"):
        search.resume("g", tmp_path)


def test_a_search_whose_process_is_gone_is_interrupted(tmp_path: Path) -> None:
    (tmp_path / "h").mkdir()
    assert Search(tmp_path / "h", {}).noting(state="searching").state == "interrupted"


@pytest.mark.slow
def test_ctrl_c_ends_cleanly_and_resume_goes_on(tiny_prepared: Path, space_file: Path, tmp_path: Path) -> None:
    command = [*CLI, "hyperopt", "--name", "h", "--runs", str(tmp_path / "runs")]
    start = ["--config", "text_tfidf", "--data", str(tiny_prepared), "--space", str(space_file), "--trials", "1"]
    process = subprocess.Popen([*command, *start, "--concurrent", "1"], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    seen = next(line for line in process.stderr if line.startswith(("trial 2 of 3", "error")))
    assert seen.startswith("trial 2 of 3: loss")
    started = psutil.Process(process.pid).children(recursive=True)
    assert any(child.name() == RAYLET for child in started)
    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    _, alive = psutil.wait_procs(started, timeout=10)
    assert alive == []
    assert search.find("h", tmp_path / "runs").state == "interrupted"

    subprocess.run([*command, "--resume"], check=True)
    resumed = search.find("h", tmp_path / "runs")
    assert resumed.state == "done"
    assert sorted(trial["status"] for trial in resumed.facts["trials"]) == ["done", "done", "failed"]
