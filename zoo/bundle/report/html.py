"""HTML elements as values: text is escaped, elements are not, and nothing else can get in."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from hashlib import sha256
from html import escape

from zoo.api.untrusted import visible


class Html(str):
    """Text that is already HTML."""

    __slots__ = ()


Child = str | Html
_VOID = frozenset({"img", "meta", "line", "circle", "rect", "path", "br"})


def element(
    name: str, *children: Child, kind: str = "", attributes: Mapping[str, str | int | float] | None = None
) -> Html:
    """<name class=kind …>children</name>; a child that is plain text is escaped, and so is every attribute."""
    given: dict[str, str | int | float] = {**({"class": kind} if kind else {}), **(attributes or {})}
    text = "".join(f' {key}="{escape(visible(_number(value)), quote=True)}"' for key, value in given.items())
    if name in _VOID and not children:
        return Html(f"<{name}{text}/>")
    return Html(f"<{name}{text}>{joined(children)}</{name}>")


def joined(children: Iterable[Child]) -> Html:
    """Children one after the other, plain text escaped."""
    return Html("".join(child if isinstance(child, Html) else escape(visible(str(child))) for child in children))


def table(header: Iterable[Child], rows: Iterable[Iterable[Child]], *, kind: str = "") -> Html:
    """A table that scrolls sideways where the screen is narrow."""
    head = element("tr", *(element("th", cell) for cell in header))
    body = [element("tr", *(element("td", cell) for cell in row)) for row in rows]
    whole = element("table", element("thead", head), element("tbody", *body), kind=kind)
    return element("div", whole, kind="scroll")


def content_policy(style: str) -> str:
    """The Content-Security-Policy of a page of one style sheet and embedded pictures: nothing else may load or run."""
    digest = b64encode(sha256(style.encode()).digest()).decode("ascii")
    return f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def picture(png: bytes, *, alt: str) -> Html:
    """An embedded PNG."""
    source = "data:image/png;base64," + b64encode(png).decode("ascii")
    return element("img", attributes={"src": source, "alt": alt})


def _number(value: str | int | float) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
