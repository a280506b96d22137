"""The rows of altered copies of training pages, their pictures drawn in parallel and only where something changed."""

import logging
import random
from pathlib import Path
from typing import Any

import pandas as pd

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import AUGMENTED_FROM, BRIGHTNESS, CAPTION, ID, IMAGE, SHARPNESS, SPLIT, TEXT
from leaflet_tool.prepare import output, regions, resampling
from leaflet_tool.prepare.augment import Augment, Task, altered_copy, reworded
from leaflet_tool.prepare.copies import remember, spread
from leaflet_tool.prepare.dataset import Dataset
from leaflet_tool.prepare.images import Copy
from leaflet_tool.prepare.parallel import Lost
from leaflet_tool.prepare.sources.rows import LABEL
from leaflet_tool.prepare.store import Store
from leaflet_tool.progress import Progress, silent
from leaflet_tool.settings import PREPARE

log = logging.getLogger(__name__)
SHOWN = 5
TWO_WORDS = r"\S\s+\S"


def with_copies(
    frame: pd.DataFrame,
    settings: Augment,
    oversample: float = PREPARE.oversample,
    *,
    seed: int = PREPARE.seed,
    folder: str = output.IMAGES,
) -> pd.DataFrame:
    """`frame` with the rows of altered copies of its own training rows after it, their pictures to be in `folder`.

    Each row that can be altered has as many as the settings say, and as over-sampling deals it. A copy is its row but
    for ID, IMAGE, and TEXT and CAPTION where the settings alter words. An InputError where over-sampling finds none.
    """
    train = frame[(frame[SPLIT] == "train") & (frame[AUGMENTED_FROM] == "")]
    if not (settings.copies or oversample):
        return frame
    able = alterable(train, settings)
    if not able.any():
        _tell_none(settings, oversample)
        return frame
    dealt = resampling.copies(train[LABEL].tolist(), train[ID].tolist(), able.tolist(), oversample, seed)
    rows = train.loc[train.index.repeat(able * settings.copies + dealt)]
    numbers = rows.groupby(level=0).cumcount() + 1
    ids = _names(rows[ID], numbers, set(frame[ID]))
    images = [
        f"{folder}/{output.copy_name(name)}" if image and settings.draws else image
        for name, image in zip(ids, rows[IMAGE], strict=True)
    ]
    texts = {column: _reworded(rows[column], ids, settings, seed) for column in (TEXT, CAPTION)}
    copies = rows.assign(**{AUGMENTED_FROM: rows[ID], ID: ids, IMAGE: images, **texts})
    return pd.concat([frame, copies], ignore_index=True)


def alterable(rows: pd.DataFrame, settings: Augment) -> pd.Series:
    """Which rows have a picture that is altered, or two words in a text of which one may go."""
    drawn = rows[IMAGE].ne("") & settings.draws
    words = rows[TEXT].str.contains(TWO_WORDS) | rows[CAPTION].str.contains(TWO_WORDS)
    return drawn | (words & (settings.words > 0))


def _reworded(texts: pd.Series, ids: list[str], settings: Augment, seed: int) -> list[str]:
    """The texts as each copy has them; the chance of a copy comes from the seed and its id."""
    if not settings.words:
        return texts.tolist()
    chances = [random.Random(f"{seed}/{name}/{texts.name}") for name in ids]  # noqa: S311 - not for secrets
    return [reworded(text, settings.words, chance) for text, chance in zip(texts, chances, strict=True)]


def _tell_none(settings: Augment, oversample: float) -> None:
    what = "no training page has an image" + (" or two words in a text" if settings.words else "")
    if oversample:
        raise InputError(
            f"{what}, so there is nothing to over-sample with", hint="alter texts with augment: {words: 0.1}"
        )
    log.warning("%s, so there are no altered copies", what)


def _names(parents: pd.Series, numbers: pd.Series, taken: set[str]) -> list[str]:
    """An id a copy: the page's with -a1, -a2 …, and a further hyphen where the archive has a page of that name."""
    names = []
    for parent, number in zip(parents, numbers, strict=True):
        name = f"{parent}-a{number}"
        while name in taken:
            name += "-"
        names.append(name)
        taken.add(name)
    return names


