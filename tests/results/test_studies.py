"""Studies: what may be declared, what is trained and when, what is refused, and the table."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import timm
import yaml
from click.testing import CliRunner, Result
from timm.models import save_for_hf

from leaflet_tool.cli.main import main
from leaflet_tool.errors import ExitCode, InputError
from leaflet_tool.manifest import Prepared
from leaflet_tool.models import bases, definitions, label_counts, runs, training
from leaflet_tool.models.runs import Run
from leaflet_tool.prepare import dataset
from leaflet_tool.prepare.recipe import prepare
from leaflet_tool.results import studies, study_alike, study_page, study_runs, study_scores
from leaflet_tool.storage import read_json

FOCAL = {"output_features.${label}.loss": {"type": "focal_bce", "gamma": 2.0}}
WEIGHTED = {"output_features.${label}.loss": {"type": "sample_weighted_bce", "class_weights": "${positive_weights}"}}
BROKEN = {"output_features.${label}.loss": {"type": "sigmoid_cross_entropy", "class_weights": {"no such topic": 2.0}}}
"""What Ludwig finds out only when it builds the model."""
RIVALS = ["majority labels", "TF-IDF + logistic regression", "gradient-boosted trees"]
DECLARED: dict[str, Any] = {
    "base": {"config": "topics_filename", "set": {"trainer.epochs": 3}},
    "seeds": [1, 2],
    "rows": {
        "plain <b>": {},
        "focal loss": {"set": FOCAL},
        "sample weights": {"set": WEIGHTED},
        "breaks": {"set": BROKEN},
    },
}


def written(folder: Path, content: Any = DECLARED, name: str = "trial") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(f"# A trial.\n{yaml.safe_dump(content, sort_keys=False)}")
    return path


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.mark.parametrize("name", studies.names())
def test_every_shipped_study_fits_its_definition(name: str, tiny_topics: Prepared) -> None:
    study = studies.find(name)
    assert study.description
    for row in study.rows:
        definition = definitions.find(study.config(row))
        overrides = tuple(f"{path}={json.dumps(value)}" for path, value in study.overrides(row).items())
        request = training.Request("row", overrides=overrides)
        filled = training.filled(definition, tiny_topics.label, request, facts=label_counts.WITHOUT_DATA)
        assert "${" not in json.dumps(filled)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seeds": []}, "seeds: List should have at least 1 item"),
        ({"seeds": [1, 1]}, "a seed is named twice"),
        ({"rows": {"a": {"set": FOCAL}}}, "one row is the base itself"),
        ({"rows": {"a": {}, "b": {}}}, "here 2 are"),
        ({"rows": {"a": {}, "A b": {"set": FOCAL}, "a-B": {"set": WEIGHTED}}}, "the same names: 'A b', 'a-B'"),
        ({"rows": {"a": {}, "b": {"sets": FOCAL}}}, r"rows\.b\.sets"),
        ({"base": {"set": {}}}, r"base\.config"),
        ({"base": {"config": "image", "start_from": "a"}}, r"base\.start_from"),
        ({"rows": {"a": {}, "b": {"start_from": "c"}}}, "start from one that is not there: 'b'"),
        ({"rows": {"a": {}, "b": {"start_from": "c:image"}}}, "start from one that is not there: 'b'"),
        ({"rows": {"a": {}, "b": {"start_from": "a:"}}}, "start from one that is not there: 'b'"),
        ({"rows": {"a": {}, "b": {"start_from": "b:image"}}}, "these rows start from each other: 'b'"),
        (
            {"rows": {"a": {}, "a:image": {"set": FOCAL}, "b": {"start_from": "a:image"}}},
            "start from what may be a row, or a feature of another row: 'b'",
        ),
        ({"rows": {"a": {}, "b": {"start_from": "b"}}}, "these rows start from each other: 'b'"),
        (
            {"rows": {"a": {}, "b": {"start_from": "c"}, "c": {"start_from": "b"}}},
            "start from each other: '[bc]', '[bc]'",
        ),
        ({"rows": {"a": {}, "b": {"stack": ["a", "c"]}}}, "stack one that is not there: 'b'"),
        ({"rows": {"a": {}, "b": {"stack": ["a"]}}}, "stack fewer than two different rows, or one twice: 'b'"),
        ({"rows": {"a": {}, "b": {"stack": ["a", "a"]}}}, "stack fewer than two different rows, or one twice: 'b'"),
        ({"rows": {"a": {}, "b": {"stack": ["b", "a"]}}}, "stack a stack, which has learned from the same pages: 'b'"),
        (
            {"rows": {"a": {}, "b": {"set": FOCAL}, "c": {"stack": ["a", "b"]}, "d": {"start_from": "c"}}},
            "start from a stack, which has no encoder: 'd'",
        ),
        (
            {"rows": {"a": {}, "b": {"set": FOCAL}, "c": {"stack": ["a", "b"], "start_from": "a"}}},
            "are stacks, which have no config, start_from or data: 'c'",
        ),
    ],
)
def test_what_is_no_study_is_refused(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        studies.read(written(tmp_path, {**DECLARED, **change}))


def test_rows_are_trained_after_those_they_start_from(tmp_path: Path, tiny_prepared: Path) -> None:
    rows = {"d": {"start_from": "c"}, "a": {}, "c": {"start_from": "b"}, "b": {"config": "document_256"}}
    path = written(tmp_path, {"base": {"config": "document_128"}, "seeds": [1, 2], "rows": rows})
    plan = study_runs.planned(str(path), tiny_prepared, runs=tmp_path / "runs")
    assert plan.study.rows == ["d", "a", "c", "b"]
    assert [(job.row, job.seed) for job in plan.jobs()] == [(row, seed) for seed in (1, 2) for row in "bcda"]
    assert plan.source("d", 2) == "c_seed2"
    assert plan.source("a", 1) == ""
    assert plan.study.changes("c") == "starts from 'b'"


def test_a_row_starts_from_a_feature_of_another_whose_name_may_have_blanks_and_colons(
    tmp_path: Path, tiny_prepared: Path
) -> None:
    rows = {
        "five views": {},
        "top half": {"start_from": "five views:top"},
        "step 2: larger": {"start_from": "five views:page"},
        "step 3": {"start_from": "step 2: larger"},
    }
    path = written(tmp_path, {"base": {"config": "document_regions"}, "seeds": [1], "rows": rows})
    plan = study_runs.planned(str(path), tiny_prepared, runs=tmp_path / "runs")
    assert plan.source("top half", 1) == "five_views_seed1:top"
    assert [job.row for job in plan.sources("top half", 1)] == ["five views"]
    assert plan.study.changes("top half") == "starts from 'five views:top'"
    assert plan.source("step 3", 1) == "step_2_larger_seed1"


def test_stacks_come_after_what_they_stack_and_have_settings_of_their_own(tmp_path: Path, tiny_prepared: Path) -> None:
    rows = {"all": {"stack": ["wide", "narrow"]}, "wide": {"start_from": "narrow"}, "narrow": {}}
    base = {"config": "document_128", "set": {"trainer.epochs": 2}, "data": {"augment": {"copies": 1}}}
    path = written(tmp_path, {"base": base, "seeds": [3], "rows": rows})
    plan = study_runs.planned(str(path), tiny_prepared, runs=tmp_path / "runs")
    assert plan.study.sources_first == ["narrow", "wide", "all"]
    assert plan.study.config("all") == "stack"
    assert (plan.study.overrides("all"), plan.study.data("all")) == ({}, {})
    assert plan.study.changes("all") == "stack of 'wide', 'narrow'"
    assert [job.folder.name for job in plan.sources("all", 3)] == ["wide_seed3", "narrow_seed3"]


def test_documents_is_the_chain_of_the_study_and_the_small_one_is_the_same_chain() -> None:
    study, small = (studies.find(name) for name in ("documents", "documents_small"))
    regions = [f"{side} half" for side in ("top", "bottom", "left", "right")]
    assert study.sources_first == [
        *("holistic 128", "holistic 256", *regions),
        *("stack of the five", "tied model", "text", "stack of the five and the text"),
    ]
    assert [study.start_from(row) for row in regions] == ["holistic 256"] * 4
    assert study.stacked("stack of the five") == ["holistic 256", *regions]
    assert study.stacked("stack of the five and the text") == ["holistic 256", *regions, "text"]
    more = [row for row in small.rows if row == "page at 128 from scratch"]
    names = {"page at 64": "holistic 128", "page at 128": "holistic 256"}
    assert [names.get(row, row) for row in small.rows if row not in more] == study.rows
    for row in small.rows:
        if row not in more:
            sources = [names.get(source, source) for source in small.sources(row)]
            assert sources == study.sources(names.get(row, row))
            if row != "text":
                assert small.config(row) == study.config(names.get(row, row))
    same = [dict(small.overrides(row)) for row in ("page at 128", *more)]
    assert same[0] == same[1]
    assert small.config("page at 128") == small.config(*more)


def test_an_unknown_study_gets_the_nearest_name() -> None:
    with pytest.raises(InputError) as raised:
        studies.find("topics_imbalanc")
    assert "topics_imbalance" in raised.value.hint


@pytest.fixture(scope="module")
def trained(tiny_topics: Prepared, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict[str, Any]]:
    """The trial's file and folder after it was run, and what the command printed as JSON."""
    folder = tmp_path_factory.mktemp("study")
    path = written(folder)
    result = invoke("--json", "study", path, "--data", tiny_topics.folder, "--runs", folder / "runs")
    assert result.exit_code == ExitCode.TRAINING, result.output
    return path, folder / "runs" / "trial", json.loads(result.stdout)


