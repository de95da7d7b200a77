"""How every plot of every report looks: colours, axes, and a figure as SVG or PNG.

One accent colour for the model and one colour-blind-safe pair for the two classes, the same in
every plot. Inside a page colours are names that the page's style sheet defines, so that a plot
follows light and dark; a PNG beside it has the light ones.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, NullLocator

from model.printable import one_line

INK, MUTED, GRID, SURFACE = "#1c2733", "#556270", "#dfe4ea", "#ffffff"
ACCENT, LEGITIMATE, FRAUD = "#0b7a75", "#2b6cb0", "#c4490a"
COLOUR_NAMES = {
    INK: "ink",
    MUTED: "muted",
    GRID: "grid",
    SURFACE: "surface",
    ACCENT: "accent",
    LEGITIMATE: "legitimate",
    FRAUD: "fraud",
}
SIZE = (4.2, 3.1)  # inches: text stays readable where a page shrinks the plot to a phone
HEAD, ROW = 0.95, 0.21  # inches: of a plot of rows, what is around them and each of them
LONGEST_LABEL = 22
MARGIN = 0.05  # inches
RESOLUTION = 220  # dots per inch of the PNG
FEW_DECADES, MANY_DECADES = 3, 6
SVG_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


@dataclass(frozen=True)
class Plot:
    """A drawn figure, its title and what it shows in words.

    It is drawn by the canvases themselves: ``savefig`` would draw everything twice.
    """

    name: str
    title: str
    alt: str
    figure: Figure

    def __post_init__(self) -> None:
        """Lay the figure out once, for both of its forms."""
        layout = self.figure.get_layout_engine()
        if layout is not None:
            with _any_script():
                layout.execute(self.figure)
            self.figure.set_layout_engine("none")

    def svg(self) -> str:
        """Return the plot for a page: no fixed size or font, colours by name, ids of its own."""
        buffer = io.StringIO()
        self.figure.set_facecolor("none")
        settings = {"svg.hashsalt": self.name, "svg.fonttype": "none"}
        with _any_script(), rc_context(settings):
            FigureCanvasSVG(self.figure).print_svg(buffer, metadata=SVG_METADATA)
        text = buffer.getvalue()
        text = text[text.index("<svg") :]
        text = re.sub(r"<!--.*?-->|<style.*?</style>|<defs>\s*</defs>", "", text, flags=re.DOTALL)
        text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
        text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
        text = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1", text)
        text = re.sub(r'(?<= id=")|(?<=href="#)|(?<=url\(#)', f"{self.name}-", text)
        for colour, name in COLOUR_NAMES.items():
            text = text.replace(colour, f"var(--{name})")
        return text.replace("<svg", f'<svg role="img" aria-label="{escape(self.alt)}"', 1).strip()

    def png(self) -> bytes:
        """Return the plot as a picture of its own, on white."""
        buffer = io.BytesIO()
        self.figure.set_facecolor(SURFACE)
        self.figure.set_dpi(RESOLUTION)
        with _any_script():
            FigureCanvasAgg(self.figure).print_png(buffer, metadata={"Software": None})
        return buffer.getvalue()


@contextmanager
def _any_script() -> Iterator[None]:
    """Draw names in scripts that the font lacks without a warning: a browser has other fonts."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font", UserWarning)
        yield


def new_axes(x: str, y: str, height: float = SIZE[1]) -> tuple[Figure, Axes]:
    """Return a figure and its axes with named directions."""
    figure = _new_figure(height)
    axes = figure.subplots()
    _style(axes)
    axes.set_xlabel(x, color=MUTED, fontsize=9.5)
    axes.set_ylabel(y, color=MUTED, fontsize=9.5)
    return figure, axes


