"""A report as one HTML file in which nothing acts: no script, no address that is followed, everything escaped. Pure.

The file carries its own policy: nothing is loaded and nothing runs but the one style sheet whose digest the policy names, so that
even a mistake in escaping would be dead text. Source: Content Security Policy Level 3, sections 2.3.1 and 3.3; HTML, 4.2.5.3.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from .text import visible

_STYLE: Final = """
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:75rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}
th,td{border:1px solid #8886;padding:.3rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}
svg{max-width:100%;height:auto;font:14px system-ui,sans-serif;fill:currentColor}
.critical{fill:#b3261e}.high{fill:#d9730d}.medium{fill:#b59a00}.low{fill:#4a7bd0}
"""
_STYLE_DIGEST: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY: Final = f"default-src 'none'; style-src 'sha256-{_STYLE_DIGEST}'; base-uri 'none'; form-action 'none'"
# What the same file is sent with: some directives count in a header alone.
HEADER_POLICY: Final = f"{POLICY}; frame-ancestors 'none'; sandbox"
_MOST_CELL: Final = 300
_BAR_HEIGHT, _BAR_GAP, _LABEL_WIDTH, _BARS_WIDTH, _CHART_WIDTH = 24, 8, 90, 480, 640
_TEXT_DROP, _TEXT_GAP = 17, 6


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart.

    Attributes:
        style: `critical`, `high`, `medium` or `low`; ours, never the caller's.
    """

    label: str
    number: int
    style: str


def text(value: str, most: int | None = _MOST_CELL) -> str:
    """Return anything as text of a page: visible, cut, escaped."""
    return html.escape(visible(value, most))


def page(title: str, parts: Iterable[str]) -> str:
    """Return a whole file.

    Args:
        title: plain text.
        parts: HTML made by the functions here.
    """
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{html.escape(POLICY)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{text(title)}</title>",
        f"<style>{_STYLE}</style>",
        "</head>",
        "<body>",
        "<main>",
        f"<h1>{text(title)}</h1>",
        *parts,
        "</main>",
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def paragraph(sentence: str) -> str:
    """Return a sentence."""
    return f"<p>{text(sentence, None)}</p>"


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; every cell is plain text."""
    head = "".join(f'<th scope="col">{text(name)}</th>' for name in heads)
    lines = [f"<table>\n<caption>{text(caption)}</caption>\n<thead>\n<tr>{head}</tr>\n</thead>\n<tbody>"]
    lines += ["<tr>" + "".join(f"<td>{text(value)}</td>" for value in row) + "</tr>" for row in rows]
    return "\n".join([*lines, "</tbody>\n</table>"])


def chart(title: str, bars: Sequence[Bar]) -> str:
    """Return a bar chart as SVG inside of the page, with its numbers as text."""
    longest = max((bar.number for bar in bars), default=0) or 1
    step = _BAR_HEIGHT + _BAR_GAP
    said = ", ".join(f"{bar.label} {bar.number}" for bar in bars)
    height, name = step * len(bars), text(f"{title}: {said}", None)
    size = f'width="{_CHART_WIDTH}" height="{height}" viewBox="0 0 {_CHART_WIDTH} {height}"'
    lines = [f'<svg role="img" aria-label="{name}" {size}>']
    for number, bar in enumerate(bars):
        top, width = number * step, round(_BARS_WIDTH * bar.number / longest)
        lines += [
            f'<text x="{_LABEL_WIDTH - _TEXT_GAP}" y="{top + _TEXT_DROP}" text-anchor="end">{text(bar.label)}</text>',
            f'<rect class="{text(bar.style)}" x="{_LABEL_WIDTH}" y="{top}" width="{width}" height="{_BAR_HEIGHT}"/>',
            f'<text x="{_LABEL_WIDTH + width + _TEXT_GAP}" y="{top + _TEXT_DROP}">{bar.number}</text>',
        ]
    return "\n".join([*lines, "</svg>"])
