"""The tokenizer of a folder, and how long its texts may be; torch-free.

tokenizer.json says everything; older folders have vocab.txt, BERT's word pieces.  A model of sentences also says in
sentence_bert_config.json how long a text may be.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from zoo import BadFile, read_tokenizer_json
from zoo_huggingface.folders import Folder

POSITION_KEYS: Final = ("max_position_embeddings", "n_positions")
OFFSET_POSITIONS: Final = (
    *("roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "mpnet", "longformer", "data2vec-text", "ibert"),
    *("roberta-prelayernorm", "xmod", "lilt"),
)
"""Their first position is that after the padding's id."""
Unit = Literal["wordpiece", "subword"]


def read_tokenizer(folder: Folder) -> tuple[tuple[str, ...], dict[str, Any], Unit]:
    """The vocabulary in the order of its ids, the tokenizer's rules and its unit; BadFile for what zoo cannot cut."""
    if folder.has("tokenizer.json"):
        file = read_tokenizer_json(folder.path / "tokenizer.json")
        return file.vocabulary, file.rules, "subword"
    path = folder.path / "vocab.txt"
    if not path.is_file():
        raise BadFile(f"{folder.path} has neither tokenizer.json nor vocab.txt, so nobody knows how it cuts texts")
    vocabulary = tuple(path.read_text(encoding="utf-8").rstrip("\n").split("\n"))
    config = folder.json("tokenizer_config.json") if folder.has("tokenizer_config.json") else {}
    ids = {piece: index for index, piece in enumerate(vocabulary)}
    absent = [piece for piece in ("[UNK]", "[CLS]", "[SEP]") if piece not in ids]
    if absent:
        raise BadFile(f"{path} has no {', '.join(absent)}, which its own rules need")
    lowercase = bool(config.get("do_lower_case", True))
    rules = {
        "lowercase": lowercase,
        "strip_accents": lowercase if config.get("strip_accents") is None else config["strip_accents"],
        "chinese": bool(config.get("tokenize_chinese_chars", True)),
        "unknown": ids["[UNK]"],
        "first": [ids["[CLS]"]],
        "last": [ids["[SEP]"]],
    }
    return vocabulary, rules, "wordpiece"


def longest(folder: Folder, architecture: dict[str, Any]) -> int:
    """The most tokens of a text that the model reads."""
    positions = next((int(architecture[key]) for key in POSITION_KEYS if architecture.get(key)), 512)
    if architecture["model_type"] in OFFSET_POSITIONS:
        positions -= int(architecture.get("pad_token_id") or 1) + 1
    said = []
    if folder.has("sentence_bert_config.json"):
        said.append(folder.json("sentence_bert_config.json").get("max_seq_length"))
    if folder.has("tokenizer.json"):
        said.append((folder.json("tokenizer.json").get("truncation") or {}).get("max_length"))
    return min([positions, *(int(limit) for limit in said if limit)])
