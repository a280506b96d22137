"""Trials as tables: the order of merit, the winner, and what Ludwig draws."""

from typing import Any

import pytest

from leaflet_tool.errors import ExitCode, TrainingError
from leaflet_tool.models import trials
from leaflet_tool.models.trials import DONE, FAILED, STOPPED, Trial


def trial(number: int, metric: float | None, status: str = DONE, **rest: Any) -> Trial:
    parameters = {"trainer.learning_rate": number / 10, "trainer.batch_size": 8 * number}
    return Trial(number, status, parameters, metric, epochs=3, seconds=1.5, **rest)


TRIALS = [trial(1, 0.4), trial(2, None, FAILED, error="it broke"), trial(3, 0.2, STOPPED), trial(4, 0.9)]


@pytest.mark.parametrize(("goal", "order"), [("minimize", [3, 1, 4, 2]), ("maximize", [4, 1, 3, 2])])
def test_the_best_come_first_and_the_failed_last(goal: str, order: list[int]) -> None:
    assert [each.number for each in trials.ranked(TRIALS, goal)] == order


def test_a_loss_of_zero_is_the_best_and_not_missing() -> None:
    assert trials.best([trial(1, 0.4), trial(2, 0.0)], "minimize").number == 2


def test_a_trial_that_failed_late_does_not_win() -> None:
    assert trials.best([trial(1, 0.4), trial(2, 0.1, FAILED, error="out of memory")], "minimize").number == 1


def test_without_any_figure_the_reason_of_the_first_failure_is_told() -> None:
    failed = [trial(number, None, FAILED, error=f"reason {number}") for number in (1, 2)]
    with pytest.raises(TrainingError, match="all 2 trials failed, the first with: reason 1") as error:
        trials.best(failed, "minimize")
    assert error.value.exit_code == ExitCode.TRAINING


@pytest.mark.parametrize("tried", [[], [trial(1, None, STOPPED)]])
def test_when_the_time_was_too_short_for_an_epoch_it_says_so(tried: list[Trial]) -> None:
    with pytest.raises(TrainingError, match="first epoch in time") as error:
        trials.best(tried, "minimize")
    assert "--minutes" in error.value.hint


def test_the_table_has_a_column_for_the_metric_and_each_parameter() -> None:
    table = trials.table([each.facts for each in TRIALS], "loss")
    assert list(table.columns) == [
        "trial", "status", "loss", "epochs", "seconds", "trainer.learning_rate", "trainer.batch_size", "error",
    ]  # fmt: skip
    assert table["error"].tolist() == ["", "it broke", "", ""]


def test_the_statistics_are_ludwigs_without_what_it_cannot_draw() -> None:
    section = {
        "goal": "minimize",
        "metric": "loss",
        "parameters": {"a": {"space": "loguniform", "lower": 1, "upper": 2}, "b": {"space": "choice"}},
    }
    tried = [
        Trial(1, DONE, {"a": 1.5, "b": {"type": "adam"}}, 0.3, 3, 1.0, training_stats={"validation": {}}),
        Trial(2, FAILED, {"a": 1.2, "b": {"type": "sgd"}}, None, 0, 0.0, error="it broke"),
    ]
    found = trials.statistics(tried, section)
    assert found["hyperopt_config"]["parameters"]["a"]["scale"] == "log"
    assert "scale" not in found["hyperopt_config"]["parameters"]["b"]
    assert found["hyperopt_results"] == [
        {
            "parameters": {"a": 1.5, "b": '{"type": "adam"}'},
            "metric_score": 0.3,
            "training_stats": {"validation": {}},
            "eval_stats": {},
        }
    ]
