"""Models whose probabilities follow a hierarchy of labels, whatever they are given."""

import json
from pathlib import Path
from typing import Any

import ludwig.schema  # noqa: F401  its modules import each other, and begin here
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from ludwig.api import LudwigModel
from ludwig.modules.loss_modules import create_loss

from leaflet_tool.errors import InputError, TrainingError
from leaflet_tool.manifest import Label, Prepared
from leaflet_tool.models import checks, definitions, engine, rows, training
from leaflet_tool.models.completion import completed
from leaflet_tool.models.extensions.coherence import (
    CoherentClassifier,
    CoherentConfig,
    by_label,
    coherent,
    mask_of,
)
from leaflet_tool.taxonomy import Taxonomy

DEFINITION = "topics_text_coherent"


@pytest.fixture(scope="module")
def config(tiny_topics: Prepared) -> dict[str, Any]:
    """The definition, filled for `tiny_topics` and cut short."""
    request = training.Request("any", overrides=("trainer.learning_rate_scheduler={}",), epochs=6)
    return training.filled_for(definitions.find(DEFINITION), tiny_topics, request)


@pytest.fixture(scope="module")
def folder(config: dict[str, Any], tiny_topics: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained model and its rows."""
    folder = tmp_path_factory.mktemp("coherent")
    rows.write(rows.for_ludwig(tiny_topics.frame, folder, tiny_topics.label), folder / "ludwig.csv")
    engine.train(config, folder / "ludwig.csv", folder, seed=1)
    return folder


def probabilities(model: LudwigModel, folder: Path) -> pd.DataFrame:
    found = engine.probabilities(model, engine.predict(model, folder / "ludwig.csv"), "topics")
    return found.rename(columns=rows.class_of)


def violations(found: pd.DataFrame, taxonomy: Taxonomy) -> int:
    """How often a label is likelier than one above it."""
    pairs = [(low, high) for low in found if low in taxonomy for high in taxonomy.ancestors(low) if high in found]
    assert pairs
    return sum(int((found[low] > found[high]).sum()) for low, high in pairs)


def test_a_trained_and_reloaded_model_is_coherent(folder: Path, tiny_topics: Prepared) -> None:
    found = probabilities(engine.load(folder), folder)
    assert violations(found, tiny_topics.taxonomy) == 0
    assert set(found) == {*tiny_topics.classes, "<UNK>"}
    assert found["Fossils"].std() > 0.01


def test_without_its_mask_the_same_model_is_not(folder: Path, tiny_topics: Prepared) -> None:
    model = engine.load(folder)
    decoder = model.model.output_features.get("topics").decoder_obj
    decoder.mask = torch.eye(len(decoder.mask), dtype=torch.bool)
    assert violations(probabilities(model, folder), tiny_topics.taxonomy) > 0


def test_the_mask_goes_by_name(folder: Path, tiny_topics: Prepared) -> None:
    decoder = engine.load(folder).model.output_features.get("topics").decoder_obj
    vocabulary = json.loads((folder / "model" / "training_set_metadata.json").read_text())["topics"]["idx2str"]
    names = [rows.class_of(name) for name in vocabulary]
    assert names != sorted(names)
    assert np.array_equal(decoder.mask.numpy(), tiny_topics.taxonomy.mask(names))


def test_what_ludwig_evaluates_is_the_cross_entropy_of_what_it_predicts(folder: Path, tmp_path: Path) -> None:
    model = engine.load(folder)
    engine.evaluate(model, folder / "ludwig.csv", tmp_path)
    statistics = json.loads((tmp_path / "test_statistics.json").read_text())
    p = probabilities(model, folder).to_numpy()
    names = probabilities(model, folder).columns
    cells = rows.in_words(rows.read(folder / "ludwig.csv"), Label("topics", multiple=True))["topics"]
    y = np.array([[name in cell.split("|") for name in names] for cell in cells])
    expected = -np.log(np.where(y, p, 1 - p)).mean()
    assert statistics["topics"]["loss"] == pytest.approx(expected, rel=1e-4)


def test_a_model_that_nobody_gave_its_hierarchy_is_no_flat_one(
    config: dict[str, Any], folder: Path, tmp_path: Path
) -> None:
    rows_, quiet = str(folder / "ludwig.csv"), {"skip_save_processed_input": True}
    with engine.quiet(), pytest.raises(RuntimeError, match="has no hierarchy"):
        LudwigModel(config).train(dataset=rows_, model_resume_path=str(tmp_path), **quiet)


def test_the_decoder_asks_for_its_loss(config: dict[str, Any], folder: Path, tmp_path: Path) -> None:
    flat = definitions.override(config, ['output_features.topics.loss={"type": "sigmoid_cross_entropy"}'])
    (problem,) = checks.definition_problems(completed(flat))
    assert problem == (
        "output_features.topics.loss.type: must be coherent_bce, because its decoder is coherent_classifier"
    )
    with pytest.raises(TrainingError, match="goes with the loss coherent_bce, not sigmoid_cross_entropy"):
        engine.train(flat, folder / "ludwig.csv", tmp_path, seed=1)
    half = definitions.override(config, ["output_features.topics.decoder.type=classifier"])
    (problem,) = checks.definition_problems(completed(half))
    assert "decoder.type: must be coherent_classifier" in problem


def test_data_without_a_hierarchy_are_told_what_they_lack(tiny_topics: Prepared) -> None:
    flat = Prepared(tiny_topics.folder, tiny_topics.frame, tiny_topics.label, "", {"dataset": {}})
    with pytest.raises(InputError, match="add taxonomy: to the dataset definition") as caught:
        training.checked(definitions.find(DEFINITION), flat, training.Request("any"))
    assert caught.value.exit_code == 3


@st.composite
def hierarchies(draw: st.DrawFn) -> dict[str, list[str]]:
    """Graphs without cycles: a label's parents are among those drawn before it, listed in any order."""
    names = draw(st.lists(st.text("abcdefg", min_size=1, max_size=3), min_size=1, max_size=7, unique=True))
    parents = {
        name: draw(st.lists(st.sampled_from(names[:place]), max_size=3, unique=True)) if place else []
        for place, name in enumerate(names)
    }
    return {name: parents[name] for name in draw(st.permutations(names))}


NUMBERS = st.floats(-30, 30, width=32)


@given(hierarchies(), st.data())
def test_every_prediction_of_every_hierarchy_is_coherent(parents: dict[str, list[str]], data: st.DataObject) -> None:
    names, taxonomy = list(parents), Taxonomy(parents)
    size = len(names)
    mask = mask_of([by_label(parents)[name] for name in names])
    assert np.array_equal(mask.numpy(), taxonomy.mask(names))
    decoder = CoherentClassifier(2, size).eval()
    decoder.mask.copy_(mask)
    inputs = torch.tensor(data.draw(st.lists(st.lists(NUMBERS, min_size=2, max_size=2), min_size=1, max_size=4)))
    found = pd.DataFrame(torch.sigmoid(decoder(inputs)).detach().numpy(), columns=names)
    raw = pd.DataFrame(torch.sigmoid(decoder.dense(inputs)).detach().numpy(), columns=names)
    for name in names:
        below = [low for low in names if low == name or name in taxonomy.ancestors(low)]
        assert np.allclose(found[name], raw[below].max(axis=1))
        assert all((found[name] >= found[low]).all() for low in below)
    assert torch.equal(decoder.train()(inputs), decoder.dense(inputs))


@given(hierarchies(), st.data())
def test_on_coherent_logits_the_loss_is_plain_cross_entropy(parents: dict[str, list[str]], data: st.DataObject) -> None:
    size = len(parents)
    loss = create_loss(CoherentConfig(taxonomy=[by_label(parents)[name] for name in parents]))
    row = st.lists(NUMBERS, min_size=size, max_size=size)
    logits = torch.tensor([data.draw(row), data.draw(row)])
    truth = torch.tensor(
        data.draw(st.lists(st.lists(st.booleans(), min_size=size, max_size=size), min_size=2, max_size=2))
    )
    closed = coherent(logits, loss.mask)
    plain = torch.nn.functional.binary_cross_entropy_with_logits(closed, truth.float())
    assert float(loss(closed, truth)) == pytest.approx(float(plain), rel=1e-6)
