"""The hierarchy of labels."""

import numpy as np
import pytest

from leaflet_tool.errors import InputError
from leaflet_tool.taxonomy import Taxonomy

TREE = Taxonomy({"STEM": (), "Nature": ("STEM",), "Animals": ("Nature",), "Art": ()})
GRAPH = Taxonomy({"a": (), "b": (), "c": ("a", "b"), "d": ("c",)})


def test_ancestors_are_all_labels_above() -> None:
    assert TREE.ancestors("Animals") == {"Nature", "STEM"}
    assert GRAPH.ancestors("d") == {"a", "b", "c"}
    assert not TREE.ancestors("STEM")
    assert not TREE.ancestors("unknown")


def test_closing_adds_ancestors_and_keeps_order() -> None:
    assert TREE.closed(("Art", "Animals")) == ("Art", "Animals", "Nature", "STEM")
    assert TREE.closed(("STEM", "Animals")) == ("STEM", "Animals", "Nature")


def test_the_most_specific_labels_imply_the_others() -> None:
    assert TREE.most_specific(("STEM", "Nature", "Animals", "Art")) == ("Animals", "Art")
    assert TREE.closed(TREE.most_specific(("STEM", "Nature", "Animals"))) == ("Animals", "Nature", "STEM")


def test_missing_ancestors() -> None:
    assert TREE.missing_ancestors(("Animals", "STEM")) == ("Nature",)
    assert TREE.missing_ancestors(TREE.closed(("Animals",))) == ()


def test_the_mask_goes_by_name_whatever_the_order() -> None:
    labels = ["Animals", "Art", "STEM", "Nature"]
    mask = TREE.mask(labels)
    assert np.array_equal(mask[2], [True, False, True, True])
    assert np.array_equal(mask[0], [True, False, False, False])
    turned = TREE.mask(labels[::-1])
    assert np.array_equal(turned, mask[::-1, ::-1])


@pytest.mark.parametrize(
    ("parents", "words"),
    [
        ({"a": ("b",)}, "'a': its parent 'b' is not in the taxonomy"),
        ({"a": ("a",)}, "a cycle: a -> a"),
        ({"x": (), "a": ("x", "b"), "b": ("c",), "c": ("a",)}, "a cycle: a -> b -> c -> a"),
    ],
)
def test_what_is_no_hierarchy_is_refused(parents: dict[str, tuple[str, ...]], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Taxonomy(parents)


def test_a_deep_diamond_is_no_cycle() -> None:
    assert Taxonomy({"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")}).ancestors("d") == {"a", "b", "c"}
