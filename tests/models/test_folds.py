"""Folds: whole groups, balanced classes, one order."""

from pathlib import Path

import pandas as pd
import pytest

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import Label, read_prepared
from leaflet_tool.models import folds

PARTY = Label("party")


@pytest.fixture(scope="module")
def frame(tiny_prepared: Path) -> pd.DataFrame:
    return read_prepared(tiny_prepared).frame


def assign(frame: pd.DataFrame, number: int = 5, seed: int = 1) -> pd.Series:
    return folds.assign(frame, PARTY, folds=number, seed=seed)


def test_groups_stay_whole_and_classes_balanced(frame: pd.DataFrame) -> None:
    held_out = assign(frame)
    assert frame.assign(fold=held_out).groupby("group")["fold"].nunique().max() == 1
    counts = pd.crosstab(held_out, frame["party"])
    assert counts.index.tolist() == [0, 1, 2, 3, 4]
    assert (counts == 4).all(axis=None)


def test_folds_follow_the_page_and_not_its_place(frame: pd.DataFrame) -> None:
    shuffled = frame.sample(frac=1, random_state=3)
    by_id = pd.Series(assign(frame).to_numpy(), index=frame["id"])
    shuffled_by_id = pd.Series(assign(shuffled).to_numpy(), index=shuffled["id"])
    assert shuffled_by_id[by_id.index].equals(by_id)


def test_the_seed_decides(frame: pd.DataFrame) -> None:
    assert assign(frame, seed=1).equals(assign(frame, seed=1))
    assert not assign(frame, seed=1).equals(assign(frame, seed=2))


def test_the_manifests_own_folds_count(frame: pd.DataFrame) -> None:
    own = frame.assign(fold=[str(row % 3) for row in range(len(frame))])
    assert assign(own, 3).tolist() == [row % 3 for row in range(len(frame))]
    with pytest.raises(InputError, match=r"column fold has \[0, 1, 2\], not 0 to 3") as caught:
        assign(own, 4)
    assert "--folds" in caught.value.hint


def test_each_folds_model_has_its_own_three_splits(frame: pd.DataFrame) -> None:
    held_out = assign(frame)
    for fold in range(5):
        split = folds.split(frame, held_out, fold, PARTY, seed=1)
        assert set(split.loc[held_out == fold, "split"]) == {"test"}
        assert split.groupby("group")["split"].nunique().max() == 1
        rest = split[held_out != fold]
        assert set(rest["split"]) == {"train", "validation"}
        assert 0.1 < (rest["split"] == "validation").mean() < 0.2
        assert set(rest.loc[rest["split"] == "train", "party"]) == {"Blue", "Green", "Red"}


@pytest.mark.parametrize("number", [1, 31])
def test_folds_cannot_outnumber_groups(frame: pd.DataFrame, number: int) -> None:
    with pytest.raises(InputError, match=f"--folds {number}: must be between 2 and the number of groups, 30"):
        assign(frame, number)


def test_rare_classes_are_spread_without_a_warning(frame: pd.DataFrame, recwarn: pytest.WarningsRecorder) -> None:
    rare = frame.assign(party=[f"class {number // 2}" for number in range(len(frame))])
    held_out = assign(rare)
    assert sorted(set(held_out)) == [0, 1, 2, 3, 4]
    assert rare.assign(fold=held_out).groupby("group")["fold"].nunique().max() == 1
    assert not recwarn.list


def test_two_groups_leave_nothing_to_validate_on(frame: pd.DataFrame) -> None:
    two = frame[frame["group"].isin(["red0", "blue0"])]
    with pytest.raises(InputError, match="fold 0 leaves 1 group to train and validate on"):
        folds.split(two, assign(two, 2), 0, PARTY, seed=1)
