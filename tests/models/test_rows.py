"""ludwig.csv as Ludwig itself reads it."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ludwig.backend import initialize_backend
from ludwig.features.set_feature import SetFeatureMixin
from ludwig.schema.features.preprocessing.set import SetOutputPreprocessingConfig
from ludwig.utils.data_utils import read_csv

from leaflet_tool.manifest import Label
from leaflet_tool.models import rows

PARTY, TOPICS = Label("party"), Label("party", multiple=True)

LABELS = ["NA", "no", "1", "01", "1.0", "null", "nan", "None", "True", "yes", "N/A", "Grüne", "a,b", 'say "no"', "3e5"]


def manifest(texts: list[str], labels: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": [f"page{number}" for number in range(len(texts))],
            "image": "images/page.png",
            "text": texts,
            "ocr_status": "read",
            "party": labels,
            "group": "leaflet",
            "page": "",
            "split": "train",
            "source": "page.png",
            "row": "",
        }
    )


def as_ludwig_reads(frame: pd.DataFrame, folder: Path, label: Label = PARTY) -> pd.DataFrame:
    rows.write(rows.for_ludwig(frame, folder, label), folder / "ludwig.csv")
    return read_csv(folder / "ludwig.csv")


def test_labels_stay_text_on_their_way_through_ludwig(tmp_path: Path) -> None:
    frame = manifest(["words"] * len(LABELS), LABELS)
    read = as_ludwig_reads(frame, tmp_path)
    assert read["party"].str.strip().tolist() == LABELS


def test_the_rows_come_back_as_the_manifest_has_them(tmp_path: Path) -> None:
    frame = manifest(["words"] * len(LABELS), LABELS)
    as_ludwig_reads(frame, tmp_path)
    back = rows.in_words(rows.read(tmp_path / "ludwig.csv"), PARTY)
    assert back["party"].tolist() == LABELS
    assert back["split"].tolist() == ["train"] * len(LABELS)
    assert back["id"].tolist() == frame["id"].tolist()


def test_texts_that_look_like_formulas_are_for_training_as_they_were(tmp_path: Path) -> None:
    texts = ["=1+1", "'=1", "-x", "''@"]
    frame = manifest(texts, ["+a", "-b", "'+a", "=c"])
    read = as_ludwig_reads(frame, tmp_path)
    assert read["text"].tolist() == texts
    assert read["party"].tolist() == ["+a", "-b", "'+a", "=c"]
    assert rows.read(tmp_path / "ludwig.csv")["text"].tolist() == texts


def ludwigs_sets(column: pd.Series) -> list[set[str]]:
    """The classes that Ludwig's set feature, with the settings it has of itself, finds in each cell."""
    backend, settings_ = initialize_backend("local"), SetOutputPreprocessingConfig().to_dict()
    cells = SetFeatureMixin.cast_column(column, backend)
    known = SetFeatureMixin.get_feature_meta({}, cells, settings_, backend, is_input_feature=False)
    vectors = SetFeatureMixin.feature_data(cells, known, settings_, backend)
    names = [rows.class_of(token) for token in known["idx2str"]]
    return [{name for name, there in zip(names, vector, strict=True) if there} for vector in vectors]


CELLS = [
    *("tax|health care", "health care", "", "NA", "NA|null", "tax", "no|1|01", "a  b|a b|a\u00a0b", "a\\_b|a\\|\\\\"),
    *('say "no", please|a,b', "a\tb|a\nb", "Grüne|grüne", "a_b"),
]


def test_several_labels_reach_ludwigs_set_feature_as_they_are(tmp_path: Path) -> None:
    frame = manifest(["words"] * len(CELLS), CELLS)
    read = as_ludwig_reads(frame, tmp_path, TOPICS)
    assert read["party"].notna().all()
    assert ludwigs_sets(read["party"]) == [set(cell.split("|")) - {""} for cell in CELLS]
    assert rows.in_words(rows.read(tmp_path / "ludwig.csv"), TOPICS)["party"].tolist() == CELLS


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(st.text(alphabet=" _\\\u00a0ab,\"'", min_size=1, max_size=6), max_size=4), min_size=1, max_size=6)
)
def test_any_labels_come_back(tmp_path: Path, names: list[list[str]]) -> None:
    cells = ["|".join(dict.fromkeys(name.strip() for name in row if name.strip())) for row in names]
    read = as_ludwig_reads(manifest(["words"] * len(cells), cells), tmp_path, TOPICS)
    assert [set(map(rows.class_of, cell.split(" "))) - {""} for cell in read["party"].str.strip()] == [
        set(cell.split("|")) - {""} for cell in cells
    ]
    assert rows.in_words(rows.read(tmp_path / "ludwig.csv"), TOPICS)["party"].tolist() == cells


