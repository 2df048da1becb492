"""What all pictures share: colors, how numbers are written, how axes are named and captions set."""
from __future__ import annotations

import dataclasses
import os
import pathlib
import tempfile
import textwrap
from typing import Any

if not os.access(os.environ.get("HOME", "/"), os.W_OK):
    os.environ.setdefault("MPLCONFIGDIR", tempfile.gettempdir())  # batch nodes often have no home to write to

import matplotlib
import matplotlib.ticker
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  after the choice of a backend without a screen

from ..errors import InputError  # noqa: E402

INK, GREY, PALE, BLUE, RED = "#22303c", "#5a6a76", "#9fb0bd", "#2a6f97", "#c1440e"
TIME_COLOURS = matplotlib.colors.ListedColormap(matplotlib.colormaps["viridis"](np.linspace(0.3, 0.97, 256)))  # seen on light and dark ground
DENSITY_COLOURS = "Blues"
PARAMETERS: Any = {"font.size": 9, "axes.edgecolor": PALE, "axes.labelcolor": INK, "text.color": INK, "xtick.color": INK, "ytick.color": INK,
              "axes.spines.top": False, "axes.spines.right": False, "figure.facecolor": "none", "axes.facecolor": "none",
              "savefig.facecolor": "auto", "legend.frameon": False, "legend.fontsize": 8}


@dataclasses.dataclass(frozen=True)
class Caption:
    heading: str
    detail: str


def count(number: float) -> str:
    """An integer with thin spaces between thousands."""
    return f"{int(number):,}".replace(",", "\u2009")


def number(value: Any, digits: int = 4) -> str:
    if value is None:
        return "\u2013"
    return f"{value:.{digits}g}" if isinstance(value, float) else count(value)


def axis_name(d: int, with_unit: bool = True) -> str:
    return f"$x_{{{d + 1}}}$" + ("  [unit of the target]" if with_unit else "")


def plainly(value: float, _: Any = None) -> str:
    """A tick of a logarithmic axis: 0.02, 300, and powers of ten where they are shorter."""
    if 1e-4 < abs(value) < 1e5:
        return f"{value:.6g}"
    exponent = int(np.floor(np.log10(abs(value)))) if value else 0
    first = round(value / 10.0**exponent, 3)
    return f"$10^{{{exponent}}}$" if first == 1 else rf"${first:g}\cdot10^{{{exponent}}}$"


def logarithmic(axis: Any) -> None:
    """Makes an axis of an `Axes` logarithmic, with at least three numbers on it: between powers of ten too where there are few of these."""
    axis.axes.set_yscale("log") if axis.axis_name == "y" else axis.axes.set_xscale("log")
    low, high = sorted(axis.get_view_interval())
    decades = np.log10(high / low) if low > 0 else np.inf
    if decades < 0.5:  # a piece of a decade is as good as even
        axis.set_major_locator(matplotlib.ticker.MaxNLocator(5))
    elif decades < 3:
        axis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(matplotlib.ticker.FuncFormatter(plainly))
    axis.set_minor_formatter(matplotlib.ticker.NullFormatter())


def view_of(values: np.ndarray) -> tuple[float, float]:
    """Lower and upper end that hold the middle 99.8 % of the values, with a margin: one stray particle must not hide the rest."""
    lower, upper = np.quantile(values, [0.001, 0.999])
    margin = 0.08 * (upper - lower) or 1.0
    return float(lower - margin), float(upper + margin)


def set_caption(axes: plt.Axes, caption: Caption, pad: float = 6) -> None:
    lines = caption.detail.count("\n") + 1
    axes.set_title(caption.detail, loc="left", fontsize=7.5, color=GREY, pad=pad)
    axes.annotate(caption.heading, (0, 1), xycoords="axes fraction", xytext=(0, pad + 10.5 * lines), textcoords="offset points", fontsize=11,
                  fontweight="bold", color=INK)


def set_caption_above(figure: plt.Figure, caption: Caption) -> None:
    """The caption over a figure of its own, broken into lines that fit."""
    letters = int(figure.get_figwidth() * 17)
    lines = textwrap.wrap(" ".join(f"{caption.heading}: {caption.detail}".split("\n")), letters)
    figure.suptitle("\n".join(lines), fontsize=8, x=0.01, ha="left", color=GREY)


def save(figure: plt.Figure, path: pathlib.Path, **how: Any) -> None:
    """Saves under another name first: a picture that is there is complete. The suffix of `path` says the format."""
    temporary = path.with_name(path.name + ".part")
    try:
        figure.savefig(temporary, format=path.suffix[1:] or "png", **how)
        temporary.replace(path)
    except ValueError as error:  # matplotlib's word for a format that it does not know
        temporary.unlink(missing_ok=True)
        raise InputError(f"cannot write {path}: {error}") from error
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        plt.close(figure)
