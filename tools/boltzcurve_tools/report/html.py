"""Pieces of the page: escaped text, tables, and pictures as SVG whose inks follow the page's theme."""
from __future__ import annotations

import html
import io
import pathlib
import re
from typing import Any, Iterable, Sequence

from ..draw.style import BLUE, GREY, INK, PALE, RED, Caption, plt

THEME = {INK: "--ink", GREY: "--grey", PALE: "--pale", BLUE: "--blue", RED: "--red"}
HERE = pathlib.Path(__file__).resolve().parent
SVG_SETTINGS: Any = {"svg.fonttype": "none", "font.family": "sans-serif"}


def escape(text: object) -> str:
    return html.escape(str(text))


def svg_of(figure: plt.Figure, name: str) -> str:
    """The figure for use inside HTML: scaled by the page, colors as CSS variables, ids that no other picture has. Closes it."""
    buffer = io.StringIO()
    with plt.rc_context({**SVG_SETTINGS, "svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", transparent=True, dpi=130, metadata={"Date": None})
    plt.close(figure)
    text = buffer.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg"):], flags=re.DOTALL)
    head, _, rest = text.partition(">")
    head = re.sub(r' (width|height)="[^"]*"', "", head)
    text = head + f' role="img" aria-labelledby="caption-{name}">' + rest
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'href="#', f'href="#{name}-', text)
    text = text.replace("url(#", f"url(#{name}-")
    for color, variable in THEME.items():
        text = re.sub(re.escape(color), f"var({variable})", text, flags=re.IGNORECASE)
    # The page's own fonts: those of the machine that drew may not be there.
    text = re.sub(r"font: ((?:\w+ )*)([\d.]+)px [^;\"]*", r"font: \1\2px var(--plot-font)", text)
    return re.sub(r"\n\s*", "\n", text)


def plain(text: str) -> str:
    """A caption's words for HTML: the simple formulas of captions as italics with subscripts."""
    escaped = escape(text.replace("\n", " "))
    return re.sub(r"\$([^$]*)\$", lambda match: re.sub(r"(\w)_\{?(\w+)\}?", r"<i>\1</i><sub>\2</sub>", match[1]), escaped)


def figure_of(figure: plt.Figure, caption: Caption, name: str, wide: bool = False) -> str:
    return (f'<figure id="picture-{name}"{" class=wide" if wide else ""}>{svg_of(figure, name)}'
            f'<figcaption id="caption-{name}"><b>{plain(caption.heading)}.</b> {plain(caption.detail)}</figcaption></figure>')


def table_of(head: Sequence[str], rows: Iterable[Sequence[str]], classes: str = "", row_classes: Sequence[str] = ()) -> str:
    """Cells are HTML already. A row class per row, if any."""
    top = "".join(f"<th scope=col>{cell}</th>" for cell in head)
    body = []
    for k, row in enumerate(rows):
        of_row = f' class="{row_classes[k]}"' if k < len(row_classes) and row_classes[k] else ""
        body.append(f"<tr{of_row}>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>")
    return f'<div class=scroll><table class="{classes}"><thead><tr>{top}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'


def section(name: str, heading: str, *content: str) -> str:
    inside = "".join(part for part in content if part)
    return f'<section id="{name}"><h2>{escape(heading)}</h2>{inside}</section>' if inside else ""


def page(title: str, header: str, sections: Sequence[str], footer: str) -> str:
    """The whole document. Everything it needs is in it."""
    style, script = (HERE / "page.css").read_text(), (HERE / "page.js").read_text()
    links = "".join(f'<a href="#{match[1]}">{match[2]}</a>' for text in sections
                    if (match := re.match(r'<section id="([^"]*)"><h2>(.*?)</h2>', text)))
    return (f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<meta name="color-scheme" content="light dark"><title>{escape(title)}</title>'
            f'<link rel="icon" href="data:,"><style>{style}</style></head>\n<body>{header}<nav aria-label="Sections">{links}'
            f'<button type="button" id="theme" title="Light, dark, or as the system has it">theme: auto</button></nav>\n'
            f'<main>{"".join(sections)}</main><footer>{footer}</footer>\n<script>{script}</script></body></html>\n')
