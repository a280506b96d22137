"""The files a page may show: the working copies that a manifest names, asked for by a page's id and never by a path."""

from pathlib import Path, PurePosixPath

import pandas as pd

from leaflet_tool.manifest import IMAGE
from leaflet_tool.prepare import formats

TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
"""What browsers call the formats that are shown."""


def picture(folder: Path, pages: pd.DataFrame, page: str) -> tuple[Path, str] | None:
    """The file of a page and its type; None for a page that is not there, has no image, or whose file lies outside.

    A prepared folder may show another one's images through a link in its first level, as variants do.
    """
    if page not in pages.index or not (cell := str(pages.at[page, IMAGE])):
        return None
    name = PurePosixPath(cell)
    if name.is_absolute() or ".." in name.parts or "\0" in cell:
        return None
    within = folder / name.parts[0] if len(name.parts) > 1 else folder
    try:
        path = (folder / name).resolve()
        if not (path.is_relative_to(within.resolve()) and path.is_file()):
            return None
        kind = TYPES.get(formats.kind(formats.head(path)))
    except (OSError, RuntimeError):  # a name that is too long, a file that may not be read, links in a circle
        return None
    return None if kind is None else (path, kind)
