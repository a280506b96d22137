"""Variants of a prepared folder: other rows to train on, and all else as in the base."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image, ImageChops

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import Prepared, own, read_prepared, read_table
from leaflet_tool.prepare import altered_copies, variants
from leaflet_tool.prepare.augment import Task
from leaflet_tool.prepare.dataset import build as definition
from leaflet_tool.prepare.images import Copy
from leaflet_tool.prepare.recipe import prepare
from leaflet_tool.prepare.variants import Variant, build, derived
from leaflet_tool.storage import locked

TAXONOMY = {"STEM": None, "Nature": "STEM", "Plants": "Nature", "Past": None}
LABELS = ["Plants", "Nature", "Past", "Past", "Past", "STEM", "Past;Plants", ""]
TEXTS = {
    "source": {"type": "table"},
    "columns": {"text": "text", "labels": "topics"},
    "label_delimiter": ";",
    "taxonomy": TAXONOMY,
    "unlabelled": "keep",
}
Draw = Callable[..., Path]


def table(folder: Path, rows: int = 80) -> Path:
    """Texts of three words with topics."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"number {n} text,{LABELS[n % len(LABELS)]}" for n in range(rows)]
    (folder / "rows.csv").write_text("\n".join(["text,topics", *lines]) + "\n")
    return folder / "rows.csv"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """A prepared folder of texts with closed labels."""
    folder = tmp_path_factory.mktemp("texts")
    prepare(table(folder), folder / "base", definition(TEXTS, "test"))
    return read_prepared(folder / "base")


@pytest.fixture
def pictures(tmp_path: Path, draw: Draw) -> Prepared:
    """A prepared folder of eight pages in two classes, with an altered copy of each training page."""
    for number in range(8):
        draw(tmp_path / "in" / "ab"[number % 2] / f"{number}.png", f"page {number}", size=(200, 100))
    how = {"source": {"type": "folders"}, "ocr": {"engine": "none"}, "augment": {"copies": 1}}
    how |= {"duplicates": {"near": False}}
    prepare(tmp_path / "in", tmp_path / "base", definition(how, "test"))
    return read_prepared(tmp_path / "base")


def of(content: dict[str, Any]) -> Variant:
    return build(content, "test")


