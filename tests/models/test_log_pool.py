"""The stack's start: the pool that fits its training rows, in Ludwig's own network, before anything is learned."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from ludwig.callbacks import Callback
from scipy.special import softmax

from leaflet_tool.manifest import Label
from leaflet_tool.models import bases, definitions, engine, rows
from leaflet_tool.models.extensions.log_pool import Logarithm, StartAtPool
from leaflet_tool.models.runs import ROWS

CLASSES = ["blue", "green", "red"]
STILL = {"epochs": 1, "learning_rate": 0.0}


class Probe(Callback):
    """The network's logits for `said`, in Ludwig's order of the classes, as training begins."""

    def __init__(self, said: np.ndarray) -> None:
        self.said, self.logits = torch.tensor(said, dtype=torch.float32), np.empty(0)

    def on_train_start(self, model: Any, config: Any, config_fp: str | None, **_: Any) -> None:
        model.eval()
        with torch.no_grad():
            found = model({"probabilities": self.said, "logarithms": self.said})
        (logits,) = [value for key, value in found.items() if key.endswith("logits")]
        self.logits = logits.numpy()
        model.train()


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Forty rows: both runs know the class often, the first oftener."""
    chance = np.random.default_rng(3)
    labels = chance.choice(CLASSES, 40)
    true = labels[:, None] == np.array(CLASSES)
    better, worse = (softmax(lead * true + chance.normal(0, 1, (40, 3)), axis=1) for lead in (2.0, 1.0))
    cells = [bases.cell(row) for row in np.hstack([better, worse])]
    split = ["train"] * 28 + ["validation"] * 6 + ["test"] * 6
    return pd.DataFrame({bases.COLUMN: cells, "party": labels, "split": split, "text": "", "image": ""})


def started(table: pd.DataFrame, folder: Path, *overrides: str) -> tuple[StartAtPool, Probe, np.ndarray]:
    """The stack's network trained on the table by a learning rate of nothing, and what was seen as it began."""
    folder.mkdir(exist_ok=True)
    written = table.assign(split=table["split"].map(rows.SPLIT_NUMBERS))
    rows.write(written, folder / ROWS)
    content = definitions.fill(definitions.find("stack").content, definitions.slots(Label("party")))
    settings = [f"trainer.{key}={value}" for key, value in STILL.items()]
    config = definitions.override(content, [*settings, *overrides])
    said = np.array([cell.split() for cell in table[bases.COLUMN]], dtype=float)
    pool, probe = StartAtPool(folder / ROWS, "party", CLASSES, ["better", "worse"]), Probe(said)
    engine.train(config, folder / ROWS, folder, seed=1, callbacks=[pool, probe])
    return pool, probe, said


def test_it_begins_as_the_pool_that_fits_the_training_rows(table: pd.DataFrame, tmp_path: Path) -> None:
    pool, probe, said = started(table, tmp_path / "run")
    logs = np.log(said).reshape(40, 2, 3)
    train, truth = (table["split"] == "train").to_numpy(), [CLASSES.index(label) for label in table["party"]]

    def loss(weight: float) -> float:
        probabilities = softmax(weight * logs[:, 0] + (1 - weight) * logs[:, 1], axis=1)
        return float(-np.log(probabilities[np.arange(40), truth][train]).mean())

    best = min(np.linspace(0, 1, 1001), key=loss)
    assert 0.5 < best < 1
    order = [CLASSES.index(name) for name in pool.vocabulary]
    expected = softmax(best * logs[:, 0] + (1 - best) * logs[:, 1], axis=1)[:, order]
    assert np.allclose(softmax(probe.logits, axis=1), expected, atol=2e-3)


def test_a_definition_whose_last_layer_reads_something_else_starts_from_chance(
    table: pd.DataFrame, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    _, probe, _ = started(table, tmp_path / "run", "combiner.num_fc_layers=1", "combiner.output_size=8")
    assert "starts from chance" in caplog.text
    assert not np.allclose(probe.logits, 0)


def test_no_probability_is_too_small_for_its_logarithm() -> None:
    found = Logarithm(input_size=2)(torch.tensor([[0.0, 1.0]]))["encoder_output"]
    assert torch.isfinite(found).all()
    assert found[0, 1] == 0