def test_every_row_stands_in_the_table_with_figures_or_a_reason(trained: tuple[Path, Path, dict[str, Any]]) -> None:
    lines = {line["row"]: line for line in trained[2]["lines"]}
    assert list(lines) == list(DECLARED["rows"])
    assert lines["breaks"]["state"].startswith("failed: ")
    assert lines["breaks"]["figures"] == {}
    for row in ("plain <b>", "focal loss", "sample weights"):
        assert lines[row]["state"] == "2 of 2 seeds"
        assert 0 < lines[row]["figures"]["macro_ap"]["value"] <= 1
        assert {"half.micro_f1", "thresholds.micro_f1"} <= lines[row]["figures"].keys()
    assert "plain <b>" not in {row for row, line in lines.items() if line["differences"]}
    difference = lines["focal loss"]["differences"]["macro_ap"]
    expected = lines["focal loss"]["figures"]["macro_ap"]["value"] - lines["plain <b>"]["figures"]["macro_ap"]["value"]
    assert difference["value"] == pytest.approx(expected)
    assert any("breaks is not judged" in sentence for sentence in trained[2]["sentences"])
    assert [line["row"] for line in trained[2]["rivals"]] == RIVALS


@contextmanager
def failed(run: Run, error: str = "out of memory") -> Iterator[None]:
    """The run as if it had failed."""
    run.noting(state=runs.FAILED, error=error)
    try:
        yield
    finally:
        run.noting()


