"""A learning rate that stays reduced when training goes on.

Ludwig makes its schedule anew after it has restored a checkpoint, and so forgets what it had reduced on a plateau.
"""

from typing import Any

from ludwig.callbacks import Callback
from ludwig.constants import TEST, TRAINING, VALIDATION


class Plateau(Callback):
    """Shows a new schedule the evaluations of the epochs before it."""

    def on_epoch_start(self, trainer: Any, progress_tracker: Any, save_path: str, **_: Any) -> None:
        schedule, settings = trainer.scheduler._eval_scheduler, trainer.scheduler.config
        if schedule is None or schedule.last_epoch > 0:
            return
        splits = {
            TRAINING: progress_tracker.train_metrics,
            VALIDATION: progress_tracker.validation_metrics,
            TEST: progress_tracker.test_metrics,
        }
        before = splits[settings.reduce_eval_split][trainer.validation_field][settings.reduce_eval_metric]
        for evaluation in before:
            schedule.step(evaluation[-1])
        if schedule.num_reduce_lr:
            for group in trainer.optimizer.param_groups:
                group["lr"] = group["initial_lr"] * schedule.factor**schedule.num_reduce_lr
