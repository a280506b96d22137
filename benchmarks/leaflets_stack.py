"""A stack of picture, text of another archive, and both in one model, beside simple tools on the same folds.

    python benchmarks/leaflets_stack.py LEAFLETS TEXTS [--folds 5] [--seed 42] [--out FOLDER]

LEAFLETS are photographed leaflets by party (datasets/leaflets.yaml), TEXTS transcribed ones of which the parties among
the photographs count (datasets/leaflet_texts.yaml). `image_small` and `multimodal_small` are trained in folds,
`text_tfidf` on TEXTS, and all three are stacked out of fold. The simple tools are logistic regression on a histogram
of a page's colours, on TF-IDF weights of its words, and the product of their probabilities; that of words learns from
the fold's own pages, or from TEXTS. Intervals are 95 %, bootstrap over leaflets; the last columns are the stack's lead.
"""

import argparse
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.linear_model import LogisticRegression

from leaflet_tool.manifest import FOLD, GROUP, ID, IMAGE, SPLIT, TEXT, Prepared, read_prepared
from leaflet_tool.measure.baselines import tfidf_logistic
from leaflet_tool.measure.evaluation import evaluate
from leaflet_tool.measure.paired import paired
from leaflet_tool.measure.predictions import from_probabilities
from leaflet_tool.measure.rules import MEAN_LOG, WEIGHTED_MEAN
from leaflet_tool.models import definitions, rows, training
from leaflet_tool.models.runs import ROWS, Run
from leaflet_tool.models.scoring import rules
from leaflet_tool.prepare.dataset import load, overridden
from leaflet_tool.prepare.recipe import prepare
from leaflet_tool.results.stacking import stack

BINS = 8
"""Of each colour in a histogram."""
UNITS = ("page", "leaflet")


