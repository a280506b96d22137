"""Finds the YAML that ships with the tool: inside the installed package, or else in the checkout."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
YAML_HINT = "mend the place it names; a value with : or # in it needs quotes"
"""What helps where a file is not readable as YAML."""


def shipped(name: str) -> Path:
    """The folder `ludwig_configs` or `datasets` that belongs to this installation."""
    installed = PACKAGE / name
    return installed if installed.is_dir() else PACKAGE.parent / name
