"""A drawing of one explained page, in the style of `figures`: the page, where and which words weighed, the classes.

Blue speaks for the class and vermilion against it, told apart with every common colour vision; the stronger, the more.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from scipy import ndimage

from leaflet_tool.measure import marked_text_figures as marked
from leaflet_tool.measure.areas import Area, smoothed
from leaflet_tool.measure.data_figures import named
from leaflet_tool.measure.figures import INK, PALE, STYLE, short
from leaflet_tool.measure.marked_text_figures import AGAINST, FOR, Word, colour

OTHER = "#B8B8B8"
WIDTH = 13.0
"""Of the sheet, inches; the other lengths are inches, too."""
GAP, TITLE, BAR, NOTE = 0.4, 0.3, 0.22, 0.19
PAGE_HEIGHT, PAGE_WIDTH = 4.9, 3.5
VIEW_HEIGHT = 2.9
NAMES_WIDTH, BARS_WIDTH, VALUES_WIDTH = 1.75, 2.0, 0.55
BLOCK_WIDTH = NAMES_WIDTH + BARS_WIDTH + VALUES_WIDTH
NAME, VIEW_TITLE = 24, 44
TITLE_LETTER = 0.075
"""Width of a letter of a view's title, about."""
GREY, HEAT = 0.45, 0.75
"""How much of an image is left beneath the weights, and the opacity of the heaviest cell."""

type FloatArray = NDArray[np.float64]
type Draw = Callable[[Axes], None]


@dataclass(frozen=True)
class View:
    """An image `[height, width, 3]` that a model looked at, and what in it weighed; `grid` may be missing."""

    title: str
    picture: NDArray[np.uint8]
    grid: FloatArray | None = None
    areas: Sequence[Area] = ()

    def size(self, height: float) -> tuple[float, float]:
        """Width and height of the drawing that is at most so high."""
        tall, wide = self.picture.shape[:2]
        scale = min(height / tall, PAGE_WIDTH / wide)
        return wide * scale, tall * scale


@dataclass(frozen=True)
class Text:
    """A text in lines of words, and its heaviest words, each kind once."""

    name: str
    title: str
    lines: Sequence[Sequence[Word]]
    words: Sequence[tuple[str, float]]


@dataclass(frozen=True)
class Bar:
    """A class and its probability; the threshold from which it is predicted, where it has one; whether it is.

    `asked` marks the class that is explained.
    """

    name: str
    value: float
    threshold: float | None = None
    predicted: bool = False
    asked: bool = False


@dataclass(frozen=True)
class Sheet:
    """All that is drawn of a page."""

    title: str
    subtitle: str
    page: NDArray[np.uint8] | None
    bars: Sequence[Bar]
    parts: Sequence[tuple[str, float]] = ()
    """What each input, or base run, weighs."""
    views: Sequence[View] = ()
    texts: Sequence[Text] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class _Placed:
    """Something that is drawn on axes of this place and size, `top` inches from the top."""

    left: float
    top: float
    width: float
    height: float
    draw: Draw

    @property
    def bottom(self) -> float:
        return self.top + self.height


@matplotlib.rc_context(STYLE)
def explanation(sheet: Sheet) -> Figure:
    """The page, what was seen of it and the bars on top, then other views, then each text, then the notes."""
    placed = list(_top(sheet, 0.65 + TITLE))
    placed += _view_rows(sheet, _bottom(placed))
    for text in sheet.texts:
        placed.append(_text(text, _bottom(placed)))
    end = max(each.bottom for each in placed) + GAP
    height = end + NOTE * len(sheet.notes) + 0.1
    figure = Figure(figsize=(WIDTH, height))
    figure.text(0, 1, short(sheet.title, 100), va="top", fontsize=14, fontweight="bold")
    figure.text(0, 1 - 0.32 / height, sheet.subtitle, va="top", fontsize=9.5)
    for each in placed:
        bottom = (height - each.bottom) / height
        each.draw(figure.add_axes((each.left / WIDTH, bottom, each.width / WIDTH, each.height / height)))
    for number, note in enumerate(sheet.notes):
        figure.text(0, 1 - (end + NOTE * number) / height, note, va="top", fontsize=8, color=PALE)
    return figure


def _bottom(placed: Sequence[_Placed]) -> float:
    """Where the next row's axes begin."""
    return max(each.bottom for each in placed) + GAP + TITLE


def _top(sheet: Sheet, top: float) -> Iterator[_Placed]:
    """The page, the one view there is, and blocks of bars in as many columns as there is room for."""
    left = high = 0.0
    pages = [View("the page", sheet.page)] if sheet.page is not None else []
    for view in [*pages, *(sheet.views if len(sheet.views) == 1 else ())]:
        width, height = view.size(PAGE_HEIGHT)
        yield _Placed(left, top, width, height, _drawing(view))
        left, high = left + _slot(view, width), max(high, height)
    down = top
    for draw, count in _blocks(sheet):
        if down > top and down + BAR * count > top + high and left + 2 * BLOCK_WIDTH + GAP <= WIDTH:
            left, down = left + BLOCK_WIDTH + GAP, top
        yield _Placed(left + NAMES_WIDTH, down, BARS_WIDTH, BAR * count, draw)
        down += BAR * count + 1.2 * GAP + TITLE


