"""What training rows say of the labels, and how it reaches a definition."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import Label, Prepared, read_prepared
from leaflet_tool.models import definitions, engine, label_counts, rows, training
from leaflet_tool.models.runs import CONFIG, ROWS
from leaflet_tool.storage import read_json
from leaflet_tool.taxonomy import Taxonomy

TOPICS = Label("topics", multiple=True)
CELLS = pd.Series(["tax", "tax|health care", "", "tax", "health care|roads"])
WEIGHTED = 'output_features.${label}.loss={"type": "sigmoid_cross_entropy", "class_weights": "${positive_weights}"}'


def test_weights_are_those_of_the_formulas() -> None:
    found = label_counts.facts(CELLS, TOPICS, ["health care", "roads", "tax"], Taxonomy({}))
    positive = {"<UNK>": 1.0, "health\u00a0care": 3 / 2, "roads": 4.0, "tax": 2 / 3}
    assert found["positive_weights"] == pytest.approx(positive)
    assert found["root_positive_weights"] == pytest.approx({name: weight**0.5 for name, weight in positive.items()})
    balanced = {"<UNK>": 1.0, "health\u00a0care": 5 / (3 * 2), "roads": 5 / (3 * 1), "tax": 5 / (3 * 3)}
    assert found["class_weights"] == pytest.approx(balanced)
    assert found["taxonomy"] == {}
    assert found.keys() == set(label_counts.FACTS)


def test_a_label_without_a_training_row_weighs_one() -> None:
    found = label_counts.facts(CELLS, TOPICS, ["health care", "roads", "space", "tax"], Taxonomy({}))
    assert found["positive_weights"]["space"] == found["class_weights"]["space"] == 1.0
    assert found["class_weights"]["tax"] == pytest.approx(5 / (4 * 3))


def test_one_label_a_row_has_weights_by_its_classes() -> None:
    found = label_counts.facts(pd.Series(["the left", "b", "b"]), Label("party"), ["b", "the left"], Taxonomy({}))
    assert found["class_weights"] == pytest.approx({"b": 3 / 4, "the left": 3 / 2})


def test_the_hierarchy_skips_labels_that_no_row_has() -> None:
    taxonomy = Taxonomy({"a": [], "b b": ["a"], "c": ["b b"], "d": ["c", "a"], "x": []})
    assert label_counts.hierarchy(taxonomy, ["a", "d", "outside"]) == {"<UNK>": [], "a": [], "d": ["a"], "outside": []}
    assert label_counts.hierarchy(taxonomy, ["a", "b b", "c", "d"]) == {
        **{"<UNK>": [], "a": [], "b\u00a0b": ["a"], "c": ["b\u00a0b"]},
        "d": ["c"],
    }


def loss(config: dict[str, Any]) -> dict[str, Any]:
    (feature,) = config["output_features"]
    found: dict[str, Any] = feature["loss"]
    return found


def test_an_override_replaces_the_loss_and_its_slots_are_filled(tiny_topics: Prepared) -> None:
    request = training.Request("any", overrides=(WEIGHTED,))
    found = loss(training.filled_for(definitions.find("topics_text"), tiny_topics, request))
    assert found["class_weights"]["Art\u00a0&\u00a0Music"] == (30 - 5) / 5
    assert found["class_weights"]["Nature"] == (30 - 15) / 15


def test_altered_copies_count_where_the_model_sees_them(tiny_topics: Prepared) -> None:
    frame = tiny_topics.frame
    copies = frame[(frame["topics"] == "History") & (frame["split"] == "train")]
    copies = copies.assign(augmented_from=copies["id"], id=copies["id"] + "+1", text="something else")
    more = replace(tiny_topics, frame=pd.concat([frame.assign(augmented_from=""), copies], ignore_index=True))
    seen = {
        name: loss(training.filled_for(definitions.find(name), more, training.Request("any", overrides=(WEIGHTED,))))
        for name in ("topics_image", "topics_multimodal")
    }
    for found in seen.values():
        assert found["class_weights"]["History"] == pytest.approx((35 - 15) / 15)


def test_a_slot_that_there_is_not_is_named_in_an_override() -> None:
    override = 'output_features.${label}.loss={"class_weights": "${positive_weight}"}'
    request = training.Request("any", overrides=(override,))
    with pytest.raises(InputError, match=r"loss\.class_weights: there is no slot") as caught:
        training.filled(definitions.find("topics_text"), TOPICS, request)
    assert "did you mean positive_weights?" in caught.value.hint


def test_each_fold_fills_the_slots_from_its_own_rows(tiny_prepared: Path, tmp_path: Path) -> None:
    prepared = read_prepared(tiny_prepared)
    frame = prepared.frame
    # 2 of the 20 red pages are left out, so that weights differ between classes, and by fold
    uneven = replace(prepared, frame=frame[frame["group"] != "red3"].reset_index(drop=True))
    weighted = 'output_features.${label}.loss={"type": "softmax_cross_entropy", "class_weights": "${class_weights}"}'
    request = training.Request("folded", tmp_path, overrides=(weighted,), folds=3, epochs=1, resamples=10)
    run = training.train(definitions.find("text_tfidf"), uneven, request)
    assert loss(definitions.read(run.folder / CONFIG).content)["class_weights"] == "${class_weights}"
    seen = set()
    for folder in run.models():
        rows_ = rows.in_words(rows.read(folder / ROWS), prepared.label)
        train = rows_.loc[rows_["split"] == "train", "party"].value_counts()
        expected = {name: train.sum() / (3 * n) for name, n in train.items()}
        found = loss(definitions.read(folder / CONFIG).content)["class_weights"]
        assert found == pytest.approx(expected)
        order = read_json(folder / "model" / "training_set_metadata.json")["party"]["idx2str"]
        assert loss(engine.complete(folder))["class_weights"] == pytest.approx([expected[name] for name in order])
        seen.add(tuple(found.values()))
    assert len(seen) > 1
