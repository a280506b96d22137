"""The counter-check of an archive: what of its labels is probably wrong, and why, worst first."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from leaflet_tool import __version__
from leaflet_tool.errors import FindingsError
from leaflet_tool.measure import cues, label_issues, outliers
from leaflet_tool.measure.label_issues import LabelIssues
from leaflet_tool.measure.label_sets import implied, truth_matrix
from leaflet_tool.measure.predictions import classes_of
from leaflet_tool.models.runs import Run
from leaflet_tool.results import audit_evidence, audit_findings, findings
from leaflet_tool.results.audit_evidence import Evidence
from leaflet_tool.results.audit_leaflets import Leaflets
from leaflet_tool.settings import AUDIT
from leaflet_tool.storage import locked, write_json
from leaflet_tool.taxonomy import Taxonomy

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Audit:
    """What was found: the table of `findings`, and what audit.json says."""

    findings: pd.DataFrame
    facts: dict[str, Any]

    @property
    def label_findings(self) -> int:
        """Leaflets whose label is probably wrong."""
        return int((self.findings[findings.KIND] == "label").sum())


def audit(runs: Sequence[Run], data: Path | None = None, *, split: str | None = None, seed: int = AUDIT.seed) -> Audit:
    """The audit of the prepared folder `data`, or of the first run's; an InputError says what forbids it.

    Pages are judged by models that they are new to: all pages by runs in folds, those of a `split` by any run that was
    not trained on them.
    """
    logger.info("learning what words say")
    evidence = audit_evidence.gathered(runs, data, split, seed=seed)
    leaflets = Leaflets(evidence)
    logger.info("judging %d leaflets", len(leaflets.frame))
    unjudged = label_issues.too_few(leaflets.frame, AUDIT.least_groups)
    issues = label_issues.label_issues(leaflets.frame, unjudged, _closed(leaflets, evidence.prepared.taxonomy))
    distances = outliers.distances([leaflets.text(name) for name in leaflets.members], seed=seed)
    table = audit_findings.table(leaflets, issues, distances)
    logger.info("looking for properties of the files that predict the label")
    facts = _facts(leaflets, issues, unjudged, table, _cues(evidence, seed), split, seed)
    return Audit(table, {**facts, "outliers": audit_findings.judged_as_outliers(leaflets, distances)})


def _closed(leaflets: Leaflets, taxonomy: Taxonomy) -> Taxonomy | None:
    """The hierarchy if the archive's labels follow it, so that what is suggested shall, too."""
    if not taxonomy.parents or not leaflets.multiple:
        return None
    truth, classes = truth_matrix(leaflets.frame), classes_of(leaflets.frame)
    return taxonomy if (implied(truth, classes, taxonomy) == truth).all() else None


def _cues(evidence: Evidence, seed: int) -> list[dict[str, Any]]:
    """Properties of the judged pages' files that predict the label; folders that it was read off are none."""
    facts, label = evidence.prepared.facts, evidence.prepared.label
    by_folder = (facts.get("dataset") or {}).get("source", {}).get("type") == "folders"
    return cues.cues(evidence.pages, label.name, multiple=label.multiple, by_folder=by_folder, seed=seed)


def _facts(
    leaflets: Leaflets,
    issues: LabelIssues,
    unjudged: dict[str, int],
    table: pd.DataFrame,
    found: list[dict[str, Any]],
    split: str | None,
    seed: int,
) -> dict[str, Any]:
    """What audit.json says."""
    evidence, counts = leaflets.evidence, Counter(table[findings.KIND])
    prepared, label = evidence.prepared, evidence.prepared.label
    return {
        "version": __version__,
        "data": {"folder": str(prepared.folder), "manifest_sha256": prepared.digest},
        "label": {"name": label.name, "multiple": label.multiple},
        "classes": classes_of(leaflets.frame),
        "runs": list(evidence.runs),
        "judges": dict(evidence.pooled.powers),
        "judged": {"split": split, "pages": len(evidence.pages), "leaflets": len(leaflets.frame)},
        "counts": {kind: counts[kind] for kind in findings.KINDS},
        "estimated_wrong": issues.estimated,
        "too_few": unjudged,
        "cues": found,
        "settings": {name: value for name, value in asdict(AUDIT).items() if name != "out"} | {"seed": seed},
    }


def check(folder: Path) -> None:
    """An InputError while a review of the folder is open, which an audit could not be written under."""
    if folder.is_dir():
        with locked(folder):
            pass


def write(found: Audit, folder: Path) -> None:
    """Writes audit.csv and audit.json, each whole; decisions of an earlier review in the folder are left alone.

    An InputError while a review of the folder is open.
    """
    with locked(folder):  # a review that is open would go on showing the findings of before
        findings.write_findings(found.findings, folder)
        write_json(folder / findings.FACTS, found.facts)


def failure(found: Audit, most: int | None, folder: Path) -> FindingsError | None:
    """The error to end with where at least `most` labels are probably wrong; None where fewer are."""
    if most is None or found.label_findings < most:
        return None
    return FindingsError(
        f"{found.label_findings} leaflets have a label that is probably wrong, and --fail-on allows {most - 1}",
        hint=f"look at {folder / findings.TABLE}",
    )
