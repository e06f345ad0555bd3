"""demo.html: one file with a bundle, the runtime and the page around them; it works without server and network."""

from __future__ import annotations

import gzip
import json
import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Final
from urllib.parse import quote

from zoo.api.problem import TokenInput
from zoo.api.untrusted import visible
from zoo.bundle.demo.runtime_package import RuntimePackage
from zoo.bundle.demo.scripts import joined_script
from zoo.bundle.demo.support import Demo, demo_of
from zoo.bundle.demo.tokenizer import javascript_rules
from zoo.bundle.runtime.bundle import Bundle
from zoo.runs.serialization import to_json

HERE: Final = Path(__file__).parent
_FIELD: Final = re.compile(r"\{\{(\w+)\}\}")
VERDICTS: Final = {
    "PASS": "The export was proved to answer as the model in PyTorch does.",
    "WARN": "The export was proved to answer as the model in PyTorch does, with a warning.",
    "unproved": "This export was published without a proof.",
}


def demo_page(bundle: Bundle, runtime: RuntimePackage, *, variant: str | None = None, index: str = "") -> str:
    """The whole page; UsageError where JavaScript cannot answer for the bundle, HashMismatch where a file changed.

    `variant` is the name of one that the page runs instead, `index` the file of a gallery that the page lies beside.
    """
    demo = demo_of(bundle, variant)
    manifest = demo.manifest
    script, style = "\n" + joined_script("page.mjs"), page_style()
    weights = manifest.lineage.weights
    licences = "; ".join(f"{what}: {licence}" for what, licence in manifest.licences.items())
    return filled(
        "page.html",
        {
            "policy": escape(page_policy(script=script, style=style), quote=True),
            "title": text(manifest.model.rpartition("/")[2] + (f" in {variant}" if variant else "")),
            "about": text(f"{manifest.task}; weights: {weights}" + (f"; variant: {variant}" if variant else "")),
            "style": style,
            "above": f'<p><a href="./{quote(index)}">All models</a></p>\n' if index else "",
            "verdict": text(_verdict(demo)),
            "sources": text(f"Made by zoo {manifest.zoo} from {manifest.model}. Licences: {licences}."),
            "runtime_version": text(runtime.version),
            "licence": text(runtime.licence),
            "manifest": json.dumps(facts(demo)).replace("<", "\\u003c"),
            "files": "\n".join(_embedded(demo, runtime)),
            "script": script,
        },
    )


def facts(demo: Demo) -> dict[str, object]:
    """What a runner in JavaScript needs of a manifest, whatever schema its file has."""
    given, document = demo.manifest.problem.input, to_json(demo.manifest)
    names = ("model", "task", "problem", "pipeline_signature", "proved")
    if isinstance(given, TokenInput) and given.unit == "subword":
        known = document["problem"]["facts"]
        document["problem"]["facts"] = {**known, "tokenizer": javascript_rules(known["tokenizer"])}
    own = {"verdict": demo.verdict, "pipeline": demo.pipeline, "golden": to_json(demo.golden)}
    return {name: document[name] for name in names} | own


def _verdict(demo: Demo) -> str:
    """What was proved, and what golden cases are, in sentences."""
    if demo.variant is None:
        return f"{VERDICTS[demo.verdict]} Golden cases are inputs that travel with their fp64 answers."
    name, method, sentence = demo.variant.name, demo.variant.method, demo.variant.sentence
    return (
        f"{VERDICTS[demo.manifest.verdict]} This is the variant {name} ({method}): {sentence}. "
        "Golden cases are inputs that travel with the answers that the variant gave where it was made."
    )


def text(value: str) -> str:
    """A text of a bundle as HTML, what cannot be seen spelled out."""
    return escape(visible(value), quote=True)


def page_style() -> str:
    """The style sheet of all pages."""
    return (HERE / "page.css").read_text(encoding="utf-8")


def page_policy(*, style: str, script: str = "") -> str:
    """The Content-Security-Policy: this style and this script, what they make themselves, and nothing else."""
    scripts = f"script-src {_digest(script)} blob: 'wasm-unsafe-eval'; " if script else ""
    return (
        f"default-src 'none'; {scripts}style-src {_digest(style)}; img-src blob: data:; media-src blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def filled(template: str, fields: Mapping[str, str]) -> str:
    """A template of this folder with its fields, each used; what they hold is not looked at again."""
    return _FIELD.sub(lambda match: fields[match[1]], (HERE / template).read_text(encoding="utf-8"))


def _embedded(demo: Demo, runtime: RuntimePackage) -> list[str]:
    packed = {"runtime.mjs": runtime.script, "runtime.wasm": runtime.wasm}
    files = {name: demo.bundle.read(name) for name in demo.files()}
    packed |= {name: raw for name, raw in files.items() if name.endswith(".onnx")}
    stored = {name: raw for name, raw in files.items() if name not in packed}  # golden cases are packed already
    return [
        *(_script(name, gzip.compress(raw, mtime=0), packed="gzip") for name, raw in packed.items()),
        *(_script(name, raw, packed="") for name, raw in stored.items()),
    ]


def _script(name: str, raw: bytes, *, packed: str) -> str:
    how = f' data-packed="{packed}"' if packed else ""
    content = b64encode(raw).decode("ascii")
    return f'<script type="application/octet-stream" data-file="{text(name)}"{how}>{content}</script>'


def _digest(source: str) -> str:
    return f"'sha256-{b64encode(sha256(source.encode()).digest()).decode('ascii')}'"
