"""The error tree and the exit codes: the one list of what can go wrong and how a shell sees it."""

from collections.abc import Sequence
from enum import IntEnum


class ExitCode(IntEnum):
    """What a command's exit status says; documented in the README, checked by a test."""

    DONE = 0
    USAGE = 2
    INPUT = 3
    MISSING = 4
    TRAINING = 5
    FINDINGS = 6
    INTERRUPTED = 130


class LeafletError(Exception):
    """An error the user can act on: what is wrong (file, row, column or key) and what to do about it."""

    exit_code = ExitCode.INPUT

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(LeafletError):
    """The command was asked for something it does not do."""

    exit_code = ExitCode.USAGE


class InputError(LeafletError):
    """A file, row, column, key or value the user can mend."""

    exit_code = ExitCode.INPUT

    @classmethod
    def listing(cls, what: str, problems: Sequence[str], *, hint: str = "", shown: int = 20) -> "InputError":
        """One error for all `problems`, of which the first `shown` are spelt out."""
        lines = [f"  - {problem}" for problem in problems[:shown]]
        if len(problems) > shown:
            lines.append(f"  - and {len(problems) - shown} more")
        return cls("\n".join([f"{what}:", *lines]), hint=hint)


class MissingError(LeafletError):
    """A program, language pack, package or download that is not there."""

    exit_code = ExitCode.MISSING


class TrainingError(LeafletError):
    """Ludwig or Ray gave up after the checks had passed."""

    exit_code = ExitCode.TRAINING


class FindingsError(LeafletError):
    """More findings than `--fail-on` allows."""

    exit_code = ExitCode.FINDINGS
