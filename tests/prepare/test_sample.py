"""The sample set: the same leaflets from the same seed, true labels and text, and all that the settings promise."""

import random
import shutil
from collections import Counter
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image, ImageOps

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import read_table
from leaflet_tool.prepare.sample import generate
from leaflet_tool.prepare.sample.archive import IN_PROCESS
from leaflet_tool.prepare.sample.defects import FRAME, photograph
from leaflet_tool.prepare.sample.layouts import LAYOUTS, print_page
from leaflet_tool.prepare.sample.pictures import SIGNS
from leaflet_tool.prepare.sample.settings import read_world
from leaflet_tool.prepare.sample.sheet import FONTS, Style, print_style, without_colour
from leaflet_tool.prepare.sample.words import Leaflet, Speaker, write_leaflet
from leaflet_tool.resources import shipped

FEW, MANY, SEED = 3, IN_PROCESS + 4, 7


def chance(seed: object) -> random.Random:
    return random.Random(str(seed))  # noqa: S311 - chance for pictures, not for secrets


def contents(folder: Path) -> dict[str, bytes]:
    """Every image of an archive."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.jpg"))}


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("few") / "sample", leaflets=FEW, seed=SEED)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough leaflets to be drawn by several processes."""
    return generate(tmp_path_factory.mktemp("many") / "sample", leaflets=MANY, seed=SEED)


@pytest.fixture(scope="module")
def leaflets() -> list[Leaflet]:
    """Words of many leaflets, undrawn."""
    return [write_leaflet(read_world(), chance(f"words/{number}")) for number in range(2000)]


def test_a_leaflet_is_the_same_however_many_are_drawn_and_by_however_many_processes(few: Path, many: Path) -> None:
    fewer, more = read_table(few / "leaflets.csv"), read_table(many / "leaflets.csv")
    pd.testing.assert_frame_equal(fewer, more.head(len(fewer)))
    assert contents(few).items() < contents(many).items()


def test_another_seed_draws_other_leaflets(few: Path, tmp_path: Path) -> None:
    other = generate(tmp_path / "other", leaflets=FEW, seed=SEED + 1)
    assert not set(read_table(few / "leaflets.csv")["true_text"]) & set(read_table(other / "leaflets.csv")["true_text"])
    assert not set(contents(few).values()) & set(contents(other).values())


def test_the_table_has_a_row_a_photograph(many: Path) -> None:
    table = read_table(many / "leaflets.csv")
    assert [*table.columns[:5]] == ["image", "leaflet_id", "page", "party", "true_text"]
    assert set(table["image"]) == set(contents(many))
    assert table["leaflet_id"].nunique() == MANY
    assert (table["image"] == "images/" + table["leaflet_id"] + "/" + table["page"] + ".jpg").all()
    assert set(table["party"]) <= {party.name for party in read_world().parties}
    assert (table.groupby("leaflet_id")["party"].nunique() == 1).all()
    assert set(table["shows_name"]) == set(table["shows_colour"]) == {"yes", "no"}


def test_photographs_stand_upright_once_their_exif_turn_is_taken(many: Path) -> None:
    sizes = set()
    for path in many.rglob("*.jpg"):
        with Image.open(path) as image:
            sizes.add(image.size)
            assert ImageOps.exif_transpose(image).size == FRAME
    assert sizes == {FRAME, FRAME[::-1]}, "the seed has to have a photograph stored on its side"


def test_shows_name_is_what_the_true_text_says(many: Path) -> None:
    shorts = {party.name: party.short for party in read_world().parties}
    for row in read_table(many / "leaflets.csv").itertuples():
        assert (shorts[row.party] in row.true_text) == (row.shows_name == "yes")


def test_the_dataset_definition_reads_the_generated_table(few: Path) -> None:
    definition = yaml.safe_load((shipped("datasets") / "sample.yaml").read_text())
    table = read_table(few / definition["source"]["file"])
    assert set(definition["columns"].values()) <= set(table.columns)


def test_a_whole_set_is_not_drawn_again_and_an_unfinished_one_is_finished(few: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(few, tmp_path / "copy")
    before = contents(folder)
    first = folder / next(iter(before))
    first.write_bytes(b"mine")
    assert generate(folder, leaflets=FEW, seed=SEED) == folder
    assert first.read_bytes() == b"mine"
    (folder / "leaflets.csv").unlink()
    generate(folder, leaflets=FEW, seed=SEED)
    assert contents(folder) == before
    assert (folder / "leaflets.csv").read_bytes() == (few / "leaflets.csv").read_bytes()


def test_a_folder_with_something_else_is_left_alone(few: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="is not empty"):
        generate(tmp_path, leaflets=FEW, seed=SEED)
    with pytest.raises(InputError, match="is a file"):
        generate(tmp_path / "notes.txt", leaflets=FEW, seed=SEED)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    with pytest.raises(InputError, match="another sample set"):
        generate(few, leaflets=FEW, seed=SEED + 1)


def test_no_leaflets_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="0 leaflets"):
        generate(tmp_path / "none", leaflets=0, seed=SEED)
    assert not (tmp_path / "none").exists()


