"""The one door to Ludwig: validate, train, evaluate, predict. Ludwig takes 15 s to import, so only functions do."""

import errno
import logging
import os
import re
import shutil
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from leaflet_tool.errors import InputError, LeafletError, TrainingError
from leaflet_tool.models import parameters, portable
from leaflet_tool.storage import read_json

logger = logging.getLogger(__name__)

LOCAL: Any = {"type": "local"}
RAY: Any = {
    "type": "ray",
    "processor": {"type": "dask"},
    "trainer": {"num_workers": 1, "use_gpu": False, "resources_per_worker": {"CPU": 1}},
}
"""One worker: with more, Ludwig 0.17 trains copies that never exchange gradients."""
BACKENDS = {"local": LOCAL, "ray": RAY}
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
WRITE_FAILED = re.compile(r"PytorchStreamWriter|inline_container|iostream error|os error (27|28|122)\b")
"""What torch and safetensors say when a file cannot be written: they keep the system's own error to themselves."""
TRACE_HINT = "run with -v for the whole trace"
MODEL = "model"
PROGRESS, CHECKPOINTS = "training_progress.json", "training_checkpoints"
TEST_STATISTICS = "test_statistics.json"


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps Ludwig's own bars and boxes off stdout, which is for results; its warnings stay in the log."""
    os.environ.setdefault("TQDM_DISABLE", "1")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    with redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class RefusedError(InputError):
    """Ludwig's objection to a definition."""

    place: tuple[str | int, ...] = ()
    """Keys and list positions that lead to what it objects to; empty where Ludwig does not say."""


def validated(config: Any) -> dict[str, Any]:
    """The definition with every default of Ludwig's filled in; a RefusedError carries Ludwig's own objection."""
    with quiet():
        from ludwig.error import ConfigValidationError
        from ludwig.schema.model_types.base import ModelConfig

        import leaflet_tool.models.extensions  # noqa: F401

        try:
            with _muted("ludwig"), _muted(""):
                return ModelConfig.from_dict(config).to_dict()
        except (ConfigValidationError, ValueError, KeyError, TypeError) as error:
            refusal = RefusedError(
                f"Ludwig refuses the definition: {_objection(error)}",
                hint="mend it, or leave the key out to have Ludwig's own value",
            )
            refusal.place = _place(error)
            raise refusal from error


def trainer_keys() -> set[str]:
    """The keys Ludwig knows in a definition's trainer section."""
    with quiet():
        from ludwig.schema.trainer import ECDTrainerConfig

        return set(ECDTrainerConfig().to_dict())


@contextmanager
def _muted(name: str) -> Iterator[None]:
    """Keeps a logger's messages back: Ludwig logs the traceback of what it raises as well, some to the root logger."""
    package = logging.getLogger(name)
    level = package.level
    package.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        package.setLevel(level)


def _objection(error: Exception) -> str:
    """What a person can act on, key first, out of the lines that Ludwig and pydantic put around it."""
    place = _place(error)
    if place:
        return f"{'.'.join(map(str, place))}: {error.__cause__.message}"  # type: ignore[union-attr]
    found = re.search(r"Value error, (.*?) \[type=", str(error), re.DOTALL)
    return found[1] if found else str(error)


def _place(error: Exception) -> tuple[str | int, ...]:
    """Where in the definition Ludwig's schema is not met, if it was the schema that refused."""
    from jsonschema import ValidationError

    return tuple(error.__cause__.absolute_path) if isinstance(error.__cause__, ValidationError) else ()


def trained(folder: Path) -> bool:
    """Whether training in the folder came to its end: Ludwig writes its report last."""
    return (folder / "training_report.json").is_file()


def train(config: Mapping[str, Any], rows: Path, folder: Path, *, seed: int, callbacks: Sequence[Any] = ()) -> None:
    """Trains on the CSV `rows` into `folder`, or goes on from the checkpoint there; a TrainingError says what failed.

    The folder given as the one to resume is how Ludwig is told exactly where to write. A full disk is an OSError that
    names it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _discard_broken_checkpoint(folder / MODEL)
    portable.keep(config, folder)
    with quiet():
        from ludwig.api import LudwigModel

        from leaflet_tool.models.extensions.coherence import Hierarchy
        from leaflet_tool.models.extensions.plateau import Plateau

        try:
            ours = [_interruptible(), _log(), Hierarchy(), Plateau(), parameters.recorder(folder)]
            LudwigModel(dict(config), logging_level=logging.ERROR, callbacks=[*ours, *callbacks]).train(
                dataset=str(rows),
                model_resume_path=str(folder),
                random_seed=seed,
                skip_save_processed_input=True,
            )
        except Exception as error:
            if _unwritten(error):
                number = error.errno if isinstance(error, OSError) and error.errno else errno.ENOSPC
                raise OSError(number, "there is no room for the model", str(folder)) from error
            raise TrainingError(f"Ludwig could not train: {error}", hint=TRACE_HINT) from error


def _discard_broken_checkpoint(model: Path) -> None:
    """Removes Ludwig's note on how far training was where it is half written, and the checkpoints it goes with."""
    if not (model / PROGRESS).is_file():
        return
    try:
        read_json(model / PROGRESS)
    except InputError:
        logger.warning("%s is broken, so that training begins anew", model / PROGRESS)
        (model / PROGRESS).unlink()
        shutil.rmtree(model / CHECKPOINTS, ignore_errors=True)


