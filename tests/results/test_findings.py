"""The audit's files: read as they were written, names that last."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import read_table, write_table
from leaflet_tool.results import findings


def table() -> pd.DataFrame:
    row = {
        **dict.fromkeys(findings.MEANING, ""),
        findings.FINDING: findings.name_of("label", ["b", "a"], "Green"),
        findings.RANK: 1,
        findings.KIND: "label",
        findings.SCORE: 0.75,
        findings.PAGES: "b|a",
        findings.GIVEN: "NA",
        findings.GIVEN_PROBABILITY: np.nan,
        findings.SUGGESTED_PROBABILITY: 0.5,
        findings.WORDS: "=SUM(A1) <b>",
    }
    return pd.DataFrame([row])


def test_findings_are_read_as_they_were_written(tmp_path: Path) -> None:
    findings.write_findings(table(), tmp_path)
    pd.testing.assert_frame_equal(findings.read_findings(tmp_path), table(), check_dtype=False)
    assert "'=SUM" in (tmp_path / findings.TABLE).read_text()


def test_a_finding_keeps_its_name_in_whatever_order_its_pages_come() -> None:
    assert findings.name_of("label", ["a", "b"], "Green") == findings.name_of("label", ["b", "a"], "Green")
    names = {findings.name_of(*told) for told in (("label", ["a"], "x"), ("blank", ["a"], "x"), ("label", ["a"], "y"))}
    assert len(names) == 3


def test_a_table_without_a_column_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / findings.TABLE).write_text("finding,rank\nx,1\n")
    with pytest.raises(InputError, match="lacks the column 'kind'"):
        findings.read_findings(tmp_path)


@pytest.mark.parametrize("rank", ["", "first", "1.5"])
def test_a_rank_that_is_none_is_refused_by_its_row(tmp_path: Path, rank: str) -> None:
    findings.write_findings(table(), tmp_path)
    cells = read_table(tmp_path / findings.TABLE)
    write_table(pd.concat([cells, cells.assign(rank=rank)]), tmp_path / findings.TABLE)
    with pytest.raises(InputError, match=f"row 3, column 'rank': {rank!r} is no whole number") as error:
        findings.read_findings(tmp_path)
    assert "leaflet-tool audit" in error.value.hint


@pytest.mark.parametrize("told", ["[]", '"audit"', '{"data": "prepared"}'])
def test_facts_of_something_else_are_refused(tmp_path: Path, told: str) -> None:
    (tmp_path / findings.FACTS).write_text(told)
    with pytest.raises(InputError, match="does not say what was audited"):
        findings.read_facts(tmp_path)