def main() -> None:
    """Prepares, trains, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("leaflets", type=Path)
    parser.add_argument("texts", type=Path)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--out", type=Path, help="keep the prepared folders and the runs here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.out or Path(scratch)
        leaflets = prepared_leaflets(options.leaflets, folder / "leaflets")
        texts = prepared_texts(options.texts, folder / "texts", leaflets.classes)
        stacked = trained(leaflets, texts, training.Request("stack", folder / "runs", seed=options.seed), options.folds)
        show(compared(stacked, leaflets, texts), seed=options.seed)


def prepared_leaflets(archive: Path, out: Path) -> Prepared:
    """The photographs, read by Tesseract."""
    prepare(archive, out, load("leaflets"))
    return read_prepared(out)


def prepared_texts(archive: Path, out: Path, classes: Iterable[str]) -> Prepared:
    """The transcribed leaflets of these parties, as an archive of their own."""
    table = pd.read_json(archive, lines=True, dtype=str)
    few = out.with_name(f"{out.name}_archive")
    few.mkdir(parents=True, exist_ok=True)
    chosen = table[table["party"].isin(set(classes))]
    chosen[["id", "text", "party"]].to_json(few / "texts.jsonl", orient="records", lines=True)
    prepare(few, out, overridden(load("leaflet_texts"), {"source.file": "texts.jsonl"}))
    return read_prepared(out)


def trained(leaflets: Prepared, texts: Prepared, request: training.Request, folds: int) -> Run:
    """The three runs and their stack."""
    plan = {"image": ("image_small", leaflets, folds), "both": ("multimodal_small", leaflets, folds)}
    plan |= {"text": ("text_tfidf", texts, 0)}
    found = []
    for name, (config, prepared, parts) in plan.items():
        wanted = replace(request, name=name, folds=parts, force=True)
        found.append(training.train(definitions.find(config), prepared, wanted))
    return stack(found, replace(request, force=True), leaflets.folder)


def compared(stacked: Run, leaflets: Prepared, texts: Prepared) -> dict[str, pd.DataFrame]:
    """Predictions of every page by the stack, its runs, simple rules, and simple tools on the same folds."""
    predictions = stacked.predictions()
    found = {"stack": predictions}
    parts = [rules(rows.read(model / ROWS), stacked.label, stacked.facts["stack"]) for model in stacked.models()]
    named = {MEAN_LOG: "mean log-probability", WEIGHTED_MEAN: "weighted mean"}
    found |= {named.get(name, f"run {name}"): pd.concat([part[name] for part in parts]) for name in parts[0]}
    pages = leaflets.frame.set_index(ID).loc[predictions[ID]].reset_index()
    tools = simple(pages.assign(**{FOLD: predictions[FOLD]}), leaflets, texts, stacked.facts["seed"])
    labels = predictions["label"]
    return found | {
        name: from_probabilities(predictions[[ID, GROUP, SPLIT]], labels, each) for name, each in tools.items()
    }


def simple(pages: pd.DataFrame, leaflets: Prepared, texts: Prepared, seed: int) -> dict[str, pd.DataFrame]:
    """Probabilities of every page by the simple tools, each page by what was learned from the other folds."""
    label, colours = leaflets.label.name, np.array([histogram(leaflets.folder / name) for name in pages[IMAGE]])
    elsewhere = tfidf_logistic(texts.frame[TEXT], texts.frame[texts.label.name], pages[TEXT], seed=seed)
    seen, read = (pd.DataFrame(index=pages.index, columns=elsewhere.columns, dtype=float) for _ in range(2))
    for fold in sorted(set(pages[FOLD])):
        test = (pages[FOLD] == fold).to_numpy()
        model = LogisticRegression(C=10.0, max_iter=1000, random_state=seed)
        model.fit(colours[~test], pages.loc[~test, label])
        seen.loc[test, list(model.classes_)] = model.predict_proba(colours[test])
        words = tfidf_logistic(pages.loc[~test, TEXT], pages.loc[~test, label], pages.loc[test, TEXT], seed=seed)
        read.loc[test, list(words.columns)] = words.to_numpy()
    return {
        "colour histogram + LR": seen.fillna(0.0),
        "TF-IDF + LR": read.fillna(0.0),
        "their product": product(seen, read),
        "TF-IDF + LR on TEXTS": elsewhere,
        "product of colours and that": product(seen, elsewhere),
    }


def histogram(path: Path) -> np.ndarray:
    """Square roots of the shares of a page's pixels in each cell of red, green and blue."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB").resize((128, 128))).reshape(-1, 3)
    cells = np.histogramdd(pixels, bins=(BINS,) * 3, range=((0, 256),) * 3)[0].ravel()
    return np.sqrt(cells / cells.sum())


def product(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """The product of probabilities, made to sum to 1 again."""
    found = first.fillna(0.0) * second.fillna(0.0) + 1e-12
    return found.div(found.sum(axis=1), axis=0)


def show(found: dict[str, pd.DataFrame], *, seed: int) -> None:
    """A line for each: accuracy per page and per leaflet, and the stack's lead."""
    sizes = evaluate(found["stack"], seed=seed, resamples=10)
    print("{} pages of {} leaflets".format(sizes["page"]["rows"], sizes["page"]["groups"]))
    heads = ["", *(f"accuracy a {unit}" for unit in UNITS), *(f"stack's lead a {unit}" for unit in UNITS)]
    print("{:<28} {:<23} {:<23} {:<25} {}".format(*heads))
    for name, frame in found.items():
        figures = evaluate(frame, seed=seed)
        cells = [spelt(figures[unit]["figures"]["accuracy"], "{:.3f}") for unit in UNITS]
        if name != "stack":
            lead = paired(found["stack"], frame, seed=seed)
            cells += [spelt(lead[unit]["accuracy_difference"], "{:+.3f}") for unit in UNITS]
        print("{:<28} {:<23} {:<23} {:<25} {}".format(name, *cells, *[""] * (4 - len(cells))))


def spelt(figure: dict[str, float], how: str) -> str:
    """A figure with its interval."""
    value, low, high = (how.format(figure[part]) for part in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


if __name__ == "__main__":
    main()