def files(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file with its time and bytes, those behind links too."""
    walked = folder.walk(follow_symlinks=True)
    found = [parent / name for parent, _, names in walked for name in names if name != ".lock"]
    return {path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.read_bytes()) for path in found}


def same_but_training(variant: Prepared, base: Prepared, columns: list[str]) -> None:
    """All own rows of the variant are the base's, and none is missing that does not train."""
    mine, theirs = own(variant.frame).set_index("id"), own(base.frame).set_index("id")
    assert mine[columns].equals(theirs.loc[mine.index, columns])
    assert set(theirs.index) - set(mine.index) <= set(theirs.index[theirs["split"] == "train"])
    test = theirs["split"] == "test"
    label = base.label.name
    assert test.any()
    assert mine.loc[theirs.index[test], label].equals(theirs.loc[test, label])


def test_labels_of_rows_to_learn_from_are_flat_and_those_of_the_test_stay(base: Prepared, tmp_path: Path) -> None:
    flat = derived(base, tmp_path / "flat", of({"labels": "flat"}))
    same_but_training(flat, base, ["text", "group", "split", "row"])
    merged = flat.frame.merge(base.frame, on="id", suffixes=("", "_base"))
    follows = merged["split"] != "test"
    expected = {"Plants|Nature|STEM": "Plants", "Nature|STEM": "Nature", "Past|Plants|Nature|STEM": "Past|Plants"}
    wanted = merged["topics_base"].replace(expected)
    assert merged["topics"].equals(wanted.where(follows, merged["topics_base"]))
    assert {"train", "validation"} <= set(merged.loc[merged["topics"] != merged["topics_base"], "split"])
    again = derived(flat_base := read_prepared(base.folder), tmp_path / "closed", of({"labels": "closed"}))
    assert again.frame.equals(flat_base.frame)


def test_prepare_json_says_what_it_was_derived_from_and_how(base: Prepared, tmp_path: Path) -> None:
    settings = of({"labels": "flat", "undersample": 0.5})
    facts = derived(base, tmp_path / "out", settings).facts
    assert facts["derived_from"] == {"digest": base.digest, "folder": str(base.folder.resolve())}
    assert facts["variant"] == settings.model_dump(mode="json")
    assert (facts["dataset"], facts["settings"], facts["label"]) == tuple(
        base.facts[name] for name in ("dataset", "settings", "label")
    )
    assert facts["taxonomy"] == {"STEM": [], "Nature": ["STEM"], "Plants": ["Nature"], "Past": []}
    assert read_prepared(tmp_path / "out").taxonomy.ancestors("Plants") == {"Nature", "STEM"}
    assert facts["found"] == facts["kept"] + sum(facts["skipped"].values()) == base.facts["found"]


def test_rows_are_taken_out_and_the_recipe_takes_the_same(base: Prepared, tmp_path: Path) -> None:
    half = derived(base, tmp_path / "half", of({"undersample": 0.5}))
    same_but_training(half, base, ["text", "group", "split", "row", "topics"])
    assert (half.frame["split"] == "train").sum() == base.facts["splits"]["train"] // 2
    skipped = read_table(tmp_path / "half" / "skipped.csv")
    gone = base.frame[~base.frame["id"].isin(half.frame["id"])]
    assert skipped["row"].tolist() == gone["row"].tolist()
    assert set(skipped["reason"]) == {"under-sampled"}
    assert half.facts["resampled"]["taken"] == len(gone)
    recipe = definition(TEXTS | {"resample": {"undersample": 0.5}}, "test")
    prepare(base.folder.parent / "rows.csv", tmp_path / "recipe", recipe)
    assert read_prepared(tmp_path / "recipe").frame.equals(half.frame)


def test_rows_are_added_and_the_recipe_adds_the_same(base: Prepared, tmp_path: Path) -> None:
    more = derived(base, tmp_path / "more", of({"oversample": 0.5, "augment": {"words": 0.3}}))
    assert own(more.frame)[base.frame.columns].equals(base.frame)
    copies = more.frame[more.frame["augmented_from"] != ""].set_index("augmented_from")
    assert len(copies) == round(base.facts["splits"]["train"] / 2) == more.facts["augmented"]
    parents = base.frame.set_index("id").loc[copies.index]
    assert copies["topics"].equals(parents["topics"])
    for text, whole in zip(copies["text"], parents["text"], strict=True):
        assert 0 < len(text.split()) < len(whole.split())
        assert set(text.split()) < set(whole.split())
    assert set(copies["topics"]) != {"Past"}
    changes = {"resample": {"oversample": 0.5}, "augment": {"words": 0.3}}
    prepare(base.folder.parent / "rows.csv", tmp_path / "recipe", definition(TEXTS | changes, "test"))
    assert read_prepared(tmp_path / "recipe").frame.equals(more.frame)


def test_texts_that_nothing_alters_cannot_be_added(base: Prepared, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no training page has an image") as caught:
        derived(base, tmp_path / "out", of({"oversample": 0.5}))
    assert "augment: {words: 0.1}" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_pictures_are_linked_and_new_copies_lie_beside_them(pictures: Prepared, tmp_path: Path) -> None:
    before = files(pictures.folder)
    twice = derived(pictures, tmp_path / "deep" / "twice", of({"augment": {"copies": 2}}))
    copies = twice.frame[twice.frame["augmented_from"] != ""]
    trains = pictures.facts["splits"]["train"]
    assert len(copies) == 2 * trains
    assert (tmp_path / "deep" / "twice" / "images").is_symlink()
    assert not (tmp_path / "deep" / "twice" / "images").readlink().is_absolute()
    assert {Path(image).parent.name for image in copies["image"]} == {"altered"}
    pages = pictures.frame.set_index("id")["image"]
    for image, parent in zip(copies["image"], copies["augmented_from"], strict=True):
        with Image.open(twice.folder / image) as copy, Image.open(twice.folder / pages[parent]) as page:
            assert copy.size != page.size or ImageChops.difference(copy, page).getbbox()
    assert all((twice.folder / image).is_file() for image in twice.frame["image"])
    assert files(pictures.folder) == before


def test_copies_of_the_base_stay_with_their_pages(pictures: Prepared, tmp_path: Path) -> None:
    half = derived(pictures, tmp_path / "half", of({"undersample": 0.5}))
    trained = half.frame[half.frame["split"] == "train"]
    assert len(own(trained)) == round(pictures.facts["splits"]["train"] / 2)
    assert set(trained["augmented_from"]) - {""} == set(own(trained)["id"])
    assert half.facts["augmented"] == len(own(trained))
    assert not (tmp_path / "half" / "altered").exists()
    more = derived(pictures, tmp_path / "more", of({"oversample": 0.5}))
    assert more.facts["augmented"] == pictures.facts["augmented"] + round(pictures.facts["splits"]["train"] / 2)
    assert more.frame["id"].is_unique


def test_the_same_is_not_derived_again_and_anything_else_is(
    base: Prepared, pictures: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    derived(base, out, of({"undersample": 0.5}))
    first = files(out)
    with monkeypatch.context() as patch:
        patch.setattr(variants.recipe, "taught", lambda *_: pytest.fail("derived again"))
        derived(base, out, of({"undersample": 0.5}))
    assert files(out) == first
    other = derived(base, out, of({"undersample": 0.6}))
    assert len(other.frame) > len(read_table(out / "skipped.csv"))
    assert derived(pictures, out, of({})).label == pictures.label
    (out / "manifest.csv").unlink()
    assert derived(pictures, out, of({})).frame.equals(pictures.frame)


def test_a_failed_or_killed_one_leaves_nothing_or_the_old_one(
    pictures: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    derived(pictures, out, of({}))
    before = files(out)
    (tmp_path / ".out.anew").mkdir()
    (tmp_path / ".out.anew" / "left.csv").touch()
    (tmp_path / ".out.anew" / "images").symlink_to(pictures.folder / "images")
    with monkeypatch.context() as patch:
        patch.setattr(variants, "write_json", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            derived(pictures, out, of({"augment": {"copies": 1}}))
    assert files(out) == before
    assert not (tmp_path / ".out.anew").exists()
    with locked(tmp_path / ".out.anew"), pytest.raises(InputError, match="in use by another"):
        derived(pictures, out, of({"augment": {"copies": 1}}))
    derived(pictures, out, of({"augment": {"copies": 1}}))
    assert not (out / "left.csv").exists()
    assert (pictures.folder / "images").is_dir()
    assert len(list((pictures.folder / "images").iterdir())) == len(pictures.frame)


def test_what_is_no_place_and_no_base_for_a_variant(base: Prepared, pictures: Prepared, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    for folder in (tmp_path / "mine", tmp_path / "mine" / "letter.txt", pictures.folder):
        with pytest.raises(InputError, match="holds other things"):
            derived(base, folder, of({}))
    variant = derived(base, tmp_path / "one", of({}))
    with pytest.raises(InputError, match="is a variant itself"):
        derived(variant, tmp_path / "two", of({}))
    with pytest.raises(InputError, match=r"labels: flat follows a taxonomy, and .* has none"):
        derived(pictures, tmp_path / "two", of({"labels": "flat"}))
    assert not (tmp_path / "two").exists()


def test_a_variant_is_no_folder_to_prepare_in(pictures: Prepared, tmp_path: Path) -> None:
    derived(pictures, tmp_path / "out", of({}))
    before = files(pictures.folder)
    how = definition({"source": {"type": "folders"}, "ocr": {"engine": "none"}}, "test")
    for force in (False, True):
        with pytest.raises(InputError, match="was derived from"):
            prepare(tmp_path / "in", tmp_path / "out", how, force=force)
    assert files(pictures.folder) == before


def test_folds_are_left_behind(tmp_path: Path) -> None:
    prepare(table(tmp_path), tmp_path / "base", definition(TEXTS | {"split": {"folds": 3}}, "test"))
    base = read_prepared(tmp_path / "base")
    assert "fold" in base.frame
    assert "fold" not in derived(base, tmp_path / "out", of({})).frame


def test_a_moved_pair_of_folders_still_fits(pictures: Prepared, tmp_path: Path) -> None:
    derived(pictures, tmp_path / "studies" / "out", of({}))
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for name in ("base", "studies"):
        shutil.move(tmp_path / name, moved / name)
    variant = read_prepared(moved / "studies" / "out")
    assert all((variant.folder / image).is_file() for image in variant.frame["image"])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"label": "flat"}, "unknown key label, did you mean 'labels'?"),
        ({"labels": "open"}, "labels: Input should be 'given', 'flat' or 'closed'"),
        ({"undersample": 0}, "undersample: "),
        ({"augment": {"copy": 1}}, "unknown key augment.copy, did you mean 'copies'?"),
        ({"augment": {"copies": -1}}, "augment.copies: "),
        ([], "the whole"),
    ],
)
def test_wrong_settings_are_listed(content: Any, words: str) -> None:
    with pytest.raises(InputError, match="is no valid variant") as caught:
        build(content, "test")
    assert words in caught.value.message


def test_posters_and_topics_of_real_archives(shared_data: Path, tmp_path: Path) -> None:
    from leaflet_tool.prepare.dataset import load

    prepare(shared_data / "topics", tmp_path / "base", load("topics"))
    base = read_prepared(tmp_path / "base")
    kept = derived(base, tmp_path / "kept", of({"undersample": 0.8}))
    assert (base.frame["split"] == "train").sum() == 4141
    assert (kept.frame["split"] == "train").sum() == round(0.8 * 4141)
    assert kept.classes == base.classes
    counts = kept.facts["resampled"]["classes"]
    assert all(counts[label]["after"] == counts[label]["before"] for label in ("Food", "Fossils", "Space", "Sports"))
    assert counts["STEM"]["after"] < 0.85 * counts["STEM"]["before"]
    assert pd.Series(counts["Belief"]).tolist() == [2, 2]


@pytest.mark.usefixtures("in_one_process")
def test_what_a_worker_had_begun_goes_and_what_is_being_written_in_the_base_stays(
    pictures: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(task: Task) -> Copy:
        task.target.parent.mkdir(exist_ok=True)
        task.target.with_name(f".{task.target.name}.part").write_bytes(b"half")
        return Copy(reason="took more than 60 seconds")

    monkeypatch.setattr(altered_copies, "altered_copy", ended)
    theirs = pictures.folder / "images" / ".theirs.part"
    theirs.write_bytes(b"half")
    variant = derived(pictures, tmp_path / "out", of({"augment": {"copies": 1}}))
    assert list((variant.folder / "altered").iterdir()) == []
    assert theirs.is_file()


@pytest.mark.usefixtures("in_one_process")
def test_regions_are_the_bases_but_for_those_of_its_own_copies(tmp_path: Path, draw: Draw) -> None:
    for number in range(8):
        draw(tmp_path / "in" / "ab"[number % 2] / f"{number}.png", f"page {number}", size=(200, 100))
    how = {"source": {"type": "folders"}, "ocr": {"engine": "none"}, "duplicates": {"near": False}}
    how |= {"augment": {"copies": 1}, "regions": ["top", "right"], "region_side": 32}
    prepare(tmp_path / "in", tmp_path / "base", definition(how, "test"))
    base, before = read_prepared(tmp_path / "base"), files(tmp_path / "base")
    twice = derived(base, tmp_path / "twice", of({"augment": {"copies": 2}}))
    same_but_training(twice, base, ["image", "image_top", "image_right"])
    copies = twice.frame[twice.frame["augmented_from"] != ""]
    assert len(copies) == 2 * base.facts["splits"]["train"]
    for row in copies.to_dict("records"):
        for name in ("top", "right"):
            assert row[f"image_{name}"] == row["image"].replace(".jpg", f".{name}.jpg")
            with Image.open(tmp_path / "twice" / row[f"image_{name}"]) as picture:
                assert picture.size == (32, 32)
    assert files(tmp_path / "base") == before
    kept = derived(base, tmp_path / "kept", of({"labels": "given"}))
    assert kept.frame.equals(base.frame)
    assert all((tmp_path / "kept" / cell).is_file() for cell in kept.frame["image_top"])
