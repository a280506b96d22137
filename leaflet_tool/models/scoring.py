"""From a trained model to predictions and figures: every page once, joined by id, beside the baselines."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from leaflet_tool.errors import TrainingError
from leaflet_tool.manifest import CAPTION, GROUP, ID, SPLIT, TEXT, Label, own
from leaflet_tool.measure import label_baselines, label_sets, thresholds
from leaflet_tool.measure import rules as combining
from leaflet_tool.measure.baselines import baseline_predictions
from leaflet_tool.measure.evaluation import evaluate
from leaflet_tool.measure.label_trees import LABEL_TREES, label_tree_predictions
from leaflet_tool.measure.predictions import LABEL, classes_of, from_probabilities, probabilities_of
from leaflet_tool.measure.thresholds import Thresholds
from leaflet_tool.models import bases, engine, rows
from leaflet_tool.models.runs import ROWS, THRESHOLDS, Run
from leaflet_tool.progress import Progress, silent
from leaflet_tool.settings import TRAIN, Objective
from leaflet_tool.storage import read_json, write_json
from leaflet_tool.taxonomy import Taxonomy


def predict(model: Any, table: pd.DataFrame, label: Label, *, statistics: Path | None = None) -> pd.DataFrame:
    """Class probabilities for the rows of `table` (as Ludwig wants them), in their order, columns sorted by class.

    With `statistics`, a folder, Ludwig evaluates the rows too and leaves there what `ludwig visualize` reads.
    """
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / ROWS
        rows.write(table, path)
        found = engine.evaluate(model, path, statistics) if statistics else engine.predict(model, path)
    if len(found) != len(table):
        raise TrainingError(
            f"Ludwig returned {len(found)} predictions for {len(table)} rows, so they can't be told apart",
            hint="look for empty cells in the columns that the definition reads",
        )
    probabilities = engine.probabilities(model, found, label.name)
    if not label.multiple:
        return probabilities
    named = probabilities.drop(columns=rows.UNKNOWN, errors="ignore").rename(columns=rows.class_of)
    return named[sorted(named.columns)]


def predict_all(
    folder: Path,
    label: Label,
    *,
    split: str = "test",
    taxonomy: Taxonomy | None = None,
    objective: Objective = TRAIN.threshold_objective,
    seed: int,
) -> pd.DataFrame:
    """The predictions frame of the archive's own pages in a Ludwig directory; Ludwig itself evaluates `split`, too.

    Where pages have several labels, thresholds are fitted on the validation pages for `objective`, used, and left in
    the directory; with a `taxonomy` what they decide is kept coherent.
    """
    table = own(rows.read(folder / ROWS))
    model = engine.load(folder)
    judged = table[SPLIT] == rows.SPLIT_NUMBERS[split]
    parts = [(table[judged], folder), (table[~judged], None)]
    frames = [
        predictions_of(part, predict(model, part, label, statistics=statistics), label)
        for part, statistics in parts
        if len(part)
    ]
    predictions = pd.concat(frames).set_index(ID).loc[table[ID]].reset_index()
    if not label.multiple:
        return predictions
    fitted = fitted_thresholds(predictions, objective=objective, seed=seed)
    write_json(folder / THRESHOLDS, fitted.to_json())
    return decided(predictions, fitted.by_label, taxonomy)


def predictions_of(table: pd.DataFrame, probabilities: pd.DataFrame, label: Label) -> pd.DataFrame:
    """The predictions frame of ludwig.csv's rows and their probabilities."""
    named = rows.in_words(table, label)
    return frame_of(named[[ID, GROUP, SPLIT]], named[label.name], probabilities, label)


def frame_of(
    pages: pd.DataFrame,
    labels: pd.Series | list[str],
    probabilities: pd.DataFrame,
    label: Label,
    limits: Mapping[str, float] | None = None,
    taxonomy: Taxonomy | None = None,
) -> pd.DataFrame:
    """The predictions frame of `pages` (id, group, split), whichever kind of label they have.

    `limits` and `taxonomy` decide several labels: a label's threshold, and what a predicted one brings along.
    """
    if not label.multiple:
        return from_probabilities(pages, labels, probabilities)
    return label_sets.from_label_probabilities(pages, labels, probabilities, limits, taxonomy)


def fitted_thresholds(
    predictions: pd.DataFrame, *, objective: Objective = TRAIN.threshold_objective, seed: int
) -> Thresholds:
    """A threshold a label, from the validation pages' predictions alone."""
    pages = predictions[predictions[SPLIT] == "validation"]
    probabilities = pd.DataFrame(probabilities_of(pages), columns=classes_of(pages))
    how: dict[str, Any] = {"groups": pages[GROUP], "objective": objective, "seed": seed}
    return thresholds.fit(probabilities, label_sets.truth_matrix(pages), **how)


def decided(predictions: pd.DataFrame, limits: Mapping[str, float], taxonomy: Taxonomy | None = None) -> pd.DataFrame:
    """The same predictions, decided by these thresholds."""
    probabilities = pd.DataFrame(probabilities_of(predictions), columns=classes_of(predictions))
    pages, labels = predictions[[ID, GROUP, SPLIT]], predictions[LABEL]
    return label_sets.from_label_probabilities(pages, labels, probabilities, limits, taxonomy)


def thresholds_of(folder: Path) -> Thresholds:
    """The thresholds that training left in a Ludwig directory."""
    return Thresholds.from_json(read_json(folder / THRESHOLDS))


