"""Captions: the words of file names in any writing, and the archive's own beside them."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaflet_tool.prepare.captions import caption, of, words


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("CPR-oxygen-defibrillator.jpg", "CPR oxygen defibrillator"),
        ("LocationPhilippines.png", "Location Philippines"),
        ("images/party/IMG_20200131(2).JPG", "IMG 20200131 2"),
        ("CPRKit2b.tiff", "CPR Kit 2 b"),
        ("tt0110148.jpg", "tt 0110148"),
        ("People's_Vote.svg", "People's Vote"),
        ("'quoted'.png", "quoted"),
        ("ÉcoleNormale_Straße.png", "École Normale Straße"),
        ("E\u0301cole.png", "École"),
        ("ВидНаОзеро.jpg", "Вид На Озеро"),
        ("हिन्दी_विकि.svg", "हिन्दी विकि"),
        ("東京2020.jpg", "東京 2020"),
        ("NoSuffix", "No Suffix"),
        (".jpg", "jpg"),
        ("___.png", ""),
        ("", ""),
    ],
)
def test_a_file_name_falls_into_its_words(name: str, expected: str) -> None:
    assert words(name) == expected


@given(st.text(max_size=30))
def test_words_lose_no_letter_and_are_words_themselves(name: str) -> None:
    found = words(f"{name}.jpg".replace("/", "-"))
    assert found == " ".join(found.split())
    assert words(f"{found or '-'}.jpg") == found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Map of\n Peru ", "Map of Peru"),
        ("MapOfPeru.svg", "Map Of Peru"),
        ("A talk at example.com", "A talk at example.com"),
        ("JonDoe is here", "JonDoe is here"),
        ("\x00", ""),
    ],
)
def test_a_caption_is_kept_unless_it_is_a_file_name(text: str, expected: str) -> None:
    assert caption(text) == expected


def test_both_are_joined_and_the_same_is_said_once() -> None:
    sources = pd.Series(["a/RedBus.png", "a/RedBus.png", "", ""])
    given_ones = pd.Series(["", "a bus", "RedBus.png", ""])
    assert of(sources, given_ones).tolist() == ["Red Bus", "Red Bus a bus", "Red Bus", ""]
    assert of(pd.Series(["RedBus.png"]), pd.Series(["Red_Bus.png"])).tolist() == ["Red Bus"]
