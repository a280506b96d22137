"""A program in Tesseract's place: it is asked in the same way, and reads what a test wants."""

import os
import sys
from pathlib import Path

VERSION = "5.9.9"
SCRIPT = """#!{python} -IS
import hashlib, os, pathlib, signal, sys, time
if "--version" in sys.argv:
    sys.exit(print("tesseract {version}"))
if "--list-langs" in sys.argv:
    sys.exit(print({packs!r}))
{code}
print("level")
for number, name in enumerate(sys.stdin, 1):
    image = pathlib.Path(name.rstrip("\\n"))
    rows = [f"1\\t{{number}}" + "\\t0" * 10]
    if image.name != "blank.pgm":
        word = read(image)
        if word is None:
            continue
        rows.append(f"5\\t{{number}}\\t1\\t1\\t1\\t1\\t0\\t0\\t9\\t5\\t{{word}}")
    print(*rows, sep="\\n", flush=True)
"""


def write(folder: Path, code: str, packs: str = "List of available languages (2):\neng\nosd") -> Path:
    """A `tesseract` in the folder; `code` has read(image): the confidence, a tab and a word, or None to say nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "tesseract"
    program.write_text(SCRIPT.format(python=os.path.realpath(sys.executable), version=VERSION, packs=packs, code=code))
    program.chmod(0o755)
    return program