def unfitted_labels(run: Run) -> list[str]:
    """The labels that have no validation page and take the threshold for all; in folds, those of any fold."""
    return sorted({label for folder in run.models() for label in thresholds_of(folder).unfitted})


def texts(columns: Iterable[str]) -> list[str]:
    """What the baselines read beside models that read `columns`: the same texts, or what a page says."""
    read = set(columns)
    return [column for column in (TEXT, CAPTION) if column in read] or [TEXT]


@dataclass(frozen=True)
class Trees:
    """What boosted trees learn from, as a baseline of models of several labels a page."""

    taxonomy: Taxonomy
    embeddings: pd.DataFrame | None = None
    """`[pages, d]` by id, of training, validation and judged pages: read beside the text."""
    text: bool = True
    """Whether they read text at all; without it there are embeddings."""
    progress: Progress = silent

    def predictions(
        self,
        train: pd.DataFrame,
        validation: pd.DataFrame,
        judged: pd.DataFrame,
        *,
        text: str,
        label: str,
        objective: Objective,
        seed: int,
    ) -> pd.DataFrame:
        """The predictions frame for `judged`."""
        parts = (train, validation, judged)
        given = None
        if self.embeddings is not None:
            first, second, third = (self.embeddings.loc[part[ID]].to_numpy(dtype=float) for part in parts)
            given = (first, second, third)
        return label_tree_predictions(
            *parts,
            text=text if self.text else None,
            label=label,
            taxonomy=self.taxonomy,
            embeddings=given,
            objective=objective,
            seed=seed,
            progress=self.progress,
        )


def baselines(
    table: pd.DataFrame,
    label: Label,
    *,
    split: str = "test",
    read: Sequence[str] = (TEXT,),
    trees: Trees | None = None,
    objective: Objective = TRAIN.threshold_objective,
    seed: int,
) -> dict[str, pd.DataFrame]:
    """Predictions frames of the baselines for `split`, learned from the training rows of ludwig.csv.

    Altered copies teach them nothing: they have the text and the label of their page.
    """
    named = own(rows.in_words(table, label))
    how: dict[str, Any] = {"read": read, "trees": trees, "objective": objective, "seed": seed}
    return baselines_on(named, named[named[SPLIT] == split], label, **how)


def baselines_on(
    table: pd.DataFrame,
    judged: pd.DataFrame,
    label: Label,
    *,
    read: Sequence[str] = (TEXT,),
    trees: Trees | None = None,
    objective: Objective = TRAIN.threshold_objective,
    seed: int,
) -> dict[str, pd.DataFrame]:
    """Predictions frames of the baselines for the rows `judged`, learned from the training rows of `table`.

    They read the columns `read` as one text. Where pages have several labels, the validation rows of `table` give the
    baselines' thresholds, fitted for `objective`, and given `trees`, boosted trees are a baseline too: too slow a one
    for every training.
    """
    table, judged = (part.assign(**{TEXT: part[list(read)].agg(" ".join, axis=1)}) for part in (table, judged))
    train = table[table[SPLIT] == "train"]
    if not label.multiple:
        return baseline_predictions(train, judged, text=TEXT, label=label.name, seed=seed)
    validation = table[table[SPLIT] == "validation"]
    how: dict[str, Any] = {"text": TEXT, "label": label.name, "objective": objective, "seed": seed}
    found = label_baselines.baseline_label_predictions(train, validation, judged, **how)
    if trees is None:
        return found
    return found | {LABEL_TREES: trees.predictions(train, validation, judged, **how)}


def rules(table: pd.DataFrame, label: Label, stack: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Predictions frames for the test rows of a stack's ludwig.csv: those of its base runs, and of simple rules.

    `stack` is what run.json says of them. Weights are fitted on the rows that the stack learns from.
    """
    named = rows.in_words(table, label)
    test = named[SPLIT] == "test"
    known, judged = (bases.votes(part[bases.COLUMN], stack["classes"]) for part in (named[~test], named[test]))
    weights = combining.fitted_weights(known, named.loc[~test, label.name])
    probabilities = {
        **dict(zip((base["name"] for base in stack["bases"]), judged, strict=True)),
        combining.MEAN_LOG: combining.mean_log_probability(judged),
        combining.WEIGHTED_MEAN: combining.weighted_mean(judged, weights),
    }
    pages, labels = named.loc[test, [ID, GROUP, SPLIT]], named.loc[test, label.name]
    return {name: frame_of(pages, labels, found, label) for name, found in probabilities.items()}


def figures(
    predictions: pd.DataFrame,
    rivals: dict[str, pd.DataFrame],
    *,
    split: str = "test",
    taxonomy: Taxonomy | None = None,
    follows: Taxonomy | None = None,
    seed: int,
    resamples: int,
) -> dict[str, Any]:
    """What metrics.json holds: the run's figures on `split` and its rivals' on the same rows.

    All are judged by the `taxonomy`; the run's predictions may follow it, its rivals' do not.
    """
    judged = predictions[predictions[SPLIT] == split]

    def judgement(frame: pd.DataFrame, follows: Taxonomy | None = None) -> dict[str, Any]:
        return evaluate(frame, taxonomy=taxonomy, follows=follows, seed=seed, resamples=resamples)

    return {
        "split": split,
        **judgement(judged, follows),
        "baselines": {name: judgement(frame) for name, frame in rivals.items()},
    }
