"""A tokenizer.json of the library `tokenizers` as a vocabulary and the rules of a problem; torch-free.

Nothing of the library is run.  A part that zoo would cut otherwise is refused by its name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Final

from zoo.api.errors import BadFile
from zoo.data.text.subword.models import MODELS
from zoo.data.text.subword.parts import Steps, steps_of
from zoo.data.text.subword.patterns import WHITE_SPACE, class_of, word_characters
from zoo.data.text.subword.steps import split_text

Part = Mapping[str, Any]
FLAGS: Final = ("single_word", "lstrip", "rstrip")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenizerFile:
    """What a tokenizer.json says.

    Examples:
        >>> tokenizer = zoo.TokenizerFile(vocabulary=("a", "b"), rules={}, max_length=None)
        >>> len(tokenizer.vocabulary)
        2
    """

    vocabulary: tuple[str, ...]
    """Tokens in the order of their ids."""
    rules: dict[str, Any]
    """The problem's fact "tokenizer", see `zoo.data.text.subword.encode`."""
    max_length: int | None
    """The most tokens of a text, those at the ends among them; None where the file does not say."""


def read_tokenizer_json(path: Path) -> TokenizerFile:
    """The tokenizer of a file; BadFile names the part that zoo does not know, or that is not as it must be.

    Args:
        path: A tokenizer.json of Hugging Face's tokenizers.

    Returns:
        Vocabulary and rules as plain data, which `task.py` of a bundle follows.

    Raises:
        BadFile: The file is none, or has a part that zoo does not know.

    Examples:
        >>> _ = Path("tokenizer.json").write_text("{}")
        >>> zoo.read_tokenizer_json(Path("tokenizer.json"))
        Traceback (most recent call last):
        zoo.api.errors.BadFile: ...
    """
    try:
        document = json.loads(path.read_bytes())
        return _tokenizer(document)
    except (OSError, ValueError) as error:
        raise BadFile(f"{path} cannot be taken for a tokenizer: {error}") from error
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise BadFile(f"{path} is no tokenizer.json of the library tokenizers: {error!r}") from error


def _tokenizer(document: Mapping[str, Any]) -> TokenizerFile:
    model, ids = _model(document["model"])
    normalizer, pre_tokenizer = (steps_of(document.get(name), name) for name in ("normalizer", "pre_tokenizer"))
    if any(step["do"] == "split" and later.get("first") for step, later in combinations(pre_tokenizer, 2)):
        raise ValueError("its Metaspace marks the first piece alone, and follows another pre-tokenizer")
    if model["type"] == "BPE" and model.get("unk_token") not in ids:
        if model.get("unk_token") and not any(step["do"] == "bytes" for step in [*normalizer, *pre_tokenizer]):
            raise ValueError(f"its vocabulary has no {model['unk_token']}, which it writes for an unknown sign")
        model["unk_token"] = None  # to one of bytes nothing is unknown
    added = document.get("added_tokens") or ()
    vocabulary = _in_order(ids | {token["content"]: token["id"] for token in added}, [*ids.items()])
    truncation = document.get("truncation") or {}
    if truncation.get("direction", "Right") != "Right":
        raise ValueError("it truncates texts at their beginning, which zoo does not")
    first, last = _ends(document.get("post_processor"))
    rules = {
        "normalizer": normalizer,
        "pre_tokenizer": pre_tokenizer,
        "model": model,
        "added": {
            "raw": _added([token for token in added if not token["normalized"]], []),
            "normalized": _added([token for token in added if token["normalized"]], normalizer),
        },
        "only_added": sorted({token["id"] for token in added} - set(ids.values())),
        "unknown": _unknown(model, vocabulary),
        "first": first,
        "last": last,
    }
    return TokenizerFile(vocabulary=vocabulary, rules=rules, max_length=truncation.get("max_length"))


