"""The error tree: one root, one exit code a kind, all problems in one message."""

import inspect

import pytest

from leaflet_tool import errors
from leaflet_tool.errors import ExitCode, InputError, LeafletError

KINDS = [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, LeafletError)]


def test_exit_codes_are_those_of_the_documentation() -> None:
    assert {code.name: int(code) for code in ExitCode} == {
        "DONE": 0,
        "USAGE": 2,
        "INPUT": 3,
        "MISSING": 4,
        "TRAINING": 5,
        "FINDINGS": 6,
        "INTERRUPTED": 130,
    }


def test_every_failure_has_a_kind_of_its_own() -> None:
    told = {each.exit_code for each in KINDS}
    assert told == set(ExitCode) - {ExitCode.DONE, ExitCode.INTERRUPTED}


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_carries_message_and_hint(kind: type[LeafletError]) -> None:
    error = kind("what is wrong", hint="what to do")
    assert (str(error), error.message, error.hint) == ("what is wrong", "what is wrong", "what to do")
    assert isinstance(error, LeafletError)


def test_problems_are_listed_together_the_first_spelt_out() -> None:
    error = InputError.listing("nothing was done", [f"problem {number}" for number in range(25)], hint="mend them")
    lines = error.message.splitlines()
    assert lines[0] == "nothing was done:"
    assert lines[1:3] == ["  - problem 0", "  - problem 1"]
    assert lines[-1] == "  - and 5 more"
    assert len(lines) == 22
    assert error.hint == "mend them"
