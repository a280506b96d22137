"""The models of a run, one or one a fold: trained, asked about every page, and baselines beside them."""

import logging
from pathlib import Path
from typing import Any

import pandas as pd

from leaflet_tool.manifest import FOLD, ID, SPLIT, own
from leaflet_tool.models import bases, checks, definitions, engine, folds, label_counts, rows, runs, scoring, transfer
from leaflet_tool.models.runs import CONFIG, PREDICTIONS, ROWS, Run
from leaflet_tool.storage import write_text

logger = logging.getLogger(__name__)


def fitted(run: Run, config: dict[str, Any]) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Trains what is not trained yet: the run's predictions of all its pages, and its rivals' of the test pages."""
    if run.folds:
        return _cross_validated(run, config)
    return _predicted(run, run.folder, config), _rivals(run, run.folder, config)


def _predicted(run: Run, folder: Path, config: dict[str, Any]) -> pd.DataFrame:
    """Predictions of all pages of a Ludwig directory, trained if it is not yet."""
    seed, label = run.facts["seed"], run.label
    if not engine.trained(folder):
        engine.train(config, folder / ROWS, folder, seed=seed, callbacks=_callbacks(run, folder))
    logger.info("predicting every page")
    taxonomy = run.taxonomy if checks.is_coherent(config) else None
    return scoring.predict_all(folder, label, taxonomy=taxonomy, objective=run.threshold_objective, seed=seed)


def _callbacks(run: Run, folder: Path) -> list[Any]:
    """What sets weights before one of a run's models trains: those of another run, or a stack's rule to start at."""
    found = transfer.callbacks(run, folder)
    if bases.STACK in run.facts:
        from leaflet_tool.models.extensions.log_pool import StartAtPool

        stack = run.facts[bases.STACK]
        names = [base["name"] for base in stack["bases"]]
        found.append(StartAtPool(folder / ROWS, run.label.name, stack["classes"], names))
    return found


def _rivals(run: Run, folder: Path, config: dict[str, Any]) -> dict[str, pd.DataFrame]:
    """What the test pages of a Ludwig directory are predicted as by baselines, and beside a stack by its base runs."""
    table, columns = rows.read(folder / ROWS), checks.columns(config)
    how: dict[str, Any] = {"objective": run.threshold_objective, "seed": run.facts["seed"]}
    found = scoring.baselines(table, run.label, read=scoring.texts(columns), **how)
    return found | (scoring.rules(table, run.label, run.facts[bases.STACK]) if bases.STACK in run.facts else {})


def _cross_validated(run: Run, config: dict[str, Any]) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """One model a fold: each page's prediction, and the baselines', is that of the model that held it out."""
    label = run.label
    table = rows.in_words(rows.read(run.folder / ROWS), label)
    held_out = table[FOLD].astype(int)
    parts, rivals = [], []
    for fold, folder in enumerate(run.models()):
        if not (folder / PREDICTIONS).is_file():
            logger.info("fold %d of %d", fold + 1, run.folds)
            fold_rows = folds.split(table, held_out, fold, label, seed=run.facts["seed"])
            rows.write(rows.for_ludwig(fold_rows, folder, label), folder / ROWS)
            own_config = _of_fold(run, config, fold_rows)
            write_text(folder / CONFIG, definitions.dump(own_config))
            runs.write_predictions(_predicted(run, folder, own_config), folder / PREDICTIONS)
        predictions = runs.read_predictions(folder / PREDICTIONS)
        parts.append(predictions[predictions[SPLIT] == "test"])
        rivals.append(_rivals(run, folder, config))
    pages = own(table).reset_index(drop=True)
    together = pd.concat(parts).set_index(ID).loc[pages[ID]].reset_index()
    together.insert(together.columns.get_loc(SPLIT) + 1, FOLD, pages[FOLD])
    return together, {name: pd.concat([rival[name] for rival in rivals], ignore_index=True) for name in rivals[0]}


def _of_fold(run: Run, config: dict[str, Any], frame: pd.DataFrame) -> dict[str, Any]:
    """The run's definition with the facts of one fold's training rows in the slots it was frozen with."""
    cells = frame.loc[frame[SPLIT] == "train", run.label.name]
    return definitions.fill(config, label_counts.facts(cells, run.label, run.facts["classes"], run.taxonomy))