def test_progress_hears_of_every_leaflet(tmp_path: Path) -> None:
    heard = []

    def progress(items, *, total, title):
        for item in items:
            yield item
            heard.append(total)

    generate(tmp_path / "sample", leaflets=2, seed=SEED, progress=progress)
    assert heard == [2, 2]


def test_settings_name_only_what_there_is() -> None:
    world = read_world()
    assert len(world.parties) == 6
    assert sum(party.share for party in world.parties) == pytest.approx(1)
    for party in world.parties:
        assert party.logo in SIGNS and party.layout in LAYOUTS and party.font in FONTS
        assert set(party.themes) <= set(world.words.themes) and set(party.people) <= set(world.words.people)
        assert party.name.find(party.short) >= 0


def test_shared_words_tell_no_party() -> None:
    world = read_world()
    shared = yaml.safe_dump(vars(world.words)).lower()
    assert not [party.short for party in world.parties if party.short.lower() in shared]


def test_every_sentence_can_be_filled() -> None:
    words = read_world().words
    sentences = [*words.headlines, *words.named_headlines, *words.calls, *words.named_calls, *words.rivals]
    sentences += [*words.openings, *words.closings, words.imprint, *chain(*words.themes.values())]
    speaker = Speaker(read_world(), read_world().parties[0], read_world().parties[1:], chance(1))
    assert not [sentence for sentence in sentences if set("{}") & set(speaker.fill(sentence))]


def test_parties_and_silence_are_as_frequent_as_declared(leaflets: list[Leaflet]) -> None:
    world, counts = read_world(), Counter(leaflet.party.name for leaflet in leaflets)
    for party in world.parties:
        assert counts[party.name] / len(leaflets) == pytest.approx(party.share, abs=0.03)
    silent = np.mean([not page.brand for leaflet in leaflets for page in leaflet.pages])
    declared = 1 - (1 - world.odds.unnamed_leaflet) * (1 - world.odds.unnamed_page)
    assert silent == pytest.approx(declared, abs=0.03)


def test_pages_without_a_name_have_no_word_of_their_party(leaflets: list[Leaflet]) -> None:
    for leaflet in leaflets:
        for page in (page for page in leaflet.pages if not page.brand):
            words = " ".join([page.headline, page.slogan, *page.paragraphs, *page.points, page.call, page.imprint])
            assert leaflet.party.short not in words
            assert not set(leaflet.party.slogans) & {page.slogan}


def test_black_print_has_no_colour() -> None:
    world, rng = read_world(), chance(3)
    leaflet = write_leaflet(world, rng)
    for layout in LAYOUTS:
        coloured, black = (
            np.asarray(print_page(leaflet.pages[0], leaflet, layout, style, rng).image.convert("HSV"))[..., 1]
            for style in (in_colour(leaflet), without_colour(in_colour(leaflet), rng))
        )
        assert (coloured > 100).mean() > 0.01
        assert (black > 100).mean() == 0


def in_colour(leaflet: Leaflet) -> Style:
    """A style in the leaflet's own colours on white paper."""
    world = read_world()
    own = replace(world, odds=replace(world.odds, black_print=0, foreign_colour=0))
    return replace(print_style(own, leaflet.party, chance(1)), paper=(255, 255, 255))


@pytest.mark.skipif(not shutil.which("tesseract"), reason="Tesseract is not installed")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_tesseract_reads_a_page_held_well(layout: str) -> None:
    import pytesseract

    world, rng = read_world(), chance(5)
    leaflet = write_leaflet(world, rng)
    printed = print_page(leaflet.pages[0], leaflet, layout, in_colour(leaflet), rng)
    well = replace(
        world.photo, turn=0.5, perspective=0.002, crease=0, shadow=(0, 0.1), bad=0, blur=(0, 0.3), noise=(1, 2)
    )
    read = pytesseract.image_to_string(photograph(printed.image, well, rng)).split()
    said = set(printed.text.split())
    assert len(said & set(read)) / len(said) > 0.8
