"""Finds the YAML that ships with the tool: inside the installed package, or else in the checkout."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def shipped(name: str) -> Path:
    """The folder `ludwig_configs` or `datasets` that belongs to this installation."""
    installed = PACKAGE / name
    return installed if installed.is_dir() else PACKAGE.parent / name
