"""A Tesseract that stays: it reads image after image, so that starting it and loading its models is paid once."""

import os
import re
import select
import subprocess
import tempfile
import time
import tty
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, cast

from leaflet_tool.errors import MissingError

PROGRAM = "tesseract"
ONE_THREAD = {"OMP_THREAD_LIMIT": "1"}
"""As many Tesseracts as there are cores are faster than one that spreads over all cores."""
STREAM = ("-", "-", "-c", "stream_filelist=true")
"""It takes names of images, a line each, from its standard input, and writes what it reads to its standard output."""
IMAGES = 1000
"""After so many images a Tesseract makes room for a new one, so that what it may fail to free does not add up."""


class TesseractFailedError(Exception):
    """Tesseract crashed, took too long, or wrote something else than what was read."""


class Tesseract:
    """Tesseract with these settings: started with the first image, and anew after one on which it failed."""

    def __init__(self, *settings: str) -> None:
        self._settings = settings
        self._process: _Process | None = None

    def told(self, images: Sequence[Path], end: re.Pattern[bytes], timeout: float) -> str:
        """What it writes about the images until `end` is found in it, within `timeout` seconds.

        A TesseractFailedError says why that did not come; the next images are read by another process then.
        """
        if self._process and not self._process.ready:
            self.close()
        if not self._process:
            self._process = _Process(self._settings)
        try:
            return self._process.told(images, end, timeout).decode("utf-8", errors="replace")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Ends the process, if there is one."""
        if self._process:
            self._process.end()
        self._process = None


class _Process:
    """One process. Its output is a terminal, since the C library holds back what goes into a file or a pipe."""

    def __init__(self, settings: Sequence[str]) -> None:
        self._read = 0
        with ExitStack() as opened:
            self._output, theirs = _terminal()
            opened.callback(os.close, self._output)
            self._complaints = opened.enter_context(tempfile.TemporaryFile())
            try:
                tty.setraw(theirs)  # or it would make other line ends
                # by pytesseract each worker would import pandas, and each image start a process
                self._process = subprocess.Popen(
                    [PROGRAM, *STREAM, *settings],
                    bufsize=0,
                    stdin=subprocess.PIPE,
                    stdout=theirs,
                    stderr=self._complaints,
                    env={**os.environ, **ONE_THREAD},
                )
            finally:
                os.close(theirs)
            self._names = opened.enter_context(cast(IO[bytes], self._process.stdin))
            self._opened = opened.pop_all()

    @property
    def ready(self) -> bool:
        """Whether it lives and may read another image."""
        return self._read < IMAGES and self._process.poll() is None

    def told(self, images: Sequence[Path], end: re.Pattern[bytes], timeout: float) -> bytes:
        deadline = time.monotonic() + timeout
        self._read += len(images)
        self._complaints.seek(0)  # for the process too, so that this holds what it says of these images only
        self._complaints.truncate()
        written = b""
        try:
            self._names.write(b"".join(os.fsencode(image) + b"\n" for image in images))
            while not end.search(written):
                if not select.select([self._output], [], [], max(deadline - time.monotonic(), 0))[0]:
                    raise TesseractFailedError(f"Tesseract took longer than {timeout:.0f} s: timeout")
                part = os.read(self._output, 2**16)
                if not part:
                    raise EOFError
                written += part
        except (EOFError, OSError):  # to read from a terminal that has been left is an error on Linux only
            raise TesseractFailedError(self._death()) from None
        return written

    def _death(self) -> str:
        """How it ended, with what it had to say."""
        status = self._process.wait()
        self._complaints.seek(0)
        said = " ".join(os.fsdecode(self._complaints.read()).split())
        return f"Tesseract ended with {status}: {said}"

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._opened.close()


def _terminal() -> tuple[int, int]:
    """Both sides of a terminal; a MissingError where the system has none to give."""
    try:
        return os.openpty()
    except OSError as error:
        raise MissingError(
            f"the system gives no terminal into which Tesseract could write: {error}",
            hint="a container needs /dev/pts; or do without text: --ocr none",
        ) from error
