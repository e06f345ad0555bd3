"""This bundle's self-test: a few kilobytes to run at boot; needs only numpy and onnxruntime.

    python selftest.py [--variant int8] [--quick] [--provider cpu] [--threads 1]

Every file against its hash, and this device against the golden cases. With --quick only the graph and the smallest
golden case that it answers are looked at, besides the probe of a variant that needs VNNI.
Exit code 0: passed.  1: something differs.  2: bad usage, or a graph that cannot be loaded.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

try:
    import numpy as np
except ModuleNotFoundError:
    sys.exit(print("numpy is not installed: pip install numpy onnxruntime", file=sys.stderr) or 2)

Arrays = dict[str, Any]
Run = Callable[[Arrays], Arrays]
Session = Callable[[str], Run]
MAX_DIFFERING_LEVELS, FEW_LEVELS, SIGNATURE, WEIGHTS = 1e-3, 2, "manifest.json.sig", "model.onnx.data"

CHANGED = "was changed: its bytes are not those that the manifest names"
PROBE = "saturation"
"""A product that is wrong on processors without VNNI."""


class Refused(Exception):
    """What cannot be done, in a sentence."""


def module(name: str) -> Any:
    """A module; Refused where a package is missing."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise Refused(f"{error.name} is not installed: pip install numpy onnxruntime pillow") from error


def plain(text: str) -> str:
    """The text, with what may command a terminal spelled out."""
    return "".join(c if c.isprintable() or c in "\n\xa0\u200c\u200d\u3000" else repr(c)[1:-1] for c in text)


def read_manifest(folder: Path) -> dict[str, Any]:
    """manifest.json; Refused where it lacks what is read of it."""
    try:
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text("utf-8"))
        records = [{"name": "", **manifest}, *manifest.get("variants", ())]
        cases = [c for record in records if [*record["name"], record["verdict"]] for c in record["golden"]]
        read = [(c["name"], c["steps"], c["feedback"], [o["name"] for o in c["outputs"]]) for c in cases]
        read += [manifest["problem"]["classes"], manifest["pipeline_signature"]["outputs"]]
        listed = {f["name"]: (f["sha256"], f["bytes"] + 0) for f in manifest["files"]}
        if missing := {c[key] for c in cases for key in ("file", "graph")} - listed.keys():
            raise ValueError(f"it lists no {', '.join(missing)}")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(f"manifest.json is not as zoo writes it ({type(error).__name__}: {error})") from error
    return manifest


def differing_files(folder: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    """A sentence per file that is missing, changed or not in the manifest."""
    listed = {file["name"]: file for file in manifest["files"]}
    present = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_symlink() or not p.is_dir()}
    yield from (f"{name} is missing" for name in sorted(listed.keys() - present))
    yield from (f"{name} is not in the manifest" for name in sorted(present - {*listed, "manifest.json", SIGNATURE}))
    for name in sorted(listed.keys() & present):
        path, size = folder / name, listed[name]["bytes"]
        if path.is_symlink() or not path.is_file():
            yield f"{name} is a link or no file"
            continue
        if path.stat().st_size != size or digest(path) != listed[name]["sha256"]:
            yield f"{name} {CHANGED}"


def digest(path: Path) -> str:
    """sha256 of a file of any size."""
    data: Any = np.memmap(path, np.uint8, "r") if path.stat().st_size else b""
    return hashlib.sha256(data).hexdigest()


def roll_out(run: Run, feeds: Arrays, *, steps: int, feedback: Mapping[str, str]) -> Arrays:
    """One run, or `steps` runs, each fed its slice and the outputs of the one before."""
    if steps == 1:
        return run(feeds)
    state, answers = {name: feeds[name] for name in feedback}, list[Arrays]()
    for step in range(steps):
        answers.append(run({name: value[step] for name, value in feeds.items() if name not in feedback} | state))
        state = {name: answers[-1][output] for name, output in feedback.items()}
    return {name: np.stack([answer[name] for answer in answers]) for name in answers[0]}


def difference(answer: Any, expected: Any, tolerance: Mapping[str, Any]) -> str:
    """Why an answer is not the expected one within its tolerance; empty when it is."""
    if answer.shape != expected.shape:
        return f"has shape {list(answer.shape)} instead of {list(expected.shape)}"
    error = np.abs(answer.astype("float64") - expected.astype("float64")).ravel()
    largest, rms = float(error.max(initial=0.0)), float(np.sqrt(np.sum(error**2) / max(error.size, 1)))
    few = bool(np.count_nonzero(error) <= max(MAX_DIFFERING_LEVELS * error.size, FEW_LEVELS))
    near = largest <= (tolerance.get("max") or 0) and rms <= (tolerance.get("rms") or 0)  # NaN is never near
    rules = {"equal": np.array_equal(answer, expected), "choice": few, "levels": few and largest <= 1}
    return "" if rules.get(tolerance["compare"], near) else f"is off by up to {largest:.3g} (rms {rms:.3g})"