def _added(tokens: Iterable[Part], normalizer: Steps) -> dict[str, Any]:
    """Tokens that are found in a text before it is cut: the longest of those that begin leftmost."""
    by_text = {"".join(split_text(token["content"], normalizer, first=True)): token for token in tokens}
    by_text.pop("", None)
    longest_first = sorted(by_text, key=len, reverse=True)
    return {
        "pattern": "|".join(map(re.escape, longest_first)),
        "tokens": {text: {name: token[name] for name in ("id", *FLAGS)} for text, token in by_text.items()},
        "word": class_of(*word_characters()) if any(token["single_word"] for token in by_text.values()) else "",
        "space": WHITE_SPACE,
    }


def _ends(processor: Part | None) -> tuple[list[int], list[int]]:
    """The ids that are put before and after a text."""
    if processor is None:
        return [], []
    if processor["type"] != "Sequence":
        return _ends_of(processor)
    first, last = list[int](), list[int]()
    for part in processor["processors"]:
        before, after = _ends(part)
        first, last = [*before, *first], [*last, *after]
    return first, last


def _model(model: Part) -> tuple[dict[str, Any], dict[str, int]]:
    """The model without its vocabulary, and the ids of its pieces."""
    kind = model.get("type") or _older_kind(model)
    if kind not in MODELS:
        raise ValueError(f"zoo does not know its model {kind}")
    if model.get("dropout"):
        raise ValueError("its BPE leaves out merges at random (dropout)")
    kept = {key: value for key, value in model.items() if key not in ("vocab", "merges")} | {"type": kind}
    if kind == "Unigram":
        if model.get("unk_id") is None:
            raise ValueError("its Unigram has no unknown token")
        scores = [float(score) for _, score in model["vocab"]]
        return kept | {"scores": scores}, {piece: index for index, (piece, _) in enumerate(model["vocab"])}
    if kind == "BPE":
        kept["merges"] = [pair.split(" ") if isinstance(pair, str) else [*pair] for pair in model["merges"]]
    if kind != "BPE" and model["unk_token"] not in model["vocab"]:
        raise ValueError(f"its vocabulary has no {model['unk_token']}, which its {kind} needs")
    return kept, {**model["vocab"]}


def _older_kind(model: Part) -> str:
    """The model of a file that does not name it, as older ones."""
    if "merges" in model:
        return "BPE"
    if "continuing_subword_prefix" in model:
        return "WordPiece"
    return "Unigram" if isinstance(model["vocab"], list) else "WordLevel"


def _in_order(ids: Mapping[str, int], pieces: Sequence[tuple[str, int]]) -> tuple[str, ...]:
    """The tokens by id; ids that nothing has are filled up, and stand for no text."""
    size = max(ids.values(), default=-1) + 1
    if size > 2 * len(ids) + 1_000:
        raise ValueError(f"its ids go up to {size - 1:,}, and it has {len(ids):,} tokens")
    tokens = [f"<unused {index}>" for index in range(size)]
    for token, index in (*pieces, *ids.items()):
        tokens[index] = token
    return tuple(tokens)


def _unknown(model: Part, vocabulary: Sequence[str]) -> int:
    """The id of what has no token; that of the first token where a model knows every byte."""
    if model["type"] == "Unigram":
        return int(model["unk_id"])
    name = model.get("unk_token")
    return vocabulary.index(name) if name in vocabulary else 0


def _ends_of(part: Part) -> tuple[list[int], list[int]]:
    if part["type"] in ("BertProcessing", "RobertaProcessing"):
        return [part["cls"][1]], [part["sep"][1]]
    if part["type"] == "ByteLevel":
        return [], []
    if part["type"] != "TemplateProcessing":
        raise ValueError(f"zoo does not know its post-processor {part['type']}")
    before, after = list[int](), list[int]()
    behind = False
    for step in part["single"]:
        if "Sequence" in step:
            if behind or step["Sequence"]["id"] != "A":
                raise ValueError("its post-processor writes a text twice")
            behind = True
        else:
            end = after if behind else before
            end += part["special_tokens"][step["SpecialToken"]["id"]]["ids"]
    return before, after