def drawn(
    frame: pd.DataFrame,
    out: Path,
    dataset: Dataset,
    store: Store,
    *,
    folder: str = output.IMAGES,
    workers: int = 0,
    progress: Progress = silent,
) -> pd.DataFrame:
    """`frame` after the pictures of the altered copies in it were drawn in `folder` from the copies under `out`.

    A copy depends on its page's working copy, the settings, the seed and its own id; one that cannot be drawn is left
    out, and said. `store` remembers, by file name, what it was drawn from. Regions are cut from the copies.
    """
    copies = frame[(frame[AUGMENTED_FROM] != "") & frame[IMAGE].str.startswith(f"{folder}/")]
    parents = frame.set_index(ID)[IMAGE].loc[copies[AUGMENTED_FROM]]
    altered = parents.to_numpy() != copies[IMAGE].to_numpy()
    copies, parents = copies[altered], parents[altered]
    tasks = [
        Task(
            parent=out / parent,
            target=out / image,
            settings=dataset.augment,
            seed=f"{dataset.split.seed}/{name}",
            quality=dataset.images.jpeg_quality,
        )
        for name, image, parent in zip(copies[ID], copies[IMAGE], parents, strict=True)
    ]
    frame = _seen(frame, copies.index, _made(tasks, store, workers, progress))
    mine = frame[IMAGE].isin(copies[IMAGE])
    frame, reasons = regions.made(frame, mine, out, dataset, store, workers=workers, progress=progress)
    return _without(frame, reasons)


def _made(tasks: list[Task], store: Store, workers: int, progress: Progress) -> list[Copy]:
    """Each task's outcome, from an earlier run where nothing has changed since."""
    states = {task: _state(task, store) for task in tasks}
    outcomes = {task: copy for task, state in states.items() if (copy := _kept(task, state, store))}
    wanted = [task for task in tasks if task not in outcomes]
    log.debug("%d of %d altered copies are as they should be", len(outcomes), len(tasks))
    folders = {task.target.parent for task in wanted}
    with spread(altered_copy, wanted, folders, workers, progress, title="altering copies") as results:
        for task, result in results:
            outcomes[task] = Copy(reason=result.reason) if isinstance(result, Lost) else result
            remember(store, task.target, states[task], outcomes[task])
    return [outcomes[task] for task in tasks]


def _state(task: Task, store: Store) -> list[Any]:
    """What a copy depends on: its page's working copy, and all settings but how many there are of a page."""
    page = store.get(task.parent.name) or {}
    settings = task.settings.model_dump(mode="json", exclude={"copies", "words"})
    return [page.get("made_from"), page.get("turn"), settings, task.seed, task.quality]


def _kept(task: Task, state: list[Any], store: Store) -> Copy | None:
    """The copy that an earlier run left, if it was drawn from this state."""
    known = store.get(task.target.name)
    if known and known["made_from"] == state and task.target.is_file():
        return Copy(**known["copy"])
    return None


def _seen(frame: pd.DataFrame, copies: pd.Index, made: list[Copy]) -> pd.DataFrame:
    """`frame` with what was seen of the altered copies, without those that are none."""
    frame = frame.copy()
    frame.loc[copies, BRIGHTNESS] = [str(copy.brightness) for copy in made]
    frame.loc[copies, SHARPNESS] = [str(copy.sharpness) for copy in made]
    reasons = pd.Series("", index=frame.index, dtype=str)
    reasons[copies] = [copy.reason for copy in made]
    return _without(frame, reasons)


def _without(frame: pd.DataFrame, reasons: pd.Series) -> pd.DataFrame:
    """The rows without a reason to leave them out; the others are told."""
    lost = reasons[reasons != ""]
    if len(lost):
        first = "; ".join(f"{frame.at[row, ID]}: {reason}" for row, reason in lost.head(SHOWN).items())
        log.warning("%d altered copies could not be drawn and are left out: %s", len(lost), first)
    return frame[reasons == ""].reset_index(drop=True)
