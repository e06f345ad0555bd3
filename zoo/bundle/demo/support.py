"""Which bundles JavaScript can answer for, and why not the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from zoo.api.errors import UsageError
from zoo.api.problem import TokenInput
from zoo.bundle.demo.tokenizer import javascript_rules
from zoo.bundle.runtime.bundle import Bundle
from zoo.bundle.runtime.manifest import GoldenCase, Manifest, VariantRecord

MAX_GRAPH_BYTES: Final = 300 << 20
"""Of all graphs of a bundle: a browser holds no longer text than 512 MB, and base64 makes a third more."""
UNITS: Final = ("character", "token", "wordpiece", "subword")
"""Units of tokenisation that script/text.mjs knows."""
TOKENIZER: Final = frozenset({"lowercase", "strip_accents", "chinese", "unknown", "first", "last"})
"""The rules of word pieces that it knows."""
MODELS: Final = frozenset({"BPE", "Unigram", "WordPiece", "WordLevel"})
STEPS: Final = frozenset({"begin", "form", "replace", "lower", "bytes", "charsmap", "split"})
"""The models and the steps of a tokenizer.json that script/subword.mjs knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTypes:
    """How run.d.ts writes what a task takes and gives, and what its page shows."""

    input: str
    answer: str
    shown: str
    """For people, in half a line."""
    settings: str = ""


TASKS: Final = {
    "image-classification": TaskTypes(input="Picture", answer="RankedClass[]", shown="What a picture shows."),
    "object-detection": TaskTypes(
        input="Picture",
        answer="Detections",
        shown="Where the things in a picture are.",
        settings="threshold?: number;",
    ),
    "semantic-segmentation": TaskTypes(input="Picture", answer="Segments", shown="What each pixel belongs to."),
    "image-reconstruction": TaskTypes(
        input="Picture",
        answer="Levels",
        shown="A picture, squeezed into a few numbers and made again.",
        settings="noise?: number; seed?: number;",
    ),
    "image-embedding": TaskTypes(input="Picture", answer="number[]", shown="How alike pictures are."),
    "image-generation": TaskTypes(
        input="null",
        answer="Levels[]",
        shown="New pictures.",
        settings="count?: number; seed?: number;",
    ),
    "text-classification": TaskTypes(input="string", answer="RankedClass[]", shown="Of which class a text is."),
    "text-embedding": TaskTypes(input="string", answer="number[]", shown="How alike texts are."),
    "text-generation": TaskTypes(
        input="string",
        answer="string",
        shown="A text that the model writes on.",
        settings="length?: number; temperature?: number; topK?: number; seed?: number;\n"
        "  /** Told the text as it grows, and the share that is done; it ends where this answers false. */\n"
        "  onPart?: (text: string, share: number) => unknown;",
    ),
    "audio-generation": TaskTypes(
        input="SoundStart",
        answer="Sound",
        shown="New sounds.",
        settings="seconds?: number; temperature?: number; seed?: number;\n"
        "  /** Told the share that is done; it ends where this answers false. */\n"
        "  onPart?: (text: null, share: number) => unknown;",
    ),
}
"""The tasks that script/tasks.mjs knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """What a page or a runner is of: a bundle, or one of its variants."""

    bundle: Bundle
    variant: VariantRecord | None = None

    @property
    def manifest(self) -> Manifest:
        """Of the bundle."""
        return self.bundle.manifest

    @property
    def golden(self) -> tuple[GoldenCase, ...]:
        """The cases that are replayed; those of a variant have its own answers and tolerances."""
        return self.manifest.golden if self.variant is None else self.variant.golden

    @property
    def pipeline(self) -> str:
        """The graph that answers."""
        return "pipeline.onnx" if self.variant is None else f"{self.variant.folder}pipeline.onnx"

    @property
    def verdict(self) -> Literal["PASS", "WARN", "unproved"]:
        """That of the bundle, or the variant's where it is worse."""
        verdicts = {self.manifest.verdict, self.manifest.verdict if self.variant is None else self.variant.verdict}
        return "unproved" if "unproved" in verdicts else "WARN" if "WARN" in verdicts else "PASS"

    def graphs(self) -> set[str]:
        """The graphs that answer or have golden cases."""
        return {self.pipeline, *(case.graph for case in self.golden)}

    def files(self) -> list[str]:
        """These graphs, and the files of the golden cases."""
        return [*sorted(self.graphs()), *sorted({case.file for case in self.golden})]


def demo_of(bundle: Bundle, variant: str | None = None) -> Demo:
    """The bundle, or a variant by its name; UsageError where there is none, or JavaScript cannot answer for it."""
    demo = Demo(bundle=bundle, variant=None if variant is None else bundle.manifest.variant(variant))
    manifest = bundle.manifest
    reason = _reason(demo)
    if reason:
        raise UsageError(
            f"{manifest.model} cannot run in a browser yet: {reason}", hint=f"zoo predict {bundle.path} INPUT…"
        )
    return demo


def _reason(demo: Demo) -> str:
    manifest = demo.manifest
    offered = manifest.task_plugin
    if manifest.task not in TASKS or (offered is not None and offered.distribution != "edgezoo"):
        return f"nobody has written the task {manifest.task} in JavaScript"
    if manifest.weights(demo.bundle.path) is not None:
        return "its weights lie beside its graphs, because they are larger than 2 GB"
    if demo.variant is not None and demo.variant.signature is not None:
        return f"the variant {demo.variant.name} takes other inputs than a page gives"
    graphs = demo.graphs()
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
    if given.unit in ("wordpiece", "subword") and manifest.task == "text-generation":
        return "it writes pieces of words, which nobody has written in JavaScript"
    if given.unit == "wordpiece" and (not isinstance(rules, dict) or set(rules) != TOKENIZER):
        return "its texts are cut by rules that nobody has written in JavaScript"
    return _unknown_rules(rules) if given.unit == "subword" else ""


def _unknown_rules(rules: Any) -> str:
    """What JavaScript cannot do of a tokenizer.json; empty where it can do all."""
    try:
        kinds = {step["do"] for name in ("normalizer", "pre_tokenizer") for step in rules[name]}
        if rules["model"]["type"] not in MODELS or kinds - STEPS:
            return "its texts are cut by rules that nobody has written in JavaScript"
        javascript_rules(rules)
    except (KeyError, TypeError, AttributeError, IndexError):
        return "its texts are cut by rules that nobody has written in JavaScript"
    except ValueError as error:
        return f"a pattern of its tokenizer has {error}, for which nobody has written anything in JavaScript"
    return ""
