"""Boosted trees along a hierarchy: from which rows a label is learned, and how its probability follows from others'."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leaflet_tool.errors import InputError
from leaflet_tool.measure.evaluation import evaluate
from leaflet_tool.measure.label_trees import label_tree_predictions, label_trees
from leaflet_tool.taxonomy import Taxonomy

TREE = Taxonomy({"animal": [], "bird": ["animal"], "fish": ["animal"], "place": []})
CLASSES = ["animal", "bird", "fish", "place"]
WORDS = {"bird": "wing", "fish": "fin", "place": "town"}


def texts(*names: str) -> pd.Series:
    """A text of each name's word and of one that says nothing."""
    return pd.Series([f"the {WORDS.get(name, 'thing')}" for name in names])


def truth(*names: str) -> np.ndarray:
    """`[rows, classes]`, with all that lies above each name."""
    return np.array([[name in TREE.closed([row]) for name in CLASSES] for row in names])


def test_words_tell_labels_and_what_lies_above_them():
    train = ["bird"] * 8 + ["fish"] * 8 + ["place"] * 8
    found = label_trees(texts(*train), truth(*train), texts("bird", "fish", "place"), CLASSES, TREE, seed=1)
    assert list(found.columns) == CLASSES
    assert (found >= 0.5).to_numpy().tolist() == truth("bird", "fish", "place").tolist()


def test_a_label_is_told_from_its_siblings_alone():
    """All animals here are birds: within its parent the label is certain, so it is as probable as that."""
    train = ["bird"] * 6 + ["place"] * 6
    classes, known = ["animal", "bird", "place"], truth(*train)[:, [0, 1, 3]]
    along = label_trees(texts(*train), known, texts("bird", "place"), classes, TREE, seed=1)
    assert along["bird"].tolist() == along["animal"].tolist()
    below = np.array([[True, row < 4, False] for row in range(12)])
    some = label_trees(pd.Series(["the thing"] * 12), below, texts("bird"), classes, TREE, seed=1)
    assert some["bird"].tolist() == pytest.approx([1.0 * 4 / 12], abs=0.02)


def test_a_label_with_too_few_rows_takes_its_share_within_its_parent():
    train = ["bird"] * 2 + ["fish"] * 6 + ["place"] * 8
    found = label_trees(texts(*train), truth(*train), texts("bird", "place"), CLASSES, TREE, seed=1)
    assert found["bird"].tolist() == pytest.approx((found["animal"] * 2 / 8).tolist())
    alone = label_trees(texts(*train), truth(*train), texts("bird", "place"), CLASSES, seed=1)
    assert alone["bird"].tolist() == pytest.approx([2 / 16] * 2)


def test_a_label_that_training_never_saw_has_no_probability():
    train = ["bird"] * 4 + ["place"] * 4
    known = np.column_stack([truth(*train), np.zeros(8, dtype=bool)])
    taxonomy = Taxonomy({**TREE.parents, "ghost": ["place"]})
    found = label_trees(texts(*train), known, texts("place"), [*CLASSES, "ghost"], taxonomy, seed=1)
    assert found["ghost"].tolist() == [0.0] and found["fish"].tolist() == [0.0]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10_000))
def test_no_label_is_more_probable_than_one_above_it(seed):
    """In graphs, where a label has several parents, as in trees."""
    chance = np.random.default_rng(seed)
    classes = [f"c{number}" for number in range(7)]
    above = {
        name: [classes[parent] for parent in range(place) if chance.random() < 0.35]
        for place, name in enumerate(classes)
    }
    graph = Taxonomy(above)
    drawn = chance.random((60, 7)) < 0.25
    closed = drawn @ graph.mask(classes).T > 0
    said = pd.Series([" ".join(chance.choice(list("abcdefgh"), 3)) + f" word{row % 9}" for row in range(60)])
    found = label_trees(said[:40], closed[:40], said[40:], classes, graph, seed=seed)
    assert ((found >= 0) & (found <= 1)).all(axis=None)
    for name in classes:
        for ancestor in graph.ancestors(name):
            assert (found[name] <= found[ancestor] + 1e-9).all()