def differing_answers(file: Any, case: Mapping[str, Any], run: Run) -> Iterator[str]:
    """A sentence per output of a golden case that this device does not reproduce."""
    with np.load(file, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    feeds = {name[3:]: value for name, value in arrays.items() if name.startswith("in.")}
    answers = roll_out(run, feeds, steps=case["steps"], feedback=case["feedback"])
    for output in case["outputs"]:
        name = output["name"]
        if wrong := difference(answers[name], arrays["out." + name], output) if name in answers else "is missing":
            yield f"{case['name']}: {name} {wrong}"


def add_options(parser: argparse.ArgumentParser) -> None:
    """What run.py and selftest.py have in common."""
    parser.add_argument("--variant", metavar="NAME", help="a variant of the bundle, as int8")
    parser.add_argument("--provider", metavar="NAME", default="cpu", help="of onnxruntime, as cuda or coreml; cpu")
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="of the runtime; one a core")


def chosen(manifest: Mapping[str, Any], variant: str | None) -> Mapping[str, Any]:
    """The manifest itself, or the record of one of its variants."""
    records = {record["name"]: record for record in manifest.get("variants", ())}
    if variant is not None and variant not in records:
        raise Refused(f"this bundle has no variant {variant}; it has {', '.join(records) or 'none'}")
    return manifest if variant is None else records[variant]


def opener(folder: Path, manifest: Mapping[str, Any], options: argparse.Namespace) -> Session:
    """What loads a graph by its name; Refused where its bytes are others, or the provider is not there."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # it asks when it loads
    onnxruntime = module("onnxruntime")  # zoo brings its own sandboxed one
    known = {name.removesuffix("ExecutionProvider").lower(): name for name in onnxruntime.get_available_providers()}
    provider = known.get(options.provider.lower().removesuffix("executionprovider"))
    if provider is None:
        raise Refused(f"this onnxruntime has no provider {options.provider}; it has {', '.join(known)}")
    if options.threads < 0:
        raise Refused(f"--threads is {options.threads}; it must be 1 or more")
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    hashes = {file["name"]: file["sha256"] for file in manifest["files"]}

    def session(name: str) -> Run:
        path = folder / name
        data = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(data).hexdigest() != hashes.get(name):
            raise Refused(f"{name} is missing or {CHANGED}")
        source = str(path) if (path.parent / WEIGHTS).exists() else data
        try:
            opened = onnxruntime.InferenceSession(source, settings, providers=[provider])
        except Exception as error:
            raise Refused(f"{name} cannot be loaded: {error}") from error
        if opened.get_providers()[0] != provider:
            raise Refused(f"{name} cannot be run by {options.provider} here")
        names = [port.name for port in opened.get_outputs()]
        return lambda feeds: dict(zip(names, opened.run(names, feeds), strict=True))

    return session


def self_test(folder: Path, manifest: Mapping[str, Any], about: Mapping[str, Any], session: Session) -> int:
    """Say what differs, `about` the bundle or one of its variants; 0 when nothing does."""
    wrong = list(differing_files(folder, manifest))
    if not wrong:
        wrong = replayed(folder, about["golden"], session)
    passed = f"self-test passed: {len(manifest['files'])} files, {len(about['golden'])} golden cases"
    return verdict(wrong, manifest, about, passed=passed)


def quick_test(folder: Path, manifest: Mapping[str, Any], about: Mapping[str, Any], session: Session) -> int:
    """The same of the smallest golden case and of the probe for VNNI."""
    listed = {file["name"]: file for file in manifest["files"]}
    cases = sorted(about["golden"], key=lambda case: (case["name"] != PROBE, listed[case["file"]]["bytes"]))
    tested = cases[: 2 if cases and cases[0]["name"] == PROBE else 1]
    wrong = [f"{c['file']} was changed" for c in tested if digest(folder / c["file"]) != listed[c["file"]]["sha256"]]
    wrong = wrong or replayed(folder, tested, session)
    names = ", ".join(case["name"] for case in tested)
    return verdict(wrong, manifest, about, passed=f"quick self-test passed: {names}")


def replayed(folder: Path, cases: Sequence[Mapping[str, Any]], session: Session) -> list[str]:
    """Where this device answers golden cases otherwise."""
    runs = {name: session(name) for name in sorted({case["graph"] for case in cases})}
    wrong = [] if cases else ["there is no golden case"]
    for case in cases:
        try:
            wrong += differing_answers(folder / case["file"], case, runs[case["graph"]])
        except Exception as error:
            wrong.append(f"{case['name']}: not answered: {error}")
    return wrong


def verdict(wrong: Sequence[str], manifest: Mapping[str, Any], about: Mapping[str, Any], *, passed: str) -> int:
    """Print the outcome; the exit code."""
    sys.stdout.writelines(plain(line.replace("\n", r"\n")) + "\n" for line in wrong)
    proved = "unproved" not in (manifest["verdict"], about["verdict"])
    print(("self-test failed" if wrong else passed) if proved else "this was published without a proof")
    return 0 if proved and not wrong else 1


def main(arguments: list[str]) -> int:
    """The exit code; without a word where nobody reads on."""
    signal.signal(getattr(signal, "SIGPIPE", signal.SIGTERM), signal.SIG_DFL)
    parser = argparse.ArgumentParser("selftest.py", description=__doc__, allow_abbrev=False)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--quick", action="store_true", help="the smallest golden case alone")
    add_options(parser)
    options, folder = parser.parse_args(arguments), Path(__file__).resolve().parent
    try:
        manifest = read_manifest(folder)
        test = quick_test if options.quick else self_test
        return test(folder, manifest, chosen(manifest, options.variant), opener(folder, manifest, options))
    except Refused as error:
        print(plain(str(error)), file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
