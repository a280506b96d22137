"""Explanations of real runs: their weights sum up, they find what decides, and both methods agree on it."""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from leaflet_tool.cli.main import main
from leaflet_tool.errors import InputError, UsageError
from leaflet_tool.manifest import Label, Prepared, read_prepared, write_manifest
from leaflet_tool.measure.predictions import PROBABILITY
from leaflet_tool.models import definitions, runs, scoring, training
from leaflet_tool.models.explanation import GRADIENTS, OCCLUSION, Input
from leaflet_tool.models.prediction import predict_pages
from leaflet_tool.models.runs import Run
from leaflet_tool.prepare.regions import region
from leaflet_tool.results import stacking
from leaflet_tool.results.explaining import Explained, explain
from leaflet_tool.results.explanation_sheet import areas_of, heaviest, sheet, to_json
from leaflet_tool.storage import write_json

COLOURS, TELLING = {"Blue": (30, 60, 220), "Red": (220, 40, 40)}, {"Blue": "pension", "Red": "wages"}
PATCH, SIDE = (0.6, 0.1, 0.9, 0.4), 40
"""Left, top, right, bottom of what alone tells the classes apart, and the side of a page in pixels."""
DEFINITION = """
input_features:
  - {name: page, column: image, type: image, encoder: &encoder {type: timm, model_name: test_resnet,
     use_pretrained: false}, preprocessing: &size {height: 32, width: 32, num_channels: 3,
     standardize_image: imagenet1k, resize_method: interpolate, mode: eager, missing_value_strategy: drop_row}}
  - {name: upper, column: image_top, type: image, encoder: *encoder, preprocessing: *size}
  - {name: words, column: text, type: text, encoder: {type: parallel_cnn, embedding_size: 16, num_filters: 16},
     preprocessing: {tokenizer: space_punct, max_sequence_length: 12, missing_value_strategy: fill_with_const,
     fill_value: ""}}
combiner: {type: concat}
output_features: [{name: "${label}", type: category, top_k: 1}]
preprocessing: {split: {type: fixed, column: "${split}"}}
trainer: {epochs: 12, batch_size: 8, eval_batch_size: 8, early_stop: -1, learning_rate: 0.003,
  validation_field: "${label}", validation_metric: loss}
backend: {type: local}
"""


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def log_odds(probability: float) -> float:
    return math.log(probability) - math.log(1 - probability)


def drawn(path: Path, party: str, number: int) -> Image.Image:
    """A grey page of noise with the party's patch in it."""
    levels = np.random.default_rng(number).normal(150, 30, size=(SIDE, SIDE, 3))
    left, top, right, bottom = (round(SIDE * share) for share in PATCH)
    levels[top:bottom, left:right] = COLOURS[party]
    image = Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8))
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
    return image


