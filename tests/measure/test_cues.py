"""Spurious cues: what files tell of the label beyond chance, groups kept together."""

import numpy as np
import pandas as pd
import pytest

from leaflet_tool.measure.cues import cues


def pages(count: int = 240) -> pd.DataFrame:
    chance = np.random.default_rng(4)
    numbers = {name: chance.integers(100, 900, count).astype(str) for name in ("width", "height", "brightness")}
    labels = chance.choice(["a", "b", "c"], count, p=[0.5, 0.3, 0.2])
    return pd.DataFrame(
        {
            **numbers,
            "group": [f"g{number}" for number in range(count)],
            "page": "",
            "text": "some words",
            "source": [f"box{number % 7}/{number}.jpg" for number in range(count)],
            "party": labels,
        }
    )


def test_properties_that_are_chance_are_no_cues() -> None:
    assert cues(pages(), "party", multiple=False, by_folder=False, seed=1) == []


def test_a_property_that_tells_the_label_is_a_cue_with_its_interval() -> None:
    frame = pages()
    frame["brightness"] = frame["party"].map({"a": 90, "b": 150, "c": 210}).add(np.arange(240) % 30).astype(str)
    (found,) = cues(frame, "party", multiple=False, by_folder=False, seed=1)
    assert (found["property"], found["label"]) == ("brightness", "")
    assert found["accuracy"] > 0.95 > found["majority"]
    assert found["value"] == pytest.approx(found["accuracy"] - found["majority"])
    assert found["low"] < found["value"] < found["high"]


def test_folders_are_a_cue_unless_the_label_was_read_off_them() -> None:
    frame = pages()
    frame["source"] = frame["party"] + "/" + frame["source"].str.rpartition("/")[2]
    (found,) = cues(frame, "party", multiple=False, by_folder=False, seed=1)
    assert found["property"] == "source folder"
    assert cues(frame, "party", multiple=False, by_folder=True, seed=1) == []


def test_what_only_pages_of_one_leaflet_share_is_no_cue() -> None:
    """Twenty leaflets of 12 pages, each with a width of its own: page by page that tells everything."""
    frame, leaflet = pages(), np.arange(240) // 12
    frame["party"] = np.where(np.random.default_rng(0).random(20) < 0.5, "a", "b")[leaflet]
    frame["width"] = (100 + 37 * leaflet).astype(str)
    alone = cues(frame, "party", multiple=False, by_folder=False, seed=1)
    assert "width" in {cue["property"] for cue in alone}
    together = frame.assign(group=[f"g{number}" for number in leaflet])
    assert "width" not in {cue["property"] for cue in cues(together, "party", multiple=False, by_folder=False, seed=1)}


def test_of_several_labels_each_is_a_question() -> None:
    frame = pages()
    bright = np.arange(240) % 3 == 0
    frame["brightness"] = np.where(bright, 200, 80).astype(str)
    frame["party"] = np.where(bright, "a|b", "b")
    found = cues(frame, "party", multiple=True, by_folder=False, seed=1)
    assert {(cue["property"], cue["label"]) for cue in found} == {("brightness", "a")}


def test_few_leaflets_say_nothing() -> None:
    frame = pages(90).assign(group=[f"g{number % 9}" for number in range(90)])
    frame["party"] = np.where(np.arange(90) % 9 < 4, "a", "b")
    frame["brightness"] = frame["party"].map({"a": "90", "b": "210"})
    assert cues(frame, "party", multiple=False, by_folder=False, seed=1) == []
    more = frame.assign(group=[f"g{number % 18}" for number in range(90)])
    assert cues(more, "party", multiple=False, by_folder=False, seed=1)