def test_a_row_that_failed_at_one_seed_says_so_and_is_compared_at_the_other(
    trained: tuple[Path, Path, dict[str, Any]], tiny_topics: Prepared, tmp_path: Path
) -> None:
    plan = study_runs.planned(str(trained[0]), tiny_topics.folder, runs=trained[1].parent)
    with failed(runs.find("focal_loss_seed2", trained[1])):
        table = study_scores.table(plan, resamples=20)
    assert table.unfinished == ["focal loss", "breaks"]
    assert "mean of 2 seeds as far as finished" in table.title
    lines = {line.row: line for line in table.lines}
    line = lines["focal loss"]
    assert line.state == "1 of 2 seeds; seed 2 failed: out of memory"
    first = [runs.find(f"{row}_seed1", trained[1]).metrics() for row in ("focal_loss", "plain_b")]
    known = [found["page"]["figures"]["macro_ap"]["value"] for found in first]
    assert line.figures["macro_ap"]["value"] == pytest.approx(known[0])
    assert line.differences["macro_ap"]["value"] == pytest.approx(known[0] - known[1])
    assert lines["sample weights"].compared == [1, 2]
    cells = next(cells for cells in table.cells() if cells[0].startswith("focal"))
    assert cells[0] == "focal loss (seed 2 failed)"
    assert cells[2].endswith(", seed 1")
    assert {
        "The figures of focal loss are of seed 1 alone: 1 of 2 seeds; seed 2 failed: out of memory.",
        "Compared with plain <b> at seed 1 alone, as finished in both: focal loss.",
    } <= set(table.sentences)
    study_page.write(table, tmp_path / "study.html")
    page = (tmp_path / "study.html").read_text()
    assert "focal loss (seed 2 failed)" in page and "1 of 2 seeds; seed 2 failed: out of memory" in page


