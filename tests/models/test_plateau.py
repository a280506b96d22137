"""The learning rate of a training that was broken off on a plateau."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ludwig.schema  # noqa: F401  its modules import each other, and begin here
import pytest
from ludwig.callbacks import Callback

from leaflet_tool.errors import TrainingError
from leaflet_tool.manifest import read_prepared
from leaflet_tool.models import definitions, engine, rows, training

SCHEDULE = {
    "reduce_on_plateau": 9,
    "reduce_on_plateau_patience": 1,
    "reduce_on_plateau_rate": 0.5,
    "reduce_eval_split": "validation",
}
TOO_SMALL = 1e-6
"""A learning rate at which nothing is learned, so that every epoch but the first is on a plateau."""


@dataclass
class Rates(Callback):
    """Keeps the part of the learning rate that an epoch's first and last step had, and breaks off after an epoch."""

    after: int = 0
    first: dict[int, float] = field(default_factory=dict)
    last: dict[int, float] = field(default_factory=dict)

    def on_batch_start(self, trainer: Any, progress_tracker: Any, save_path: str) -> None:
        rate = trainer.optimizer.param_groups[0]["lr"] / TOO_SMALL
        self.first.setdefault(progress_tracker.epoch, rate)
        self.last[progress_tracker.epoch] = rate

    def on_epoch_end(self, trainer: Any, progress_tracker: Any, save_path: str) -> None:
        if progress_tracker.epoch == self.after:
            raise RuntimeError("broken off")


def test_the_learning_rate_stays_reduced_when_training_goes_on(tiny_prepared: Path, tmp_path: Path) -> None:
    prepared = read_prepared(tiny_prepared)
    settings = {"learning_rate": TOO_SMALL, "learning_rate_scheduler": SCHEDULE, "early_stop": -1, "batch_size": 4}
    overrides = tuple(f"trainer.{key}={json.dumps(value)}" for key, value in settings.items())
    request = training.Request("any", overrides=overrides, epochs=9)
    config = training.filled_for(definitions.find("text_tfidf"), prepared, request)
    rows.write(rows.for_ludwig(prepared.frame, prepared.folder, prepared.label), tmp_path / "ludwig.csv")

    def trained(name: str, after: int = 0) -> Rates:
        rates = Rates(after)
        engine.train(config, tmp_path / "ludwig.csv", tmp_path / name, seed=1, callbacks=[rates])
        return rates

    whole = trained("whole")
    assert whole.last == pytest.approx({epoch: 0.5 ** max(0, (epoch - 1) // 2) for epoch in range(9)})
    with pytest.raises(TrainingError, match="broken off"):
        trained("broken", after=6)
    gone_on = trained("broken")
    assert min(gone_on.last) == 6
    assert gone_on.last == pytest.approx({epoch: whole.last[epoch] for epoch in gone_on.last})
    assert gone_on.first[6] == pytest.approx(whole.last[6])