@pytest.fixture(scope="module")
def patched(tiny_prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """48 pages that a patch, and a word among common ones, tell apart, with their upper halves; 8 are of the test."""
    folder, rows = tmp_path_factory.mktemp("patched"), []
    common = ["the", "vote", "council", "street", "plan", "people"]
    for number in range(48):
        party, name = list(COLOURS)[number % 2], f"page{number}"
        image = drawn(folder / f"{name}.png", party, number)
        region(image, "top", 32).save(folder / f"{name}_top.png")
        words = [*np.random.default_rng(number).permutation(common)[:5], TELLING[party]]
        split = "train" if number < 32 else "validation" if number < 40 else "test"
        row = {"id": name, "image": f"{name}.png", "image_top": f"{name}_top.png", "text": " ".join(words)}
        more = {"ocr_status": "read", "party": party, "group": name, "page": "", "split": split, "row": ""}
        rows.append({**row, **more, "source": f"{party}/{number}.png"})
    write_manifest(pd.DataFrame(rows), folder / "manifest.csv", Label("party"))
    shutil.copy(tiny_prepared / "prepare.json", folder)
    return read_prepared(folder)


@pytest.fixture(scope="module")
def looking(patched: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A model of the page, its upper half, and its words through embeddings."""
    folder = tmp_path_factory.mktemp("looking")
    (folder / "looks.yaml").write_text(DEFINITION)
    request = training.Request("looks", folder, resamples=20)
    return training.train(definitions.find(str(folder / "looks.yaml")), patched, request)


@pytest.fixture(scope="module")
def looked(looking: Run) -> Explained:
    return explain(looking, "page45")


@pytest.fixture(scope="module")
def covered(looking: Run) -> Explained:
    return explain(looking, "page45", method="occlusion")


@pytest.fixture(scope="module")
def prepared(tiny_prepared: Path) -> Prepared:
    return read_prepared(tiny_prepared)


@pytest.fixture(scope="module")
def text(tiny_runs: Path) -> Run:
    return runs.find("text", tiny_runs)


def by_name(found: Explained) -> dict[str, Input]:
    return {each.name: each for each in found.inputs}


def probability(run: Run, prepared: Prepared, page: str, label: str, **cells: str) -> float:
    """What `predict` says of the page, some of its cells changed."""
    frame = prepared.frame[prepared.frame["id"] == page].assign(**cells)
    return float(predict_pages(run, frame, prepared.folder)[PROBABILITY + label].iloc[0])


def test_gradients_sum_up_to_what_the_page_changes(looked: Explained) -> None:
    assert {each.method for each in looked.inputs} == {GRADIENTS}
    first = looked.inputs[0]
    assert first.difference is not None
    assert abs(first.difference) > 1
    assert sum(each.weight for each in looked.inputs) == pytest.approx(first.difference, rel=0.05)
    for each in looked.inputs:
        parts = each.grid if each.grid is not None else each.word_weights
        assert parts is not None
        assert parts.sum() == pytest.approx(each.weight, abs=1e-4)
    likeliest, other = looked.asked.probabilities.values()
    assert looked.log_odds == pytest.approx(math.log(likeliest / other), rel=1e-3)


def test_gradients_of_a_text_start_at_no_text(text: Run, prepared: Prepared) -> None:
    found = explain(text, "red9p1")
    (words,) = found.inputs
    said = probability(text, prepared, "red9p1", found.target)
    assert found.asked.probabilities[found.target] == pytest.approx(said, abs=1e-6)
    without = probability(text, prepared, "red9p1", found.target, text="")
    assert words.weight == pytest.approx(log_odds(said) - log_odds(without), abs=1e-3)
    assert sum(weight for _, weight, _ in heaviest(words, 99)) == pytest.approx(words.weight, abs=1e-6)


@pytest.mark.parametrize("how", ["looked", "covered"])
def test_the_patch_and_the_word_are_found(how: str, request: pytest.FixtureRequest) -> None:
    found: Explained = request.getfixturevalue(how)
    assert found.asked.predicted == [found.truth] == ["Red"]
    word, weight, _ = heaviest(by_name(found)["words"])[0]
    assert (word, weight > 0) == ("wages", True)
    for name, (left, top, right, bottom) in {"page": PATCH, "upper": (0.6, 0.2, 0.9, 0.8)}.items():
        area = max(areas_of(by_name(found)[name]), key=lambda area: area.weight)
        assert area.left < right and left < area.right and area.top < bottom and top < area.bottom, name


def test_both_methods_agree_on_what_weighs(looked: Explained, covered: Explained) -> None:
    assert {each.method for each in covered.inputs} == {OCCLUSION}
    for each, other in zip(looked.inputs, covered.inputs, strict=True):
        if abs(each.weight) > 0.3:
            assert np.sign(each.weight) == np.sign(other.weight)
    weights, others = ({word: w for word, w, _ in heaviest(by_name(each)["words"])} for each in (looked, covered))
    assert weights["wages"] > 0 and others["wages"] > 0


def test_a_word_left_out_weighs_what_predict_says_without_it(text: Run, prepared: Prepared) -> None:
    found = explain(text, "blue9p1", method="occlusion")
    (words,) = found.inputs
    cell = prepared.frame.set_index("id")["text"]["blue9p1"]
    word, weight, times = heaviest(words)[0]
    assert times == cell.split().count(word)
    rest = " ".join(each for each in cell.split() if each != word)
    with_it, without = (probability(text, prepared, "blue9p1", found.target, text=each) for each in (cell, rest))
    assert weight == pytest.approx(log_odds(with_it) - log_odds(without), abs=1e-3)


def test_the_other_class_is_explained_on_demand(looking: Run, looked: Explained) -> None:
    other = explain(looking, "page45", target="Blue")
    assert other.target == "Blue"
    for each, mirrored in zip(looked.inputs, other.inputs, strict=True):
        assert each.weight == pytest.approx(-mirrored.weight, abs=0.05 * abs(each.weight) + 0.05)
    with pytest.raises(InputError, match="knows no class 'Bleu'") as refused:
        explain(looking, "page45", target="Bleu")
    assert "Blue" in refused.value.hint


def test_the_sheet_shows_views_words_and_methods(looked: Explained) -> None:
    found = sheet(looked)
    assert [view.title.partition(":")[0] for view in found.views] == ["page", "upper"]
    assert found.views[1].picture.shape[:2] == (32, 32)
    assert [name for name, _ in found.parts] == ["page", "upper", "words"]
    assert sum("integrated gradients" in note and "convergence delta" in note for note in found.notes) == 3
    assert " ".join(word.text for line in found.texts[0].lines for word in line) == looked.inputs[2].text
    assert found.page is not None


def test_words_beyond_the_longest_text_are_told(looking: Run, patched: Prepared, tmp_path: Path) -> None:
    shutil.copytree(patched.folder, tmp_path / "long")
    frame = patched.frame.assign(text=["vote " * 20 + cell for cell in patched.frame["text"]])
    write_manifest(frame, tmp_path / "long" / "manifest.csv", patched.label)
    words = by_name(explain(looking, "page45", data=tmp_path / "long"))["words"]
    assert words.word_weights is not None
    assert words.read < 12 < len(words.words)
    assert not words.word_weights[words.read :].any()


def test_a_page_that_trained_says_so_and_a_new_file_is_prepared(looking: Run, tmp_path: Path) -> None:
    assert explain(looking, "Red/1.png").asked.seen == "train"
    drawn(tmp_path / "new.png", "Blue", 99)
    found = explain(looking, str(tmp_path / "new.png"))
    assert (found.asked.seen, found.truth) == ("new", "")
    assert found.asked.predicted == ["Blue"]
    area = max(areas_of(by_name(found)["page"]), key=lambda area: area.weight)
    assert area.left < PATCH[2] and PATCH[0] < area.right and area.top < PATCH[3] and PATCH[1] < area.bottom


def test_in_folds_the_model_that_did_not_see_the_page_is_asked(prepared: Prepared, tmp_path: Path) -> None:
    request = training.Request("folded", tmp_path, folds=2, epochs=1, resamples=20)
    run = training.train(definitions.find("text_tfidf"), prepared, request)
    known = run.predictions().set_index("id").loc["red3p1"]
    found = explain(run, "red3p1")
    assert found.asked.seen == f"fold {known['fold']}"
    for name, value in found.asked.probabilities.items():
        assert value == pytest.approx(known[PROBABILITY + name], abs=1e-6)
    new = explain(run, str(prepared.folder / "images" / "red3p1.png"))
    assert new.asked.seen == "new"
    assert len(new.asked.models) == 2
    votes = [scoring.predict(model.ludwig, new.asked.table, run.label)[new.target] for model in new.asked.models]
    assert new.log_odds == pytest.approx(np.mean([log_odds(float(vote.iloc[0])) for vote in votes]), abs=1e-3)
    assert sum(weight for _, weight, _ in heaviest(new.inputs[0], 99)) == pytest.approx(new.inputs[0].weight, abs=1e-6)


def test_a_page_of_another_archive_is_new_though_one_that_trained_has_its_id(
    text: Run, prepared: Prepared, tmp_path: Path
) -> None:
    trained = prepared.frame[prepared.frame["split"] == "train"].iloc[0]
    assert explain(text, trained["id"]).asked.seen == "train"
    shutil.copytree(prepared.folder, tmp_path / "other")
    frame = prepared.frame.assign(text="vote " + prepared.frame["text"])
    write_manifest(frame, tmp_path / "other" / "manifest.csv", prepared.label)
    write_json(tmp_path / "other" / "prepare.json", {**prepared.facts, "archive": "/elsewhere"})
    assert explain(text, trained["id"], data=tmp_path / "other").asked.seen == "new"


@pytest.fixture
def language_model(prepared: Prepared, tmp_path: Path) -> Path:
    """The folder of a tiny BERT, untrained, that knows half of the words and spells the others."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path / "bert"
    folder.mkdir()
    known = sorted({word for cell in prepared.frame["text"] for word in cell.split()})[::2]
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *known, *letters, *(f"##{letter}" for letter in letters)]
    (folder / "vocab.txt").write_text("\n".join(words))
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    BertModel(BertConfig(vocab_size=len(words), **size)).save_pretrained(folder)
    return folder


def test_the_pieces_of_a_language_model_are_put_together(
    language_model: Path, prepared: Prepared, tmp_path: Path
) -> None:
    path = f"input_features.text.encoder.pretrained_model_name_or_path={language_model}"
    request = training.Request("pieces", tmp_path, overrides=(path,), epochs=1, resamples=20)
    found = explain(training.train(definitions.find("text_pretrained"), prepared, request), "red9p1")
    (words,) = found.inputs
    assert words.word_weights is not None
    assert (words.method, words.read) == (GRADIENTS, len(words.words))
    assert words.words == tuple(prepared.frame.set_index("id")["text"]["red9p1"].split())
    assert words.delta == pytest.approx(0, abs=1e-3)
    assert words.word_weights.sum() == pytest.approx(words.weight, abs=1e-5)
    assert words.word_weights.all()


def test_several_labels_have_bars_with_thresholds(tiny_subject_runs: Path) -> None:
    found = explain(runs.find("words", tiny_subject_runs), "leaflet50p1")
    assert found.target == max(found.asked.probabilities, key=lambda name: found.asked.probabilities[name])
    bars = sheet(found).bars
    assert {bar.name for bar in bars if bar.predicted} == set(found.asked.predicted)
    assert all(bar.predicted == (bar.value >= bar.threshold) for bar in bars if bar.threshold is not None)
    assert found.log_odds == pytest.approx(log_odds(found.asked.probabilities[found.target]), abs=1e-3)
    (words,) = found.inputs
    assert words.delta == pytest.approx(0, abs=0.01)


def test_a_stack_weighs_its_runs_then_each_of_them(tiny_runs: Path, tmp_path: Path) -> None:
    for name in ("text", "image"):
        shutil.copytree(tiny_runs / name, tmp_path / name)
    request = training.Request("both", tmp_path, epochs=1, resamples=20)
    run = stacking.stack([runs.find(name, tmp_path) for name in ("text", "image")], request)
    found = explain(run, "green9p2")
    known = run.predictions().set_index("id").loc["green9p2"]
    assert found.asked.probabilities[known["predicted"]] == pytest.approx(known["confidence"], abs=1e-5)
    assert [base.asked.run.name for base in found.bases] == ["text", "image"]
    assert len(found.weights) == 2
    assert {base.target for base in found.bases} == {found.target}
    told = json.loads(json.dumps(to_json(found)))
    assert [base["method"] for base in told["bases"]] == ["occlusion", "occlusion"]
    assert told["bases"][0]["inputs"][0]["words"]
    assert [name for name, _ in sheet(found).parts] == ["text", "image"]


def test_gradients_that_a_model_has_not_are_refused_on_demand_and_replaced_else(
    text: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leaflet_tool.models.gradients.aligned", lambda *_: None)
    (words,) = explain(text, "red9p1").inputs
    assert words.method == OCCLUSION
    with pytest.raises(UsageError, match="can't follow text into"):
        explain(text, "red9p1", method="gradients")


def test_the_command_says_what_weighed_and_draws_it(text: Run, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "why.png"
    asked = ["explain", text.name, "red9p1", "--runs", text.folder.parent, "--out", out]
    found = invoke(*asked)
    assert found.exit_code == 0, found.output
    assert "integrated gradients from no text (convergence delta" in found.stdout
    assert f"the figure is {out}" in found.stdout
    with Image.open(out) as image:
        assert min(image.size) > 500
    told = json.loads(invoke("--json", *asked, "--class", "Blue").stdout)
    assert (told["class"], told["figure"], told["seen"]) == ("Blue", str(out), "test")
    assert sum(told["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert told["inputs"][0]["words"][0].keys() == {"word", "weight", "times"}


def test_an_unknown_page_is_named_with_those_that_are_close(text: Run, tiny_prepared: Path, tmp_path: Path) -> None:
    found = invoke("explain", text.name, "red9p7", "--runs", text.folder.parent, "--out", tmp_path / "why.png")
    assert found.exit_code == 3
    assert "red9p1" in found.stderr.partition("hint:")[2]
    moved = replace(text, facts={**text.facts, "data": {**text.facts["data"], "folder": str(tmp_path / "gone")}})
    with pytest.raises(InputError, match="is no prepared folder"):
        explain(moved, "red9p1")
    assert explain(moved, "red9p1", data=tiny_prepared).page == "red9p1"