def test_rows_are_compared_at_the_seeds_at_which_the_base_was_finished(
    trained: tuple[Path, Path, dict[str, Any]], tiny_topics: Prepared
) -> None:
    plan = study_runs.planned(str(trained[0]), tiny_topics.folder, runs=trained[1].parent)
    base, other = (runs.find(name, trained[1]) for name in ("plain_b_seed1", "focal_loss_seed2"))
    with failed(base), failed(other):
        table = study_scores.table(plan, resamples=20)
    lines = {line.row: line for line in (*table.lines, *table.rivals)}
    assert lines["plain <b>"].name == "plain <b> (seed 1 failed)"
    assert lines["sample weights"].state == "2 of 2 seeds"
    known = [
        runs.find(f"{row}_seed2", trained[1]).metrics()["page"]["figures"]["macro_ap"]["value"]
        for row in ("sample_weights", "plain_b")
    ]
    assert lines["sample weights"].differences["macro_ap"]["value"] == pytest.approx(known[0] - known[1])
    assert lines["sample weights"].proof
    assert [lines[name].compared for name in ("sample weights", "focal loss", *RIVALS)] == [[2], [], [2], [2], [2]]
    assert lines["focal loss"].differences == {}
    assert {
        "focal loss is not compared with plain <b>: no seed is finished in both.",
        "Compared with plain <b> at seed 2 alone, as finished in both: sample weights.",
    } <= set(table.sentences)
    with failed(base), failed(runs.find("plain_b_seed2", trained[1])):
        table = study_scores.table(plan, resamples=20)
    assert "No row is compared with plain <b>, which was finished at no seed." in table.sentences
    assert not any(line.differences for line in (*table.lines, *table.rivals))


def test_each_row_comes_with_what_shows_that_it_was_in_force(trained: tuple[Path, Path, dict[str, Any]]) -> None:
    lines = {line["row"]: line for line in trained[2]["lines"]}
    (proof,) = lines["focal loss"]["proof"]
    assert proof.startswith("focal_bce ") and "plain BCE is" in proof and "THE SAME" not in proof
    assert any(proof.startswith("sample_weighted_bce ") for proof in lines["sample weights"]["proof"])


def test_the_page_escapes_names(trained: tuple[Path, Path, dict[str, Any]]) -> None:
    page = (trained[1] / "study.html").read_text()
    assert "plain &lt;b&gt;" in page and "plain <b>" not in page
    assert "<script" not in page and "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")


def test_the_plain_table_has_both_views(trained: tuple[Path, Path, dict[str, Any]], tiny_topics: Prepared) -> None:
    result = invoke("study", trained[0], "--data", tiny_topics.folder, "--runs", trained[1].parent)
    assert result.exit_code == ExitCode.TRAINING, result.output
    assert "not finished at every seed: 'breaks'" in result.output and "--retry" in result.output
    assert result.output.count("with thresholds") >= 3
    assert "at 0.5" in result.output


def test_what_is_done_is_not_trained_again(trained: tuple[Path, Path, dict[str, Any]], tiny_topics: Prepared) -> None:
    plan = study_runs.planned(str(trained[0]), tiny_topics.folder, runs=trained[1].parent)
    assert plan.to_train() == []
    assert plan.cost()["to_train"] == 0
    retried = study_runs.planned(str(trained[0]), tiny_topics.folder, runs=trained[1].parent, retry=True)
    assert [job.row for job in retried.to_train()] == ["breaks", "breaks"]


def test_the_time_is_that_of_a_rows_own_runs(trained: tuple[Path, Path, dict[str, Any]], tiny_topics: Prepared) -> None:
    plan = study_runs.planned(str(trained[0]), tiny_topics.folder, runs=trained[1].parent, retry=True)
    finished = {job: job.run for job in plan.jobs() if job.run and job.state == runs.DONE}
    times = {"plain <b>": 10.0, "focal loss": 100.0, "sample weights": 40.0}
    try:
        for job, run in finished.items():
            run.noting(seconds=times[job.row])
        focal = next(run for job, run in finished.items() if (job.row, job.seed) == ("focal loss", 2))
        focal.noting(state=runs.FAILED, error="out of memory")
        mean = (10 + 10 + 100 + 40 + 40) / 5  # for breaks, which has no time of its own
        assert plan.cost()["seconds"] == 100 + 2 * mean
    finally:
        for run in finished.values():
            run.noting()


def test_an_interrupted_run_is_taken_up_again(
    trained: tuple[Path, Path, dict[str, Any]], tiny_topics: Prepared
) -> None:
    run = runs.find("focal_loss_seed1", trained[1])
    before = run.metrics()
    run.noting(state=runs.TRAINING)
    plan = study_runs.planned(str(trained[0]), tiny_topics.folder, runs=trained[1].parent)
    assert [(job.row, job.seed) for job in plan.to_train()] == [("focal loss", 1)]
    assert [job.row for job in study_runs.train(plan)] == ["focal loss"]
    assert runs.find("focal_loss_seed1", trained[1]).state == runs.DONE
    assert runs.find("focal_loss_seed1", trained[1]).metrics() == before


