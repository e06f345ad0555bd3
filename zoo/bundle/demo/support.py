"""Which bundles JavaScript can answer for, and why not the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from zoo.api.errors import UsageError
from zoo.api.problem import TokenInput
from zoo.bundle.runtime.bundle import Bundle
from zoo.bundle.runtime.manifest import Manifest

MAX_GRAPH_BYTES: Final = 300 << 20
"""Of all graphs of a bundle: a browser holds no longer text than 512 MB, and base64 makes a third more."""
UNITS: Final = ("character", "token", "wordpiece")
"""Units of tokenisation that script/text.mjs knows."""
TOKENIZER: Final = frozenset({"lowercase", "strip_accents", "chinese", "unknown", "first", "last"})
"""The rules of word pieces that it knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTypes:
    """How run.d.ts writes what a task takes and gives."""

    input: str
    answer: str
    settings: str = ""


TASKS: Final = {
    "image-classification": TaskTypes(input="Picture", answer="RankedClass[]"),
    "object-detection": TaskTypes(input="Picture", answer="Detections", settings="threshold?: number;"),
    "semantic-segmentation": TaskTypes(input="Picture", answer="Segments"),
    "image-reconstruction": TaskTypes(input="Picture", answer="Levels", settings="noise?: number; seed?: number;"),
    "image-embedding": TaskTypes(input="Picture", answer="number[]"),
    "image-generation": TaskTypes(input="null", answer="Levels[]", settings="count?: number; seed?: number;"),
    "text-classification": TaskTypes(input="string", answer="RankedClass[]"),
    "text-embedding": TaskTypes(input="string", answer="number[]"),
    "text-generation": TaskTypes(
        input="string",
        answer="string",
        settings="length?: number; temperature?: number; topK?: number; seed?: number;\n"
        "  /** Told the text as it grows, and the share that is done; it ends where this answers false. */\n"
        "  onPart?: (text: string, share: number) => unknown;",
    ),
    "audio-generation": TaskTypes(
        input="SoundStart",
        answer="Sound",
        settings="seconds?: number; temperature?: number; seed?: number;\n"
        "  /** Told the share that is done; it ends where this answers false. */\n"
        "  onPart?: (text: null, share: number) => unknown;",
    ),
}
"""The tasks that script/tasks.mjs knows."""


def needed_graphs(manifest: Manifest) -> set[str]:
    """The graphs that answer or have golden cases."""
    return {"pipeline.onnx", *(case.graph for case in manifest.golden)}


def check_supported(bundle: Bundle) -> None:
    """UsageError with the reason where JavaScript cannot answer for the bundle."""
    manifest = bundle.manifest
    reason = _reason(bundle)
    if reason:
        raise UsageError(
            f"{manifest.model} cannot run in a browser yet: {reason}", hint=f"zoo predict {bundle.path} INPUT…"
        )


def _reason(bundle: Bundle) -> str:
    manifest = bundle.manifest
    offered = manifest.task_plugin
    if manifest.task not in TASKS or (offered is not None and offered.distribution != "edgezoo"):
        return f"nobody has written the task {manifest.task} in JavaScript"
    if manifest.weights(bundle.path) is not None:
        return "its weights lie beside its graphs, because they are larger than 2 GB"
    graphs = needed_graphs(manifest)
    size = sum(file.bytes for file in manifest.files if file.name in graphs)
    if size > MAX_GRAPH_BYTES:
        return f"its graphs have {size / 1e6:,.0f} MB, and a page holds at most {MAX_GRAPH_BYTES / 1e6:,.0f} MB"
    return _unknown_tokens(manifest)


def _unknown_tokens(manifest: Manifest) -> str:
    given = manifest.problem.input
    if not isinstance(given, TokenInput):
        return ""
    rules = manifest.problem.facts.get("tokenizer")
    if given.unit not in UNITS:
        return f"its texts are cut into {given.unit}s, which nobody has written in JavaScript"
    if given.unit == "wordpiece" and (not isinstance(rules, dict) or set(rules) != TOKENIZER):
        return "its texts are cut by rules that nobody has written in JavaScript"
    if given.unit == "wordpiece" and manifest.task == "text-generation":
        return "it writes word pieces, which nobody has written in JavaScript"
    return ""