def _unwritten(error: BaseException | None) -> bool:
    """Whether an error, or what caused it, is a file that had no room."""
    if error is None:
        return False
    full = isinstance(error, OSError) and error.errno in DISK_FULL
    return full or bool(WRITE_FAILED.search(str(error))) or _unwritten(error.__cause__ or error.__context__)


def load(folder: Path) -> Any:
    """The trained `LudwigModel` in a run's folder, on the local backend, without any download."""
    with quiet():
        from ludwig.api import LudwigModel

        import leaflet_tool.models.extensions  # noqa: F401

        try:
            with portable.reloadable(folder, MODEL) as model:
                return LudwigModel.load(str(model), logging_level=logging.ERROR, backend=LOCAL)
        except LeafletError:
            raise
        except Exception as error:
            raise InputError(f"{folder / MODEL} cannot be loaded: {error}", hint=TRACE_HINT) from error


def complete(folder: Path) -> dict[str, Any]:
    """The definition of the trained model in a run's folder, as Ludwig completed it."""
    found: dict[str, Any] = read_json(folder / MODEL / portable.HYPERPARAMETERS)
    return found


def evaluate(model: Any, rows: Path, output: Path) -> pd.DataFrame:
    """Ludwig's predictions for every row of the CSV, judged by its own metrics; both are saved in `output`."""
    with quiet():
        _, predictions, _ = model.evaluate(
            dataset=str(rows),
            collect_predictions=True,
            collect_overall_stats=True,
            skip_save_unprocessed_output=False,
            skip_save_predictions=False,
            skip_save_eval_stats=False,
            output_directory=str(output),
        )
    return predictions


def predict(model: Any, rows: Path) -> pd.DataFrame:
    """Ludwig's predictions for every row of the CSV, in its order."""
    with quiet():
        predictions, _ = model.predict(dataset=str(rows), skip_save_predictions=True)
    return predictions


def probabilities(model: Any, predictions: pd.DataFrame, label: str) -> pd.DataFrame:
    """Probabilities `[rows, classes]` by Ludwig's names of the classes, sorted; whatever Ludwig calls its columns.

    Of a set feature Ludwig hands out only what reaches its threshold, which a definition of ours sets to 0.
    """
    vocabulary = model.training_set_metadata[label]["idx2str"]
    rows = predictions[f"{label}_probabilities"].tolist()
    if any(len(row) < len(vocabulary) or not np.isfinite(row).all() for row in rows):
        raise TrainingError(
            "the model's probabilities are no numbers: training diverged", hint="lower trainer.learning_rate"
        )
    frame = pd.DataFrame(rows, columns=vocabulary, dtype=float)
    return frame[sorted(vocabulary)]


def machine() -> dict[str, Any]:
    """What the run ran on: the accelerator's name, or cpu, and the number of cores."""
    import torch

    return {"device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu", "cores": os.cpu_count()}


def _interruptible() -> Any:
    """A callback that gives Ctrl-C back to Python: Ludwig would end the step and call the run complete.

    Ludwig drops a Ctrl-C that comes while it writes a checkpoint, and Python a KeyboardInterrupt that falls into a
    finaliser. The system's own handler writes a byte for each signal all the same, for which every step looks.
    """
    from ludwig.callbacks import Callback

    class Interruptible(Callback):
        pipe: tuple[int, int] | None = None

        def on_trainer_train_setup(self, trainer: Any, save_path: str, is_coordinator: bool, **_: Any) -> None:
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGINT, signal.default_int_handler)
                self.pipe = os.pipe()
                for end in self.pipe:
                    os.set_blocking(end, False)
                signal.set_wakeup_fd(self.pipe[1], warn_on_full_buffer=False)

        def look(self, *_: Any, **__: Any) -> None:
            if self.pipe:
                with suppress(BlockingIOError):
                    if signal.SIGINT in os.read(self.pipe[0], 4096):
                        raise KeyboardInterrupt

        on_batch_start = on_eval_end = look

        def on_trainer_train_teardown(self, *_: Any, **__: Any) -> None:
            try:
                self.look()
            finally:
                if self.pipe:
                    signal.set_wakeup_fd(-1)
                    for end in self.pipe:
                        os.close(end)
                self.pipe = None

    return Interruptible()


def _log() -> Any:
    """A callback that says after each evaluation how far training is and how it does on validation."""
    from ludwig.callbacks import Callback

    class Log(Callback):
        def on_eval_end(self, trainer: Any, progress_tracker: Any, save_path: str, **_: Any) -> None:
            logger.info("%s", _state(trainer, progress_tracker))

    return Log()


def _state(trainer: Any, tracker: Any) -> str:
    field, metric = trainer.validation_field, trainer.validation_metric
    losses = [f"epoch {tracker.epoch} of {trainer.epochs}"]
    for name, metrics in (("training", tracker.train_metrics), ("validation", tracker.validation_metrics)):
        values = metrics.get(field, {}).get(metric, [])
        if values:
            losses.append(f"{name} {metric} {values[-1][-1]:.4f}")
    return ", ".join(losses)