def test_other_settings_are_refused_and_nothing_is_lost(
    trained: tuple[Path, Path, dict[str, Any]], tiny_topics: Prepared
) -> None:
    before = sorted(path.name for path in trained[1].iterdir())
    arguments = ["--data", tiny_topics.folder, "--runs", trained[1].parent, "--seed", 7]
    result = invoke("study", trained[0], *arguments)
    assert result.exit_code == 3
    assert "was begun otherwise: seeds was [1, 2], is [7]" in " ".join(result.output.split())
    assert sorted(path.name for path in trained[1].iterdir()) == before


def test_a_dry_run_of_a_new_beginning_leaves_what_there_is(
    trained: tuple[Path, Path, dict[str, Any]], tiny_topics: Prepared
) -> None:
    before = sorted(path.name for path in trained[1].iterdir())
    arguments = ["--data", tiny_topics.folder, "--runs", trained[1].parent, "--seed", 7, "--force", "--dry-run"]
    result = invoke("--json", "study", trained[0], *arguments)
    assert result.exit_code == 0, result.output
    cost = json.loads(result.stdout)
    assert (cost["runs"], cost["to_train"]) == (4, 4)
    assert sorted(path.name for path in trained[1].iterdir()) == before
    result = invoke("--json", "study", trained[0], *arguments[:4], "--force", "--dry-run")
    cost = json.loads(result.stdout)
    assert (cost["runs"], cost["to_train"]) == (8, 8)
    assert cost["seconds"] > 0
    assert sorted(path.name for path in trained[1].iterdir()) == before


def test_a_folder_that_is_no_study_is_left_alone(tiny_topics: Prepared, tmp_path: Path) -> None:
    (tmp_path / "runs" / "trial").mkdir(parents=True)
    (tmp_path / "runs" / "trial" / "letter.txt").write_text("dear")
    result = invoke("study", written(tmp_path), "--data", tiny_topics.folder, "--runs", tmp_path / "runs", "--force")
    assert result.exit_code == 3
    assert "exists and is no study" in result.output
    assert (tmp_path / "runs" / "trial" / "letter.txt").read_text() == "dear"


def test_a_row_that_does_not_fit_stops_the_study_before_anything_is_trained(
    tiny_topics: Prepared, tmp_path: Path
) -> None:
    content = {**DECLARED, "rows": {"plain": {}, "odd": {"set": {"trainer.epoch": 3}}, "image": {"config": "image"}}}
    result = invoke("study", written(tmp_path, content), "--data", tiny_topics.folder, "--runs", tmp_path / "runs")
    assert result.exit_code == 3
    assert "row 'odd'" in result.output and "row 'image'" in result.output
    assert not (tmp_path / "runs").exists()


def test_other_training_rows_that_cannot_be_had_stop_the_study_before_anything_is_trained(
    tiny_prepared: Path, tmp_path: Path
) -> None:
    rows = {"plain": {}, "odd": {"data": {"undersampel": 0.5}}, "flat": {"data": {"labels": "flat"}}}
    path = written(tmp_path, {"base": {"config": "text_tfidf"}, "seeds": [1], "rows": rows})
    result = invoke("study", path, "--data", tiny_prepared, "--runs", tmp_path / "runs", "--dry-run")
    assert result.exit_code == 3
    words = " ".join(result.output.split())
    assert "row 'odd': " in words and "unknown key undersampel, did you mean 'undersample'?" in words
    assert "row 'flat': " in words and "follows a taxonomy, and " in words
    assert not (tmp_path / "runs").exists()


def test_rows_that_differ_in_more_than_they_name_are_refused(
    trained: tuple[Path, Path, dict[str, Any]], tiny_topics: Prepared
) -> None:
    plan = study_runs.planned(str(trained[0]), tiny_topics.folder, runs=trained[1].parent)
    assert study_alike.alike(plan) == []
    path = trained[1] / "focal_loss_seed2" / runs.CONFIG
    whole = path.read_text()
    path.write_text(whole.replace("batch_size: 128", "batch_size: 64", 1))
    try:
        with pytest.raises(InputError, match=r"row 'focal loss', seed 2: its definition has trainer\.batch_size: 64"):
            study_scores.table(plan, resamples=20)
    finally:
        path.write_text(whole)


