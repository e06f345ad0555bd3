"""Writes the reference of docs/plugins.md from the sources: every hook, field and method with its own words.

python docs/reference.py
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "export")]

import zoo  # noqa: E402  the checkout's own

PAGE = ROOT / "docs" / "plugins.md"
MARK = "<!-- written by docs/reference.py from here on -->\n"
CHAPTERS = {
    "What hooks return": "ModelSpec TrainerSpec WeightsSpec TaskSpec FormatSpec TaskTags ExportSpec Recipe Augment",
    "What a model is fed, and the facts it is built for": "Input ImageInput TokenInput LatentInput AudioInput "
    "TableInput Problem",
    "A trainer": "Trainer StepContext StepOutput",
    "A callback": "CallbackSpec CallbackRun Callback StartEvent StepEvent EvaluationEvent EpochResult CheckpointEvent "
    "SavedEvent Outcome FailureEvent",
    "The parts of a task": "TaskData TaskTensors TaskGraphs TaskAnswers Task",
    "What the parts take and give": "FileItem Signatures Dataset Metrics Monitor Port Signature Purpose Case "
    "Agreement Verdict Control Shown PostprocessKind PostprocessStep",
    "Bases with defaults": "ItemAnswers DeviceReader DeviceTextReader MeanMetrics PictureData PictureTableData "
    "PictureTensors PictureGraphs PictureAnswers TextData TextTensors TextGraphs TextAnswers TableData TableTensors "
    "TableGraphs TableAnswers",
    "What formats give": "FormatMatch ObjectListing ObjectRow BoxAnnotation MaskListing MaskRow FileListing FileRow "
    "TextRow TextNote BadSample",
    "Data that a task has looked at": "DataRequest DataSource DataCard DataNote Row",
}
"""Classes told with all their members; everything else that is public gets its first sentence."""


def reference() -> str:
    """The whole reference as Markdown."""
    hooks = ast.parse((ROOT / "zoo" / "api" / "hookspecs.py").read_text()).body
    parts = ["## Reference: the hooks\n", *_hooks(hooks)]
    for title, names in CHAPTERS.items():
        parts += [f"\n## Reference: {title[0].lower()}{title[1:]}\n"]
        parts += [_class(name) for name in names.split() if name in zoo.__all__]
    told = {name for names in CHAPTERS.values() for name in names.split()}
    parts += ["\n## Reference: everything else in `zoo`\n", "| name | is |\n|---|---|"]
    parts += [f"| `{name}{_signature(name)}` | {_cell(_first(name))} |" for name in zoo.__all__ if name not in told]
    return "\n".join(parts) + "\n"


def written(page: str) -> str:
    """The page with its reference as the sources have it now."""
    return page.partition(MARK)[0] + MARK + "\n" + reference()


def _hooks(body: list[ast.stmt]) -> Iterator[str]:
    yield "| hook | returns | |\n|---|---|---|"
    for node in body:
        if isinstance(node, ast.FunctionDef) and node.returns:
            yield f"| `{node.name}()` | `{ast.unparse(node.returns)}` | {_cell(ast.get_docstring(node) or '')} |"


def _class(name: str) -> str:
    """One class: what it is, then a row for each field and each method."""
    found = getattr(zoo, name)
    (node,) = ast.parse(dedent(inspect.getsource(found))).body
    assert isinstance(node, ast.ClassDef)
    rows = [*_fields(node), *_methods(node)]
    return f"### `{name}`\n\n{ast.get_docstring(node)}\n\n| member | | |\n|---|---|---|\n" + "\n".join(rows) + "\n"


def _fields(node: ast.ClassDef) -> Iterator[str]:
    """Fields with type, default and the sentence below them, without the deprecated ones."""
    for statement, after in zip(node.body, [*node.body[1:], None], strict=True):
        if _said(after).startswith("Deprecated:"):
            continue
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                yield _row(name, f"{ast.unparse(annotation)}{_default(value)}", _said(after))
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield _row(name, ast.unparse(value), _said(after))


def _default(value: ast.expr | None) -> str:
    if value is None:
        return ""
    text = ast.unparse(value)
    factory = text.removeprefix("field(default_factory=").removesuffix(")") if text.startswith("field(") else ""
    return f" = {factory}()" if factory else f" = {text}"


def _said(after: ast.stmt | None) -> str:
    match after:
        case ast.Expr(value=ast.Constant(value=str(text))):
            return text
    return ""


def _methods(node: ast.ClassDef) -> Iterator[str]:
    """Public methods with their signatures."""
    for statement in node.body:
        if isinstance(statement, ast.FunctionDef) and statement.name.strip("_") in (statement.name, "len"):
            arguments = ast.unparse(statement.args).removeprefix("self").removeprefix(", ")
            kind = f"({arguments})" + (f" -> {ast.unparse(statement.returns)}" if statement.returns else "")
            yield _row(statement.name, kind, ast.get_docstring(statement) or "")


def _row(name: str, kind: str, text: str) -> str:
    return f"| `{name}` | `{_cell(kind)}` | {_cell(text)} |"


def _cell(text: str) -> str:
    """On one line; a bar would end the cell."""
    return " ".join(text.split()).replace("|", "\\|")


def _signature(name: str) -> str:
    found = getattr(zoo, name)
    return f"({', '.join(inspect.signature(found).parameters)})" if inspect.isfunction(found) else ""


def _first(name: str) -> str:
    if name == "hookimpl":
        return "Marks a function of a plugin as a hook's implementation."
    found = getattr(zoo, name)
    kind = inspect.isclass(found) or inspect.isfunction(found)
    if kind:
        return (inspect.getdoc(found) or "").partition("\n\n")[0]
    if isinstance(found, tuple) and len(found) > 1:
        return f"A tuple of {len(found)} `{type(found[0]).__name__}`."
    return f"`{found!r}`"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
