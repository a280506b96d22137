"""Finds and reads YAML: what ships with the tool, inside the installed package or else in the checkout, and others."""

from pathlib import Path
from typing import Any

import yaml

from leaflet_tool.errors import InputError

PACKAGE = Path(__file__).resolve().parent
YAML_HINT = "mend the place it names; a value with : or # in it needs quotes"
"""What helps where a file is not readable as YAML."""


def shipped(name: str) -> Path:
    """The folder `ludwig_configs` or `datasets` that belongs to this installation."""
    installed = PACKAGE / name
    return installed if installed.is_dir() else PACKAGE.parent / name


def parsed(path: Path, kind: str) -> tuple[str, Any]:
    """The text of a YAML file and what it says; an InputError names the file, the `kind` it should be, and the line."""
    try:
        text = path.read_text(encoding="utf-8")
        return text, yaml.safe_load(text)
    except (FileNotFoundError, IsADirectoryError):
        raise InputError(f"{path} is not a file", hint=f"give a {kind}'s name or the path of a YAML file") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not readable as YAML: {error}", hint=YAML_HINT) from error
