"""Wrong labels that are planted, found again: our audit against plain cleanlab, on the same labels in one run.

    python benchmarks/audit_planted.py ARCHIVE [--dataset leaflet_texts] [--how random confusable] [--share 0.1]
                                       [--config text_tfidf] [--sample 1500] [--keep FOLDER]

The archive is prepared, and a share of its leaflets gets another label in the manifest: any other at random, or the one
that the right one is most often taken for. Then `train --folds 5` and `audit`, as anybody would run them. The rival is
cleanlab on cross-validated TF-IDF + logistic regression on the same folds, once by its default list, best first, and
once by the self-confidence of all leaflets. AP counts what a list leaves out as found last, in no order; precision and
recall are those among as many as were planted, where they are the same number. With --keep, what was prepared and
trained stays there, and is not made again.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from cleanlab.filter import find_label_issues
from sklearn.metrics import average_precision_score

from leaflet_tool.manifest import (
    FOLD,
    GROUP,
    ID,
    TEXT,
    Prepared,
    read_prepared,
    read_table,
    write_manifest,
    write_table,
)
from leaflet_tool.measure.baselines import tfidf_logistic
from leaflet_tool.models import definitions, runs, training
from leaflet_tool.results import findings
from leaflet_tool.results.audit import audit
from leaflet_tool.results.comparison import opened

PLANTED = "planted.csv"
FOLDS = 5


def main() -> None:
    """Prints a block a trial: a row of our audit, then the rival's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--dataset", default="leaflet_texts")
    parser.add_argument("--how", nargs="+", default=["random", "confusable"], choices=["random", "confusable"])
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--config", nargs="+", default=["text_tfidf"])
    parser.add_argument("--sample", type=int, help="leaflets, drawn at random")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        for how in options.how:
            trial(options, how, (options.keep or Path(scratch)) / how)


def trial(options: argparse.Namespace, how: str, folder: Path) -> None:
    """Plants, trains, audits, and prints how well the planted ones are found."""
    prepared = planted(options, how, folder)
    for config in options.config:
        if not (folder / "runs" / config / runs.METRICS).is_file():
            request = training.Request(config, runs=folder / "runs", folds=FOLDS, seed=options.seed)
            training.train(definitions.find(config), prepared, request)
    of_all = opened(options.config, folder / "runs")
    table = audit(of_all, seed=options.seed).findings
    table = table[table[findings.KIND].isin(("label", "duplicate"))]
    frame = leaflets(prepared, folder, of_all[0].predictions().set_index(ID)[FOLD])
    wrong = frame["wrong"].to_numpy()
    print(f"{how}: {len(frame)} leaflets, {wrong.sum()} planted, {', '.join(options.config)} in {FOLDS} folds")
    print("                                       listed     AP  at as many as planted")
    ours = (1 / table.set_index(findings.GROUP)[findings.RANK]).groupby(level=0).max().reindex(frame.index).fillna(0.0)
    for name, scores in {"our audit": ours, **rival(frame, prepared, options.seed)}.items():
        best = np.argsort(-scores.to_numpy(), kind="stable")[: wrong.sum()]
        ap, found = average_precision_score(wrong, scores), wrong[best].mean()
        print(f"{name:<38} {int((scores > 0).sum()):>6}  {ap:.3f}  {found:.3f}", flush=True)


def planted(options: argparse.Namespace, how: str, folder: Path) -> Prepared:
    """The prepared folder with wrong labels in its manifest; planted.csv has the right one of each page."""
    at = folder / "prepared"
    if (folder / PLANTED).is_file():
        return read_prepared(at)
    command = [sys.executable, "-m", "leaflet_tool.cli.main", "prepare", str(options.archive), "--out", str(at)]
    subprocess.run([*command, "--dataset", options.dataset, "--no-report"], check=True)
    whole = read_prepared(at)
    frame, label, chance = whole.frame, whole.label, np.random.default_rng(options.seed)
    groups = frame.groupby(GROUP, sort=True)[label.name].first()
    if options.sample:
        groups = groups[chance.permutation(len(groups))[: options.sample]]
        frame = frame[frame[GROUP].isin(groups.index)]
    chosen = groups.index[chance.permutation(len(groups))[: round(options.share * len(groups))]]
    others = confused(frame, label.name, options.seed) if how == "confusable" else {}
    classes = sorted(set(groups))
    new = {}
    for group in chosen:
        wrong = [name for name in classes if name != groups[group]]
        new[group] = others.get(groups[group]) or str(chance.choice(wrong))
    right = frame[[ID, label.name]].rename(columns={label.name: "right"})
    labels = frame[GROUP].map(new).fillna(frame[label.name])
    write_manifest(frame.assign(**{label.name: labels}), at / "manifest.csv", label)
    write_table(right, folder / PLANTED)
    return read_prepared(at)


def confused(frame: pd.DataFrame, label: str, seed: int) -> dict[str, str]:
    """For each class the one that half of the leaflets take it for most often when the other half teaches."""
    half = frame[GROUP].map(dict(zip(sorted(set(frame[GROUP])), np.arange(frame[GROUP].nunique()) % 2, strict=True)))
    told, known = frame[half == 0], frame[half == 1]
    said = tfidf_logistic(known[TEXT], known[label], told[TEXT], seed=seed)
    found = {}
    for name in sorted(set(told[label])):
        means = said[told[label].to_numpy() == name].mean().drop(name, errors="ignore")
        found[name] = str(means.idxmax())
    return found


def leaflets(prepared: Prepared, folder: Path, held_out: pd.Series) -> pd.DataFrame:
    """A row a leaflet: its label, its text, its fold, and whether its label was planted."""
    right = read_table(folder / PLANTED).set_index(ID)["right"]
    frame = prepared.frame.assign(**{FOLD: prepared.frame[ID].map(held_out), "right": prepared.frame[ID].map(right)})
    of_group = frame.groupby(GROUP, sort=True)
    found = of_group[[prepared.label.name, FOLD, "right"]].first().assign(**{TEXT: of_group[TEXT].agg(" ".join)})
    return found.assign(wrong=found[prepared.label.name] != found["right"])


def rival(frame: pd.DataFrame, prepared: Prepared, seed: int) -> dict[str, pd.Series]:
    """Plain cleanlab: its list, the first with the highest score, and all leaflets by self-confidence."""
    label = prepared.label.name
    classes = sorted(set(frame[label]))
    values = pd.DataFrame(0.0, index=frame.index, columns=classes)
    for fold in sorted(set(frame[FOLD])):
        out = frame[FOLD] == fold
        said = tfidf_logistic(frame.loc[~out, TEXT], frame.loc[~out, label], frame.loc[out, TEXT], seed=seed)
        values.loc[out, said.columns] = said.to_numpy()
    labels = np.searchsorted(classes, frame[label])
    order = find_label_issues(labels, values.to_numpy(), return_indices_ranked_by="self_confidence", n_jobs=1)
    listed = pd.Series(0.0, index=frame.index)
    listed.iloc[order] = 1 / (1 + np.arange(len(order)))
    own = values.to_numpy()[np.arange(len(labels)), labels]
    return {
        "cleanlab, its list": listed,
        "cleanlab, all by self-confidence": pd.Series(1 - own, index=frame.index),
    }


if __name__ == "__main__":
    main()