def new_panels(titles: Sequence[str], columns: int, height: float) -> tuple[Figure, list[Axes]]:
    """Return a figure of small axes side by side, each under a title; none has a scale upwards.

    Parameters
    ----------
    titles : sequence of str
    columns : int
        Panels in a row.
    height : float
        Of a row, in inches.
    """
    n_rows = -(-len(titles) // columns)
    figure = _new_figure(0.35 + height * n_rows)  # room for a legend
    grid = figure.subplots(n_rows, columns, squeeze=False).ravel()
    for axes, title in zip(grid, titles, strict=False):
        _style(axes)
        axes.set_title(shortened(title), color=INK, fontsize=9, loc="left", pad=4)
        axes.tick_params(labelsize=8, pad=4)
        axes.grid(visible=False)
        axes.set_yticks([])
    for axes in grid[len(titles) :]:
        axes.set_axis_off()
    return figure, [*grid[: len(titles)]]


def _new_figure(height: float) -> Figure:
    layout = ConstrainedLayoutEngine(w_pad=MARGIN, h_pad=MARGIN)
    return Figure(figsize=(SIZE[0], height), layout=layout, facecolor=SURFACE)


def _style(axes: Axes) -> None:
    axes.set_facecolor("none")
    axes.tick_params(colors=MUTED, labelcolor=INK, labelsize=9, length=0, pad=6)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(MUTED)


def new_rows(x: str, labels: Sequence[str], headings: Sequence[int] = ()) -> tuple[Figure, Axes]:
    """Return a figure with a named row for each label, the first at the top.

    Parameters
    ----------
    x : str
        What is measured along the rows.
    labels : sequence of str
        Those that are too long are cut.
    headings : sequence of int
        Rows that head those after them.
    """
    figure, axes = new_axes(x, "", max(HEAD + ROW * len(labels), SIZE[1]))
    axes.set_yticks(range(len(labels)), [shortened(label) for label in labels])
    axes.set_ylim(len(labels) - 0.4, -0.6)
    for number in headings:
        tick = axes.get_yticklabels()[number]
        tick.set_color(MUTED)
        tick.set_fontweight("bold")
    return figure, axes


def shortened(label: str) -> str:
    """Return a label that leaves room for the plot; $ is no mathematics here.

    Both ends are kept: names of one family differ at the end.
    """
    label = one_line(label)
    if len(label) > LONGEST_LABEL:
        half = LONGEST_LABEL // 2
        label = f"{label[: LONGEST_LABEL - 1 - half]}…{label[-half:]}"
    return label.replace("$", r"\$")


def legend(figure: Figure, columns: int = 2) -> None:
    """Put the legend above the axes, where it covers nothing; none where nothing is named."""
    if not any(axes.get_legend_handles_labels()[0] for axes in figure.axes):
        return
    figure.legend(
        loc="outside upper left",
        ncols=columns,
        frameon=False,
        fontsize=9,
        labelcolor=INK,
        handlelength=1.6,
        columnspacing=1.2,
        borderpad=0.1,
    )


def percent_axis(axes: Axes, *names: str) -> None:
    """Label the ticks of "x", "y" or both in per cent."""
    for name in names:
        axis = getattr(axes, f"{name}axis")
        axis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g} %"))


def decades(axes: Axes, name: str, low: float, high: float) -> None:
    """Make an axis logarithmic, with a tick at each power of ten; more or fewer where need be."""
    getattr(axes, f"set_{name}scale")("log")
    exponents = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    axis = getattr(axes, f"{name}axis")
    if len(exponents) <= FEW_DECADES:
        axis.set_ticks(np.outer(10.0**exponents, (1, 2, 5)).ravel())
    else:
        step = 1 + (len(exponents) - 1) // MANY_DECADES
        axis.set_ticks(10.0 ** exponents[::-step])
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    getattr(axes, f"set_{name}lim")(low, high)


def marker(
    axes: Axes, x: float, y: float, symbol: str, label: str, colour: str = ACCENT, size: float = 9
) -> None:
    """Mark a point that a decision works at."""
    axes.plot(
        x,
        y,
        symbol,
        color=colour,
        markersize=size,
        markeredgecolor=SURFACE,
        markeredgewidth=1.2,
        label=label,
        clip_on=False,
        zorder=5,
    )