def _blocks(sheet: Sheet) -> Iterator[tuple[Draw, int]]:
    """Each group of bars, and how many they are."""
    yield (lambda axes: _draw_classes(axes, sheet.bars)), len(sheet.bars)
    groups = [("what each weighs, log odds", sheet.parts)]
    groups += [(f"{short(text.name, 26)}: words, log odds", text.words) for text in sheet.texts]
    for title, bars in groups:
        if bars:
            yield _signed_bars(bars, title), len(bars)


def _view_rows(sheet: Sheet, top: float) -> Iterator[_Placed]:
    """Views in rows, where they are more than one."""
    left = 0.0
    for view in sheet.views if len(sheet.views) > 1 else ():
        width, height = view.size(VIEW_HEIGHT)
        if left and left + width > WIDTH:
            left, top = 0.0, top + VIEW_HEIGHT + GAP + TITLE
        yield _Placed(left, top, width, height, _drawing(view))
        left += _slot(view, width)


def _slot(view: View, width: float) -> float:
    """What a view takes with its title and the gap after it."""
    return max(width, TITLE_LETTER * len(short(view.title, VIEW_TITLE))) + GAP


def _text(text: Text, top: float) -> _Placed:
    lines = marked.laid(text.lines)
    height = marked.height(lines)

    def draw(axes: Axes) -> None:
        axes.set_title(short(text.title, 150), fontsize=9)
        axes.set(xticks=[], yticks=[], xlim=(0, WIDTH), ylim=(height, 0))
        axes.spines[:].set_visible(False)
        marked.draw(axes, lines)

    return _Placed(0, top, WIDTH, height, draw)


def _drawing(view: View) -> Draw:
    """Draws the image, pale where weights lie over it."""

    def draw(axes: Axes) -> None:
        axes.set_title(short(view.title, VIEW_TITLE), fontsize=9)
        extent = (0, 1, 1, 0)
        if view.grid is None:
            axes.imshow(view.picture, extent=extent, aspect="auto")
        else:
            grey = view.picture.mean(axis=2) / 255
            axes.imshow(1 - GREY * (1 - grey), extent=extent, aspect="auto", cmap="gray", vmin=0, vmax=1)
            axes.imshow(_heat(view.grid), extent=extent, aspect="auto", interpolation="bilinear")
        for area in view.areas:
            _draw_area(axes, area)
        axes.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(1, 0))
        axes.spines[:].set_visible(True)

    return draw


def _heat(grid: FloatArray) -> FloatArray:
    """The weights as colours `[height, width, 4]`: hue for the sign, opacity for the strength."""
    fine = ndimage.zoom(smoothed(grid), 16, order=1, mode="nearest", grid_mode=True)
    strength = abs(fine) / (abs(fine).max() or 1)
    colours = np.where(fine[..., None] >= 0, to_rgb(FOR), to_rgb(AGAINST))
    return np.concatenate([colours, HEAT * strength[..., None]], axis=2)


def _draw_area(axes: Axes, area: Area) -> None:
    edge, width, height = colour(area.weight), area.right - area.left, area.bottom - area.top
    axes.add_patch(Rectangle((area.left, area.top), width, height, fill=False, edgecolor=edge, linewidth=1.8))
    label = axes.text(area.left + 0.01, area.top + 0.01, signed(area.weight), color=edge, fontsize=8, va="top")
    label.set_fontweight("bold")
    label.set_bbox({"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.2})


def signed(weight: float) -> str:
    """Two decimals, or three of a small weight."""
    return f"{weight:+.2f}" if abs(weight) >= 0.1 else f"{weight:+.3f}"


def _draw_classes(axes: Axes, bars: Sequence[Bar]) -> None:
    """Classes by probability, the one that is explained in bold."""
    places = range(len(bars))
    axes.barh(places, [bar.value for bar in bars], height=0.72, color=[FOR if bar.predicted else OTHER for bar in bars])
    for place, bar in zip(places, bars, strict=True):
        if bar.threshold is not None:
            axes.vlines(bar.threshold, place - 0.45, place + 0.45, color=INK, linewidth=1.2)
        axes.annotate(f"{bar.value:.2f}", (1.04, place), xycoords=("axes fraction", "data"), va="center")
    named(axes, [short(bar.name, NAME) for bar in bars])
    for bar, label in zip(bars, axes.get_yticklabels(), strict=True):
        label.set_fontweight("bold" if bar.asked else "normal")
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.5, 1])
    axes.grid(axis="x")
    several = any(bar.threshold is not None for bar in bars)
    axes.set_title("probability, and threshold" if several else "probability", fontsize=9)


def _signed_bars(bars: Sequence[tuple[str, float]], title: str) -> Draw:
    """Bars to the right that speak for the class, to the left against it."""
    places, values = range(len(bars)), [value for _, value in bars]

    def draw(axes: Axes) -> None:
        axes.barh(places, values, height=0.72, color=[colour(value) for value in values])
        axes.axvline(0, color=PALE, linewidth=0.8)
        for place, value in zip(places, values, strict=True):
            axes.annotate(signed(value), (1.04, place), xycoords=("axes fraction", "data"), va="center")
        named(axes, [short(name, NAME) for name, _ in bars])
        axes.set_xlim(min(0.0, *values) * 1.05, max(0.0, *values) * 1.05 or 1)
        axes.tick_params(axis="x", labelsize=7.5)
        axes.grid(axis="x")
        axes.set_title(title, fontsize=9)

    return draw