def test_a_run_is_held_against_its_study_where_the_base_was_not_finished(
    trained: tuple[Path, Path, dict[str, Any]], tiny_topics: Prepared
) -> None:
    plan = study_runs.planned(str(trained[0]), tiny_topics.folder, runs=trained[1].parent)
    path = trained[1] / "focal_loss_seed2" / runs.CONFIG
    whole = path.read_text()
    path.write_text(whole.replace("gamma: 2.0", "gamma: 4.0", 1))
    try:
        with failed(runs.find("plain_b_seed2", trained[1])):
            assert study_alike.alike(plan) == [
                "row 'focal loss', seed 2: its definition has output_features.topics.loss.gamma: 4.0, the study 2.0"
            ]
        arguments = ["--data", tiny_topics.folder, "--runs", trained[1].parent, "--dry-run"]
        result = invoke("study", trained[0], *arguments)
        assert result.exit_code == ExitCode.INPUT
        assert "differ in more than they name" in result.output
    finally:
        path.write_text(whole)


def test_other_test_rows_are_refused(trained: tuple[Path, Path, dict[str, Any]], tiny_topics: Prepared) -> None:
    plan = study_runs.planned(str(trained[0]), tiny_topics.folder, runs=trained[1].parent)
    path = trained[1] / "focal_loss_seed2" / runs.PREDICTIONS
    whole = path.read_text()
    frame = runs.read_predictions(path)
    runs.write_predictions(frame.drop(frame.index[frame["split"] == "test"][0]), path)
    try:
        with pytest.raises(InputError, match="not judged on the same rows"):
            study_scores.table(plan, resamples=20)
    finally:
        path.write_text(whole)


def test_a_study_of_one_label_has_accuracy(tiny_prepared: Path, tmp_path: Path) -> None:
    rows = {"plain": {}, "slower": {"set": {"trainer.learning_rate": 0.5}}}
    content = {"base": {"config": "text_tfidf"}, "seeds": [1], "rows": rows}
    arguments = ["--data", tiny_prepared, "--runs", tmp_path / "runs", "--epochs", 2]
    result = invoke("--json", "study", written(tmp_path, content), *arguments)
    assert result.exit_code == 0, result.output
    table = json.loads(result.stdout)
    assert table["lines"][1]["differences"]["accuracy"]["value"] <= 0
    assert table["labels_per_row"] is None
    declared = read_json(tmp_path / "runs" / "trial" / study_runs.DECLARED)
    assert declared["base"]["set"] == {"trainer.epochs": 2}


def test_rows_of_other_training_rows_have_a_folder_made_from_the_studys(tmp_path: Path) -> None:
    lines = [f"{('wages', 'pension')[n % 2]} number {n},{'ab'[n % 2]}" for n in range(60)]
    (tmp_path / "rows.csv").write_text("\n".join(["text,party", *lines]) + "\n")
    archive = {"source": {"type": "table"}, "columns": {"text": "text", "label": "party"}}
    prepare(tmp_path / "rows.csv", tmp_path / "prepared", dataset.build(archive, "test"))
    rows = {"plain": {}, "half": {"data": {"undersample": 0.5}}, "half, again": {"data": {"undersample": 0.5}}}
    path = written(tmp_path, {"base": {"config": "text_tfidf"}, "seeds": [1], "rows": rows})
    result = invoke("--json", "study", path, "--data", tmp_path / "prepared", "--runs", tmp_path / "runs")
    assert result.exit_code == 0, result.output
    proof = {line["row"]: line["proof"] for line in json.loads(result.stdout)["lines"]}
    assert proof["half"][0] == "21 training rows instead of 42"
    assert proof["half, again"] == proof["half"]
    plan = study_runs.planned(str(path), tmp_path / "prepared", runs=tmp_path / "runs")
    assert [path.name for path in (plan.folder / study_runs.VARIANTS).iterdir()] == ["half"]
    assert study_alike.alike(plan) == []
    run = runs.find("half_seed1", plan.folder)
    run.noting(prepare={**run.facts["prepare"], "derived_from": {"digest": "0" * 64, "folder": "/elsewhere"}})
    assert study_alike.alike(plan) == ["row 'half', seed 1: its data was not made from the study's"]