def test_a_label_called_like_a_region_is_no_path(tmp_path: Path) -> None:
    label = Label("image_kind")
    frame = manifest(["a", "b"], ["", ""]).drop(columns="party").assign(image_kind=["photo", "drawing"])
    assert rows.for_ludwig(frame, tmp_path, label)["image_kind"].tolist() == ["photo", "drawing"]
    assert rows.for_ludwig(frame, tmp_path, label)["image"].tolist() == [str(tmp_path / "images/page.png")] * 2


def test_splits_are_numbers_and_images_absolute(tmp_path: Path) -> None:
    frame = manifest(["a", "b", "c"], ["x", "y", "z"]).assign(
        split=["train", "validation", "test"], image=["images/1.png", "", "images/3.png"], image_top="regions/1.png"
    )
    table = rows.for_ludwig(frame, tmp_path, PARTY)
    assert table["split"].tolist() == ["0", "1", "2"]
    assert table["image"].tolist() == [str(tmp_path / "images/1.png"), "", str(tmp_path / "images/3.png")]
    assert table["image_top"].tolist() == [str(tmp_path / "regions/1.png")] * 3
    assert frame["image"].tolist() == ["images/1.png", "", "images/3.png"]


def test_a_text_that_pandas_takes_for_missing_is_kept(tmp_path: Path) -> None:
    read = as_ludwig_reads(manifest(["NA", "null", ""], ["x", "y", "z"]), tmp_path)
    assert read["text"].fillna("").str.strip().tolist() == ["NA", "null", ""]


@pytest.mark.parametrize(
    "text",
    [
        "| a | b |",
        "|'a'|'b'|" * 50,
        '|"a"|"b"|' * 50,
        "\t'a'\t'b'\t" * 50,
        "a|'b'\n'|c\n" * 50,
        '"' * 999,
        "it's a 'dog', isn't it | " * 40,
        "a\r\nb\rc\n\n",
        "back\\slash \\\" \\' \\n",
        "form\ffeed and null\x00byte",
        "",
    ],
)
def test_no_text_passes_for_the_delimiter_of_the_file(tmp_path: Path, text: str) -> None:
    read = as_ludwig_reads(manifest([text] * 40, ["x", "y"] * 20), tmp_path)
    assert list(read.columns) == [name for name in manifest([], []).columns if name != "ocr_status"]
    assert read["party"].tolist() == ["x", "y"] * 20
    assert {words(cell) for cell in read["text"].fillna("")} == {words(text)}


def test_captions_reach_ludwig_as_texts_do(tmp_path: Path) -> None:
    frame = manifest(["t"] * 40, ["x", "y"] * 20).assign(caption=["NA", "null", "|'a'|'b'|" * 50, ""] * 10)
    read = as_ludwig_reads(frame, tmp_path)
    assert [words(cell) for cell in read["caption"].fillna("")] == [words(cell) for cell in frame["caption"]]
    assert rows.read_as_missing(frame, "caption").tolist() == list(range(3, 40, 4))


def words(text: str) -> str:
    """The text but for blanks, which no tokenizer of words keeps."""
    return "".join(text.split())


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(alphabet="|\t,;\"' \n\\aé1", max_size=80), min_size=1, max_size=12))
def test_every_text_reaches_ludwig(tmp_path: Path, texts: list[str]) -> None:
    read = as_ludwig_reads(manifest(texts, ["x"] * len(texts)), tmp_path)
    assert [words(cell) for cell in read["text"].fillna("")] == [words(text) for text in texts]