def test_embeddings_tell_labels_where_texts_do_not():
    chance = np.random.default_rng(3)
    known = np.arange(40) % 2 == 0
    table = np.column_stack([chance.normal(size=40), known + chance.normal(0, 0.1, 40)])
    silent = pd.Series(["£"] * 40)
    given_both = (table[:30], table[30:])
    found = label_trees(silent[:30], known[:30, None], silent[30:], ["even"], embeddings=given_both, seed=1)
    assert ((found["even"] >= 0.5).to_numpy() == known[30:]).all()
    alone = label_trees(None, known[:30, None], None, ["even"], embeddings=given_both, seed=1)
    pd.testing.assert_frame_equal(alone, found)
    blind = label_trees(silent[:30], known[:30, None], silent[30:], ["even"], seed=1)
    assert blind["even"].tolist() == [0.5] * 10


def manifest(names: list[str], split: str) -> pd.DataFrame:
    pages = [f"{split}{number}" for number in range(len(names))]
    labels = ["|".join(sorted(TREE.closed([name] if name else []))) for name in names]
    return pd.DataFrame({"id": pages, "group": pages, "split": split, "text": texts(*names), "topics": labels})


def test_the_frame_is_one_that_evaluate_takes_with_thresholds_of_validation_rows():
    kinds = ["bird", "fish", "place", ""]
    train, validation, test = (manifest(kinds * n, s) for n, s in ((6, "train"), (3, "validation"), (2, "test")))
    how = {"text": "text", "label": "topics", "taxonomy": TREE, "seed": 1}
    frame = label_tree_predictions(train, validation, test, **how)
    assert frame["id"].tolist() == test["id"].tolist()
    assert evaluate(frame, seed=1, resamples=10)["page"]["figures"]["macro_ap"]["value"] == 1.0
    pd.testing.assert_frame_equal(frame, label_tree_predictions(train, validation, test, **how))
    never = validation.assign(topics="")
    other = label_tree_predictions(train, never.iloc[:0], test, **how)
    assert other["predicted"].tolist() == other["predicted_at_half"].tolist()
    with pytest.raises(InputError, match="no training row"):
        label_tree_predictions(train.iloc[:0], validation, test, **how)


def test_rows_that_lack_what_their_labels_imply_are_learned_label_by_label():
    kinds = ["bird", "fish", "place", ""]
    train, validation, test = (
        manifest(kinds * 6, split).assign(topics=kinds * 6) for split in ("train", "validation", "test")
    )
    how = {"text": "text", "label": "topics", "seed": 1}
    frame = label_tree_predictions(train, validation, test, taxonomy=TREE, **how)
    pd.testing.assert_frame_equal(frame, label_tree_predictions(train, validation, test, **how))
    assert frame["predicted"].tolist() == kinds * 6


def test_what_thresholds_decide_is_coherent():
    """In validation a fin is a fish and no animal, so that what is animal enough for a fish is not for an animal."""
    train = manifest(["bird"] * 8 + ["fish"] * 8 + ["place"] * 8, "train")
    train.loc[16:18, "text"] = "the fin"
    validation = manifest(["bird"] * 12 + ["fish"] * 12, "validation")
    validation.loc[12:, "topics"] = "fish"
    test = manifest(["fish"], "test")
    frame = label_tree_predictions(train, validation, test, text="text", label="topics", taxonomy=TREE, seed=1)
    assert frame["predicted"].tolist() == ["animal|fish"]


def test_embeddings_of_all_three_parts_are_read_in_their_order():
    chance, parts = np.random.default_rng(5), {"train": 40, "validation": 10, "test": 20}
    known = {split: chance.random(count) < 0.5 for split, count in parts.items()}
    frames = [manifest(["place" if yes else "" for yes in known[split]], split).assign(text="thing") for split in parts]
    vectors = tuple(known[split][:, None] * 2.0 - 1 for split in parts)
    found = label_tree_predictions(*frames, text="text", label="topics", embeddings=vectors, seed=1)
    assert (found["predicted"] == "place").tolist() == known["test"].tolist()
    without = label_tree_predictions(*frames, text=None, label="topics", embeddings=vectors, seed=1)
    pd.testing.assert_frame_equal(without, found)
