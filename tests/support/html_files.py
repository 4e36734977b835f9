"""What an HTML file holds that could act, as a parser of its own sees it."""

from __future__ import annotations

from html.parser import HTMLParser

_INERT = frozenset({
    "html", "head", "meta", "title", "style", "body", "main", "h1", "p", "table", "caption", "thead", "tbody", "tr", "th", "td",
    "svg", "text", "rect",
})  # fmt: skip
_PLAIN = frozenset({
    "lang", "charset", "name", "content", "http-equiv", "scope", "role", "aria-label", "width", "height", "viewbox", "x", "y",
    "class", "text-anchor",
})  # fmt: skip


class _Reader(HTMLParser):
    def __init__(self, content: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.faults: list[str] = []
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in _INERT:
            self.faults.append(f"<{tag}>")
        self.faults += [f"{tag} {name}" for name, _ in attrs if name not in _PLAIN]
        if ("http-equiv", "refresh") in [(name, (value or "").lower()) for name, value in attrs]:
            self.faults.append("refresh")

    def handle_comment(self, data: str) -> None:
        self.faults.append(f"comment {data!r}")


def page_faults(content: str) -> list[str]:
    """Return elements and attributes that could run, load or lead somewhere; empty for a file in which nothing acts."""
    return _Reader(content).faults


def tags_of(content: str) -> list[str]:
    """Return every element, in order."""
    return _Reader(content).tags