@pytest.fixture(scope="module")
def begun(tiny_prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> study_runs.Plan:
    """A study of which one row starts from the base and one stacks it with another, as trained."""
    folder = tmp_path_factory.mktemp("begun")
    save_for_hf(timm.create_model("test_resnet", pretrained=False), folder / "weights", safe_serialization=True)
    small = {f"preprocessing.{side}": 32 for side in ("height", "width")}
    small["encoder.model_name"] = f"local-dir:{folder / 'weights'}"
    base = {f"input_features.image.{path}": value for path, value in small.items()} | {"trainer.batch_size": 16}
    rows = {
        "both": {"stack": ["page", "text"], "set": {"trainer.epochs": 3}},
        "goes on": {"start_from": "page:image"},
        "page": {},
        "text": {"config": "text_tfidf"},
    }
    path = written(folder, {"base": {"config": "document_128", "set": base}, "seeds": [1], "rows": rows})
    arguments = ["--data", tiny_prepared, "--runs", folder / "runs", "--epochs", 1, "--offline"]
    result = invoke("--json", "study", path, *arguments)
    assert result.exit_code == 0, result.output
    lines = {line["row"]: line for line in json.loads(result.stdout)["lines"]}
    (proof,) = lines["goes on"]["proof"]
    assert proof.endswith("tensors of image's encoder carried over from page_seed1:image")
    assert lines["both"]["proof"] == [
        "stacks page_seed1, text_seed1",
        "learned from 6 pages that are new to all of them; 6 more told when to stop",
    ]
    assert lines["text"]["proof"][0] == "reads text instead of image at 32 x 32"
    assert {lines[row]["state"] for row in rows} == {"1 of 1 seeds"}
    return study_runs.planned(str(path), tiny_prepared, runs=folder / "runs", epochs=1)


def test_a_row_starts_from_the_run_of_another_at_its_seed(begun: study_runs.Plan) -> None:
    run = runs.find("goes_on_seed1", begun.folder)
    assert run.facts["start_from"]["folder"] == str(begun.folder / "page_seed1")
    assert run.facts["start_from"]["feature"] == "image"
    assert run.facts["study"]["changes"] == "starts from 'page:image'"
    carried = run.facts["transfer"]["image"]
    assert carried["loaded"] > 50
    assert (carried["skipped"], carried["new"]) == ({}, [])


def test_a_row_stacks_the_runs_of_others_at_its_seed(begun: study_runs.Plan) -> None:
    run = runs.find("both_seed1", begun.folder)
    assert [base.name for base in bases.of(run)] == ["page_seed1", "text_seed1"]
    assert run.facts["study"]["changes"] == "stack of 'page', 'text', trainer.epochs=3"
    trainer = definitions.read(run.folder / runs.CONFIG).content["trainer"]
    assert (trainer["epochs"], trainer["batch_size"]) == (3, 32)  # its own, not the base's


def test_the_baselines_of_a_study_learn_from_training_pages_though_a_stack_comes_first(begun: study_runs.Plan) -> None:
    table = study_scores.table(begun, resamples=20)
    baseline = next(line for line in table.rivals if line.row == RIVALS[1])
    known = runs.find("text_seed1", begun.folder).metrics()["baselines"]["tfidf_logistic"]["page"]["figures"]
    assert baseline.figures["accuracy"]["value"] == known["accuracy"]["value"]


def test_a_stack_is_taken_up_again_and_waits_for_what_failed(begun: study_runs.Plan) -> None:
    stack, text = (runs.find(f"{row}_seed1", begun.folder) for row in ("both", "text"))
    before = stack.metrics()
    stack.noting(state=runs.TRAINING)
    assert [job.row for job in study_runs.train(begun)] == ["both"]
    stack = runs.find("both_seed1", begun.folder)
    assert (stack.state, stack.metrics()) == (runs.DONE, before)
    (stack.folder / runs.RUN).unlink()  # as if it had been killed right at its start
    text.noting(state=runs.FAILED, error="no words")
    try:
        assert [job.row for job in study_runs.train(begun)] == ["both"]
        lines = {line.row: line for line in study_scores.table(begun, resamples=20).lines}
        assert lines["text"].state == "failed: no words"
        assert lines["both"].state == "failed: it needs the row 'text', which is failed"
    finally:
        text.noting()
    assert [job.row for job in begun.to_train()] == []
    assert [job.row for job in study_runs.train(replace(begun, retry=True))] == ["both"]
    assert runs.find("both_seed1", begun.folder).metrics() == before


def test_a_stack_of_other_runs_is_refused(begun: study_runs.Plan) -> None:
    run = runs.find("both_seed1", begun.folder)
    under = run.facts["stack"]
    run.noting(stack={**under, "bases": under["bases"][:1]})
    try:
        assert study_alike.alike(begun) == ["row 'both', seed 1: it is a stack of page_seed1"]
        run.noting(stack={**under, "bases": [{**base, "started": "long ago"} for base in under["bases"]]})
        (problem,) = study_alike.alike(begun)
        assert "page_seed1" in problem and "was trained anew since" in problem
    finally:
        run.noting(stack=under)


@pytest.mark.parametrize(("row", "epochs"), [("text", 1), ("both", 3)])
def test_rows_with_a_definition_of_their_own_are_held_against_it(begun: study_runs.Plan, row: str, epochs: int) -> None:
    path = begun.folder / f"{row}_seed1" / runs.CONFIG
    whole = path.read_text()
    path.write_text(whole.replace(f"epochs: {epochs}", "epochs: 9", 1))
    try:
        assert study_alike.alike(begun) == [
            f"row {row!r}, seed 1: its definition has trainer.epochs: 9, the study {epochs}"
        ]
    finally:
        path.write_text(whole)


def test_what_would_stop_a_stack_stops_the_study(tiny_prepared: Path, tiny_topics: Prepared, tmp_path: Path) -> None:
    rows = {"page": {}, "text": {"set": {"trainer.epochs": 1}}, "both": {"stack": ["page", "text"]}}
    wrong = {**rows, "both": {"stack": ["page", "text"], "set": {"trainer.epoch": 1}}}
    for config, folder, declared, words in (
        ("text_tfidf", tiny_prepared, wrong, "epoch"),
        ("topics_filename", tiny_topics.folder, rows, "have several labels"),
    ):
        path = written(tmp_path, {"base": {"config": config}, "seeds": [1], "rows": declared})
        result = invoke("study", path, "--data", folder, "--runs", tmp_path / "runs", "--dry-run")
        assert result.exit_code == 3
        assert "row 'both'" in result.output and words in " ".join(result.output.split())


def test_starting_from_another_row_is_named_and_starting_elsewhere_is_not(begun: study_runs.Plan) -> None:
    encoders = [
        definitions.read(begun.folder / f"{name}_seed1" / runs.CONFIG).content["input_features"][0]["encoder"]
        for name in ("page", "goes_on")
    ]
    assert [encoder["use_pretrained"] for encoder in encoders] == [True, False]
    assert study_alike.alike(begun) == []
    run = runs.find("goes_on_seed1", begun.folder)
    start = run.facts["start_from"]
    run.noting(start_from={**start, "folder": "/elsewhere/other"})
    try:
        assert study_alike.alike(begun) == ["row 'goes on', seed 1: it started from other:image"]
        run.noting(start_from={**start, "feature": "top"})
        assert study_alike.alike(begun) == ["row 'goes on', seed 1: it started from page_seed1:top"]
    finally:
        run.noting(start_from=start)


def test_a_row_that_does_not_fit_what_it_starts_from_stops_the_study(tiny_prepared: Path, tmp_path: Path) -> None:
    rows = {"page": {}, "odd": {"config": "image_small", "start_from": "page"}}
    base = {"config": "document_128", "set": {"input_features.image.encoder.use_pretrained": False}}
    path = written(tmp_path, {"base": base, "seeds": [1], "rows": rows})
    result = invoke("study", path, "--data", tiny_prepared, "--runs", tmp_path / "runs", "--dry-run")
    assert result.exit_code == 3
    words = " ".join(result.output.split())
    assert "row 'odd'" in words and "is resnet10t, but that of page:image is inception_resnet_v2" in words


@pytest.mark.parametrize(
    ("start", "words"),
    [
        ("two views:again", ""),
        ("two views", "two views has several image features: image, again; name one, as in two views:image"),
        ("two views:top", "two views has no image feature 'top'; it has: image, again"),
    ],
)
def test_of_a_row_with_several_image_features_one_is_named(
    start: str, words: str, tiny_prepared: Path, tmp_path: Path
) -> None:
    content = definitions.find("document_128").content
    (image,) = content["input_features"]
    content["input_features"] = [image, {**image, "name": "again"}]
    two = tmp_path / "two.yaml"
    two.write_text(definitions.dump(content, "Two views."))
    unlearned = {f"input_features.{name}.encoder.use_pretrained": False for name in ("image", "again")}
    rows = {"two views": {}, "one view": {"config": "document_128", "start_from": start}}
    path = written(tmp_path, {"base": {"config": str(two), "set": unlearned}, "seeds": [1], "rows": rows})
    result = invoke("study", path, "--data", tiny_prepared, "--runs", tmp_path / "runs", "--dry-run")
    assert result.exit_code == (3 if words else 0), result.output
    assert f"row 'one view': {words}" in " ".join(result.output.split()) or not words
