"""Runs on disk: found, named, in use, interrupted."""

import shutil
from pathlib import Path

import pytest

from leaflet_tool.errors import InputError
from leaflet_tool.models import runs
from leaflet_tool.storage import locked


def begun(folder: Path, state: str = runs.TRAINING) -> runs.Run:
    """A run as it stands on disk when it has just been started."""
    folder.mkdir(parents=True)
    (folder / runs.CONFIG).write_text("input_features: []\n")
    return runs.Run(folder, {}).noting(state=state, folds=0)


def test_a_run_is_found_by_name_or_by_path(tiny_runs: Path) -> None:
    by_name, by_path = runs.find("text", tiny_runs), runs.find(str(tiny_runs / "text"), Path("elsewhere"))
    assert by_name.facts == by_path.facts
    assert by_name.state == runs.DONE


def test_an_unknown_run_is_answered_with_the_nearest(tiny_runs: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run called 'imge'") as caught:
        runs.find("imge", tiny_runs)
    assert caught.value.hint == "did you mean image?"
    with pytest.raises(InputError) as caught:
        runs.find("imge", tmp_path)
    assert caught.value.hint == "runs: none"


def test_a_run_that_is_marked_as_training_is_interrupted_unless_somebody_holds_it(tmp_path: Path) -> None:
    run = begun(tmp_path / "mine")
    assert run.state == runs.INTERRUPTED
    with locked(run.folder):
        assert runs.in_use(run.folder)
        assert run.state == runs.TRAINING
    assert not runs.in_use(run.folder)
    assert run.state == runs.INTERRUPTED


def test_only_finished_runs_are_used(tmp_path: Path, tiny_runs: Path) -> None:
    begun(tmp_path / "half")
    begun(tmp_path / "broken", runs.FAILED).noting(error="learning rate too high")
    with pytest.raises(InputError, match="run half is not done: interrupted") as caught:
        runs.finished("half", tmp_path)
    assert "--resume" in caught.value.hint
    with pytest.raises(InputError, match="run broken is not done: failed") as caught:
        runs.finished("broken", tmp_path)
    assert "learning rate too high" in caught.value.hint
    assert runs.finished("text", tiny_runs).name == "text"


@pytest.mark.parametrize("name", ["", ".", "..", "../mine", "a/b", "/tmp", ".hidden", "two\nlines"])  # noqa: S108
@pytest.mark.parametrize("force", [False, True])
def test_a_name_is_one_folder_below_the_runs(tmp_path: Path, name: str, force: bool) -> None:
    with pytest.raises(InputError, match="a run cannot be called"):
        runs.vacant(name, tmp_path, force=force)


def test_an_existing_run_needs_force(tmp_path: Path) -> None:
    begun(tmp_path / "mine")
    runs.vacant("other", tmp_path, force=False)
    runs.vacant("mine", tmp_path, force=True)
    with pytest.raises(InputError, match="run mine exists already") as caught:
        runs.vacant("mine", tmp_path, force=False)
    assert "--resume" in caught.value.hint and "--force" in caught.value.hint


def test_force_replaces_nothing_that_is_no_run(tmp_path: Path, tiny_prepared: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.jpg").write_bytes(b"irreplaceable")
    (tmp_path / "file").write_text("irreplaceable")
    for folder, name in [(tmp_path, "photos"), (tmp_path, "file"), (tiny_prepared.parent, tiny_prepared.name)]:
        with pytest.raises(InputError, match="is no run, so it is not replaced"):
            runs.vacant(name, folder, force=True)


def test_clearing_keeps_the_lock_alone(tmp_path: Path) -> None:
    run = begun(tmp_path / "mine")
    (run.folder / "model").mkdir()
    with locked(run.folder):
        runs.clear(run.folder)
        assert [path.name for path in run.folder.iterdir()] == [".lock"]
        assert runs.in_use(run.folder)
    runs.vacant("mine", tmp_path, force=True)


def test_runs_are_listed_as_they_were_started(tmp_path: Path, tiny_runs: Path) -> None:
    assert [run.name for run in runs.listed(tiny_runs)] == ["text", "image"]
    assert runs.listed(tmp_path) == runs.listed(tmp_path / "nowhere") == []


def test_a_run_with_broken_files_is_listed_as_broken_among_the_others(tmp_path: Path, tiny_runs: Path) -> None:
    for name in ("whole", "unjudged", "unreadable"):
        shutil.copytree(tiny_runs / "text", tmp_path / name)
    (tmp_path / "unjudged" / runs.METRICS).unlink()
    (tmp_path / "unreadable" / runs.RUN).write_text("{")
    found = {summary["name"]: summary for summary in map(runs.summary, runs.listed(tmp_path))}
    assert {name: summary["state"] for name, summary in found.items()} == {
        "whole": "done",
        "unjudged": "broken",
        "unreadable": "broken",
    }
    assert (found["unjudged"]["definition"], found["unjudged"]["accuracy"]) == ("text_tfidf", None)
    assert found["whole"]["accuracy"] is not None


def test_a_summary_says_what_there_is(tiny_runs: Path, tiny_prepared: Path) -> None:
    summary = runs.summary(runs.find("text", tiny_runs))
    assert summary["definition"] == "text_tfidf"
    assert summary["data"] == str(tiny_prepared)
    assert summary["label"] == "party"
    assert summary["state"] == "done"
    assert 0 <= summary["accuracy"] <= 1


def test_a_broken_run_json_is_named(tmp_path: Path) -> None:
    run = begun(tmp_path / "mine")
    (run.folder / runs.RUN).write_text("{")
    with pytest.raises(InputError, match=r"mine/run\.json is not readable as JSON"):
        runs.find("mine", tmp_path)


def test_predictions_read_back_as_written(tmp_path: Path, tiny_runs: Path) -> None:
    predictions = runs.find("text", tiny_runs).predictions()
    runs.write_predictions(predictions, tmp_path / "again.csv")
    assert runs.read_predictions(tmp_path / "again.csv").equals(predictions)
