"""What commands say: data on stdout, progress and messages on stderr, every error in one shape."""

import errno
import io
import json
import logging
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console as Terminal
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from leaflet_tool.errors import ExitCode, LeafletError

logger = logging.getLogger(__name__)

WIDE = 240
"""Columns of a table that goes to a file or a pipe, where nothing needs to wrap."""
ROOM = "free some space; what was finished is kept, train and hyperopt go on with --resume"
SYSTEM_HINTS = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), ROOM),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "choose a place you may read and write"),
    **dict.fromkeys((errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG), "choose another path"),
}
"""What the user can do about the operating system's errors; any other is a bug."""


class Console:
    """One command's voice; `json` turns its result into a single object on stdout."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.json = as_json
        self.verbosity = 0
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # file names need not be text
        self.out = Terminal(width=None if sys.stdout.isatty() else WIDE)
        self.err = Terminal(stderr=True, soft_wrap=True)
        messages = logging.getLogger("leaflet_tool")
        messages.handlers, messages.propagate = [_Messages(self.err)], False
        self.speak(0)

    def speak(self, louder: int) -> None:
        """Says more (above 0) or less (below 0) from now on."""
        self.verbosity += louder
        level = logging.ERROR if self.verbosity < 0 else logging.DEBUG if self.verbosity else logging.INFO
        logging.getLogger("leaflet_tool").setLevel(level)

    def say(self, message: str) -> None:
        """A message for people, on stderr."""
        if self.verbosity >= 0:
            self.err.print(literal(message))

    def result(self, value: Any, text: str) -> None:
        """The command's result: `value` as one JSON object, or `text` as it stands."""
        print(json.dumps(value, ensure_ascii=False, indent=2, default=str) if self.json else text)

    def table(self, value: Any, columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> None:
        """The command's result as a table of formatted cells, shown as they are, never as markup."""
        if self.json:
            return self.result(value, "")
        table = Table(box=None, pad_edge=False)
        for column in columns:
            table.add_column(literal(column), header_style="bold", overflow="fold")
        for row in rows:
            table.add_row(*(literal(str(cell)) for cell in row))
        if title:  # not the table's own, which breaks where the columns end
            self.out.print(literal(title), style="italic")
        if self.out.is_terminal:
            return self.out.print(table)
        with self.out.capture() as padded:
            self.out.print(table)
        print("\n".join(line.rstrip() for line in padded.get().splitlines()))

    def progress[T](self, items: Iterable[T], *, total: int, title: str) -> Iterator[T]:
        """Draws a bar with items a second and the time left on a terminal; elsewhere says as much once a minute."""
        if self.verbosity < 0:
            yield from items
        elif self.err.is_terminal:
            name = TextColumn("{task.description}", markup=False)
            columns = (name, BarColumn(), MofNCompleteColumn(), _Speed(), TimeRemainingColumn())
            with Progress(*columns, console=self.err, transient=True) as bar:
                yield from bar.track(items, total=total, description=title)
        else:
            from leaflet_tool.progress import in_lines

            yield from in_lines(items, total=total, title=title, say=self.say)


def literal(text: str) -> Text:
    """The text as it stands: no markup, no emoji, and control characters spelt out, so that none reaches a terminal."""
    return Text("".join(repr(c)[1:-1] if unicodedata.category(c) == "Cc" and c not in "\n\t" else c for c in text))


class _Speed(ProgressColumn):
    """Items a second, lately."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "")


class _Messages(logging.Handler):
    """Log records as plain lines on stderr, warnings in yellow."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__()
        self.terminal = terminal

    def emit(self, record: logging.LogRecord) -> None:
        self.terminal.print(literal(self.format(record)), style="yellow" if record.levelno >= logging.WARNING else "")


@contextmanager
def reporting(console: Console) -> Iterator[None]:
    """Turns errors the user can act on into words and an exit code; bugs keep their traceback."""
    try:
        yield
    except LeafletError as error:
        logger.debug("the whole trace:", exc_info=True)
        _fail(console, error.message, error.hint, error.exit_code)
    except click.UsageError as error:
        if console.json:
            _print_error(error.format_message(), "", ExitCode.USAGE)
        raise
    except OSError as error:
        if error.errno not in SYSTEM_HINTS:
            raise
        message = f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
        _fail(console, message, SYSTEM_HINTS[error.errno], ExitCode.INPUT)
    except KeyboardInterrupt:
        hint = "run the same command again to go on; train and hyperopt go on with --resume"
        _fail(console, "interrupted", hint, ExitCode.INTERRUPTED)


def _fail(console: Console, message: str, hint: str, code: ExitCode) -> None:
    console.err.print(Text("error: ", "bold red") + literal(message))
    if hint:
        console.err.print(Text("hint: ", "bold") + literal(hint))
    if console.json:
        _print_error(message, hint, code)
    sys.exit(code)


def _print_error(message: str, hint: str, code: ExitCode) -> None:
    print(json.dumps({"error": message, "hint": hint, "exit_code": int(code)}, ensure_ascii=False))
