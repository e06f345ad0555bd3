"""Encoders that somebody else trained: a folder as the library writes it, or `hf:ID[@REVISION]` on its hub.

Taken are model.safetensors, config.json, and tokenizer.json or vocab.txt; never a pickle, never code.  A model of
sentences also says in sentence_bert_config.json how long a text may be.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from zoo import BadFile, TokenInput, WeightsSource, hub_folder

HUB: Final = "hf:"
WEIGHTS: Final = "model.safetensors"
FILES: Final = (
    *(WEIGHTS, "config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"),
    *("sentence_bert_config.json", "README.md"),
)
IGNORED_KEYS: Final = ("_name_or_path", "architectures", "torch_dtype", "dtype", "transformers_version", "use_cache")
"""Keys of a config.json that say nothing about the architecture."""
POSITION_KEYS: Final = ("max_position_embeddings", "n_positions")


def find(text: str) -> WeightsSource | None:
    """The encoder in a folder with config.json, or on the hub; None for anything else."""
    if text.startswith(HUB):
        folder = hub_folder(text.removeprefix(HUB), FILES, extra="huggingface")
        return describe(folder, name=f"{text.partition('@')[0]}@{folder.name}")
    folder = Path(text)
    return describe(folder, name=text) if (folder / "config.json").is_file() else None


def describe(folder: Path, *, name: str) -> WeightsSource:
    """All that the files of a folder say; BadFile where zoo cannot take it as it is."""
    architecture = read_architecture(folder)
    if not (folder / WEIGHTS).is_file():
        raise BadFile(
            f"{folder} has no {WEIGHTS}: a pickle can run code when it is read, and zoo reads none",
            hint="save it again with the library's save_pretrained",
        )
    vocabulary, rules = read_tokenizer(folder)
    width = next((architecture[key] for key in ("hidden_size", "dim") if key in architecture), 0)
    return WeightsSource(
        name=name,
        vocabulary=vocabulary,
        input=TokenInput(max_length=longest(folder, architecture), unit="wordpiece", embedding=width),
        facts={"tokenizer": rules, "architecture": architecture},
        licence=licence(folder),
        reader="zoo_huggingface.reading:encoder_state",
        file=folder / WEIGHTS,
    )


def read_architecture(folder: Path) -> dict[str, Any]:
    """config.json without what says nothing about the architecture; BadFile where it asks for code of its own."""
    config = _json(folder / "config.json")
    if "auto_map" in config:
        raise BadFile(f"{folder} brings code of its own (auto_map in config.json), and zoo runs no code from files")
    if "model_type" not in config:
        raise BadFile(f"{folder}/config.json names no model_type, so nobody knows which architecture it means")
    return {key: value for key, value in config.items() if key not in IGNORED_KEYS}


def read_tokenizer(folder: Path) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The vocabulary in the order of its ids, and the tokenizer's rules; BadFile unless it is BERT's WordPiece."""
    path = folder / "tokenizer.json"
    if not path.is_file():
        return _older(folder)
    tokenizer = _json(path)
    model, normalizer = tokenizer.get("model") or {}, tokenizer.get("normalizer") or {}
    kinds = [(tokenizer.get(part) or {}).get("type") for part in ("model", "normalizer", "pre_tokenizer")]
    if kinds != ["WordPiece", "BertNormalizer", "BertPreTokenizer"]:
        raise BadFile(
            f"{path} cuts texts with {', '.join(str(kind) for kind in kinds)}; zoo knows BERT's word pieces",
            hint="take a model of the BERT family: bert, distilbert, electra, mobilebert, MiniLM",
        )
    odd = model.get("continuing_subword_prefix", "##") != "##" or not normalizer.get("clean_text", True)
    if odd or model.get("max_input_chars_per_word", 100) != 100:
        raise BadFile(f"{path} cuts word pieces in a way of its own, which zoo does not know")
    vocabulary = _in_order(model["vocab"], path)
    return vocabulary, _rules(
        vocabulary,
        path,
        lowercase=bool(normalizer.get("lowercase", True)),
        strip_accents=normalizer.get("strip_accents"),
        chinese=bool(normalizer.get("handle_chinese_chars", True)),
        special=_special_tokens(tokenizer.get("post_processor") or {}, path),
    )


def _older(folder: Path) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The same from vocab.txt and tokenizer_config.json."""
    path = folder / "vocab.txt"
    if not path.is_file():
        raise BadFile(f"{folder} has neither tokenizer.json nor vocab.txt, so nobody knows how it cuts texts")
    vocabulary = tuple(path.read_text(encoding="utf-8").rstrip("\n").split("\n"))
    config = _json(folder / "tokenizer_config.json") if (folder / "tokenizer_config.json").is_file() else {}
    return vocabulary, _rules(
        vocabulary,
        path,
        lowercase=bool(config.get("do_lower_case", True)),
        strip_accents=config.get("strip_accents"),
        chinese=bool(config.get("tokenize_chinese_chars", True)),
        special=(["[CLS]"], ["[SEP]"]),
    )


def _rules(
    vocabulary: tuple[str, ...],
    path: Path,
    *,
    lowercase: bool,
    strip_accents: bool | None,
    chinese: bool,
    special: tuple[list[str], list[str]],
) -> dict[str, Any]:
    ids = {piece: index for index, piece in enumerate(vocabulary)}
    absent = [piece for piece in ("[UNK]", *special[0], *special[1]) if piece not in ids]
    if absent:
        raise BadFile(f"{path} has no {', '.join(absent)}, which its own rules need")
    return {
        "lowercase": lowercase,
        "strip_accents": lowercase if strip_accents is None else strip_accents,
        "chinese": chinese,
        "unknown": ids["[UNK]"],
        "first": [ids[piece] for piece in special[0]],
        "last": [ids[piece] for piece in special[1]],
    }


def _special_tokens(processor: dict[str, Any], path: Path) -> tuple[list[str], list[str]]:
    """The special tokens before a text and after it."""
    if processor.get("type") == "BertProcessing":
        return [processor["cls"][0]], [processor["sep"][0]]
    if processor.get("type") != "TemplateProcessing":
        raise BadFile(f"{path} does not say what stands before and after a text")
    single = processor["single"]
    text = next(index for index, part in enumerate(single) if "Sequence" in part)
    return (
        [part["SpecialToken"]["id"] for part in single[:text]],
        [part["SpecialToken"]["id"] for part in single[text + 1 :]],
    )


def _in_order(ids: dict[str, int], path: Path) -> tuple[str, ...]:
    ordered = sorted(ids, key=lambda piece: ids[piece])
    if [ids[piece] for piece in ordered] != list(range(len(ordered))):
        raise BadFile(f"the token ids of {path} are not 0, 1, 2, …: some are missing or given twice")
    return tuple(ordered)


def longest(folder: Path, architecture: dict[str, Any]) -> int:
    """The most tokens of a text that the model reads."""
    positions = next((int(architecture[key]) for key in POSITION_KEYS if key in architecture), 512)
    path = folder / "sentence_bert_config.json"
    limit = _json(path).get("max_seq_length") if path.is_file() else None
    return min(positions, int(limit)) if limit else positions


def licence(folder: Path) -> str:
    """What the front matter of README.md names as the licence; empty where it names none."""
    path = folder / "README.md"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    end = lines.index("---", 1) if lines[:1] == ["---"] and "---" in lines[1:] else 0
    return next((line.partition(":")[2].strip() for line in lines[1:end] if line.startswith("license:")), "")


def _json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise BadFile(f"{path} is not readable JSON: {error}") from error
    if not isinstance(document, dict):
        raise BadFile(f"{path} is not a JSON object")
    return document
