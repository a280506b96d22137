"""The prepared folder in the words of others: metadata.csv for Hugging Face's ImageFolder, and a Croissant description.

Croissant is http://mlcommons.org/croissant/1.0, plain JSON-LD; the context is the standard's own.
"""

import csv
import json
from pathlib import Path
from typing import Any

import pandas as pd

from leaflet_tool.manifest import (
    AUGMENTED_FROM,
    BRIGHTNESS,
    FOLD,
    GROUP,
    HEIGHT,
    ID,
    IMAGE,
    LABEL_DELIMITER,
    MEANING,
    OCR_CONFIDENCE,
    OCR_WORDS,
    ROTATION,
    SHARPNESS,
    SPLIT,
    TEXT,
    WIDTH,
    Label,
    split_labels,
)
from leaflet_tool.prepare import output
from leaflet_tool.prepare.dataset import About, Dataset
from leaflet_tool.storage import replacing, sha256, write_json

FILE_NAME, AUGMENTED = "file_name", "augmented"
CROISSANT = "http://mlcommons.org/croissant/"
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": CROISSANT,
    "rai": f"{CROISSANT}RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{
        name: f"cr:{name}"
        for name in (
            *("citeAs", "column", "equivalentProperty", "extract", "field", "fileObject", "fileProperty", "fileSet"),
            *("format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet"),
            *("references", "regex", "repeated", "replace", "samplingRate", "separator", "source", "subField"),
            "transform",
        )
    },
}
TEXTS, WHOLE, DECIMAL, PICTURE = "sc:Text", "sc:Integer", "sc:Float", "sc:ImageObject"
TYPES = {
    **dict.fromkeys((OCR_WORDS, ROTATION, FOLD, WIDTH, HEIGHT), WHOLE),
    **dict.fromkeys((OCR_CONFIDENCE, BRIGHTNESS, SHARPNESS), DECIMAL),
}
"""Columns of the manifest that hold numbers."""
PAGES = "pages"


def write(frame: pd.DataFrame, out: Path, archive: Path, dataset: Dataset) -> None:
    """Writes both files for the manifest `frame`, which is in `out` already."""
    with replacing(out / output.METADATA) as file:
        # every cell as it is: what a spreadsheet makes of it is not this file's business
        metadata(frame, dataset.label).to_csv(file, index=False, lineterminator="\n", quoting=csv.QUOTE_ALL)
    write_json(out / output.CROISSANT, croissant(frame, out, archive, dataset))


def metadata(frame: pd.DataFrame, label: Label) -> pd.DataFrame:
    """The pages with an image as ImageFolder wants them; several labels are a JSON list."""
    frame = frame[frame[IMAGE] != ""]
    labels = frame[label.name]
    if label.multiple:
        labels = labels.map(lambda cell: json.dumps(split_labels(cell), ensure_ascii=False))
    columns = {FILE_NAME: frame[IMAGE], label.name: labels, **{name: frame[name] for name in (TEXT, SPLIT, GROUP, ID)}}
    if FOLD in frame:
        columns[FOLD] = frame[FOLD]
    if AUGMENTED_FROM in frame:
        # not the page's id, which is empty for most: ImageFolder takes a column's type from its first rows
        columns[AUGMENTED] = frame[AUGMENTED_FROM].ne("").map({True: "true", False: "false"})
    return pd.DataFrame(columns)


def croissant(frame: pd.DataFrame, out: Path, archive: Path, dataset: Dataset) -> dict[str, Any]:
    """What Croissant says of the folder: its files, and the type and meaning of every column."""
    name, about = archive.resolve().name, dataset.about
    files = [_file(out / output.MANIFEST, "one row a page"), _file(out / output.METADATA, "the same for ImageFolder")]
    fields = [_field(column, dataset.label) for column in frame.columns]
    if frame[IMAGE].ne("").any():
        files.append(_images())
        fields = [_linked(field) if field["name"] == IMAGE else field for field in fields] + [_picture()]
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": f"{CROISSANT}1.0",
        "name": about.name or name,
        "description": about.description or f"Pages of {name}, each with its {dataset.label.name}",
        **_told(about),
        "distribution": files,
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": PAGES,
                "name": PAGES,
                "description": "The manifest, one record a page.",
                "key": {"@id": f"{PAGES}/{ID}"},
                "field": fields,
            }
        ],
    }


def _told(about: About) -> dict[str, str]:
    """What the definition says of licence, version, address and citation, and nothing of what it does not say."""
    told = {"license": about.license, "version": about.version, "url": about.url, "citeAs": about.citation}
    return {name: words for name, words in told.items() if words}


def _file(path: Path, description: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": path.name,
        "name": path.name,
        "description": description,
        "contentUrl": path.name,
        "contentSize": f"{path.stat().st_size} B",
        "encodingFormat": "text/csv",
        "sha256": sha256(path),
    }


def _images() -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": output.IMAGES,
        "name": output.IMAGES,
        "description": "Working copies, upright and of bounded size, and their regions where there are any.",
        "encodingFormat": "image/jpeg",
        "includes": f"{output.IMAGES}/*.jpg",
    }


def _field(column: str, label: Label) -> dict[str, Any]:
    """One column of the manifest; the label's id is its role, because its name may be anything."""
    field: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"{PAGES}/{column}",
        "name": column,
        "description": MEANING.get(column, ""),
        "dataType": TYPES.get(column, TEXTS),
        "source": {"fileObject": {"@id": output.MANIFEST}, "extract": {"column": column}},
    }
    if column == label.name:
        meaning = "the classes of the page" if label.multiple else "the class of the page"
        field |= {"@id": f"{PAGES}/label", "description": meaning, "dataType": [TEXTS, "cr:Label"]}
        if label.multiple:
            field |= {"repeated": True, "source": field["source"] | {"transform": {"separator": LABEL_DELIMITER}}}
    return field


def _linked(field: dict[str, Any]) -> dict[str, Any]:
    """The column of images as names of files, by which mlcroissant finds the picture; paths it does not compare."""
    return field | {
        "description": "file name of the working copy; empty when the archive gives text only",
        # optional, because mlcroissant applies it a second time to what it left
        "source": field["source"] | {"transform": {"regex": f"^(?:{output.IMAGES}/)?(.*)$"}},
        "references": _of_images("filename"),
    }


def _picture() -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{PAGES}/picture",
        "name": "picture",
        "description": "the working copy itself",
        "dataType": PICTURE,
        "source": _of_images("content"),
    }


def _of_images(what: str) -> dict[str, Any]:
    return {"fileSet": {"@id": output.IMAGES}, "extract": {"fileProperty": what}}
