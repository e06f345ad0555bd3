"""report.html: the proof for people.  One file without scripts or anything from elsewhere; light and dark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.judge.verdict import GATES, SUBJECT, SUBJECT_GUARDS
from zoo.bundle.report import sections
from zoo.bundle.report.html import Child, Html, content_policy, element, joined, picture, table
from zoo.bundle.report.record import Report
from zoo.bundle.report.runtimes import runtimes
from zoo.bundle.report.sections import status_mark
from zoo.bundle.report.variants import forms, variants

STYLE = Path(__file__).with_name("style.css")
HEADLINE = {
    Status.PASS: "Proved",
    Status.WARN: "Proved, with a warning",
    Status.FAIL: "Not proved",
    Status.INCONCLUSIVE: "Not proved: the checks cannot tell",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCase:
    """One case as people see it: the input, the answer of PyTorch and the answer of the file."""

    graph: str
    case: str
    reference: str
    candidate: str
    input_png: bytes | None = None
    reference_png: bytes | None = None
    candidate_png: bytes | None = None


def page(report: Report, *, shown: Sequence[ShownCase] = (), style: str | None = None) -> str:
    """The whole document; `style` stands instead of today's style sheet."""
    evidence = report.evidence
    title = f"Proof of {evidence.subject.model}: {report.verdict.value}"
    body = [
        _header(report),
        _section("The gates", _gates(report)),
        _section("Error against noise", *sections.plots(evidence)),
        _section("The worst cases, side by side", *_shown(shown)),
        _section("The task's own comparison", *sections.agreement(evidence)),
        _section("Mutants", *sections.mutants(evidence)),
        _section("Variants in fewer bits", *variants(report.variants)),
        _section("Variants for one size and for batches", *forms(report.forms)),
        _section("Other runtimes", *runtimes(report.runtimes)),
        _section("Outputs that the rule does not hold for", *sections.waivers(evidence)),
        _section("What was proved", sections.subject(evidence)),
        _section("Where", sections.environment(evidence)),
        _section("How to make this again", element("pre", "\n".join(report.reproduce))),
    ]
    return document(title, body, style=style)


def document(title: str, body: Iterable[Child], *, style: str | None = None) -> str:
    """A whole page in the style of all reports, light and dark; nothing else may load or run in it."""
    style = STYLE.read_text(encoding="utf-8") if style is None else style
    policy = {"http-equiv": "Content-Security-Policy", "content": content_policy(style)}
    head = element(
        "head",
        element("meta", attributes={"charset": "utf-8"}),
        element("meta", attributes=policy),
        element("meta", attributes={"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        element("title", title),
        element("style", Html(style)),
    )
    return "<!doctype html>\n" + element("html", head, element("body", *body), attributes={"lang": "en"}) + "\n"


def _section(title: str, *content: Child) -> Html:
    return element("section", element("h2", title), *content) if any(content) else Html("")


def _header(report: Report) -> Html:
    subject = report.evidence.subject
    untrained = "" if subject.trained else " This is an untrained architecture, proved with random weights."
    return element(
        "header",
        element("p", HEADLINE[report.verdict], kind="verdict"),
        element("h1", subject.model),
        element("p", f"{subject.task}, weights from {subject.weights}.{untrained}"),
        *([] if report.verdict == Status.PASS else [element("p", report.sentence[:1].upper() + report.sentence[1:])]),
        element("p", f"{report.created}, in {report.seconds:.1f} s", kind="dim"),
        kind=report.verdict.value.lower(),
    )


def _gates(report: Report) -> Html:
    guards = {SUBJECT: SUBJECT_GUARDS, **{spec.name: spec.guards for spec in GATES}}
    rows = [
        (
            status_mark(gate.status.value),
            element("strong", gate.name),
            joined((gate.detail, element("small", guards.get(gate.name, "")))),
            f"{gate.seconds:.2f} s" if gate.seconds else "",
        )
        for gate in report.gates
    ]
    return table(("", "gate", "what was found, and what it is there for", "time"), rows, kind="gates")


def _shown(shown: Sequence[ShownCase]) -> list[Html]:
    boxes = []
    for case in shown:
        parts = (
            ("input", "", case.input_png),
            ("PyTorch", case.reference, case.reference_png),
            (case.graph, case.candidate, case.candidate_png),
        )
        figures = [_figure(title, text, png) for title, text, png in parts if text or png]
        boxes.append(element("div", element("h3", case.case), element("div", *figures, kind="row"), kind="shown"))
    return [element("div", *boxes, kind="row")] if boxes else []


def _figure(title: str, text: str, png: bytes | None) -> Html:
    image = picture(png, alt=title) if png else Html("")
    return element("figure", image, element("figcaption", element("strong", title), text))
