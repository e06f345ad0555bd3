"""What somebody else trained, as files: a folder as the library writes it, or a repository on its hub; torch-free.

Taken are model.safetensors, config.json, tokenizer.json or vocab.txt, and preprocessor_config.json; never a pickle,
never code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from zoo import BadFile, hub_folder, stated_licence

SCHEMES: Final = ("hf:", "hf-hub:", "hf_hub:")
WEIGHTS: Final = "model.safetensors"
INDEX: Final = "model.safetensors.index.json"
FILES: Final = (
    *(
        WEIGHTS,
        INDEX,
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.txt",
        "preprocessor_config.json",
    ),
    *("sentence_bert_config.json", "modules.json", "README.md"),
)
IGNORED_KEYS: Final = ("_name_or_path", "torch_dtype", "dtype", "transformers_version", "use_cache")
"""Keys of a config.json that say nothing about the architecture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """Files on this disk, and what a user called them."""

    path: Path
    name: str

    def architecture(self) -> dict[str, Any]:
        """config.json without what says nothing about the architecture; BadFile where it asks for code of its own."""
        config = self.json("config.json")
        if "auto_map" in config:
            raise BadFile(
                f"{self.path} brings code of its own (auto_map in config.json), and zoo runs no code from files"
            )
        if "model_type" not in config:
            raise BadFile(f"{self.path}/config.json names no model_type, so nobody knows which architecture it means")
        from transformers import CONFIG_MAPPING  # noqa: PLC0415  a name on the hub is looked up without it

        if config["model_type"] not in CONFIG_MAPPING:
            raise BadFile(
                f"{self.path}/config.json is of the family {config['model_type']!r}, which the installed transformers "
                "does not have",
                hint="pip install -U transformers, if a newer one has it",
            )
        return {key: value for key, value in config.items() if key not in IGNORED_KEYS}

    def weights(self) -> Path:
        """The file of the parameters; BadFile where there is only a pickle, or none."""
        if self.has(INDEX) and not self.has(WEIGHTS):
            raise BadFile(
                f"{self.path} has its parameters in several files ({INDEX}), and zoo reads one",
                hint='save it again with the library\'s save_pretrained(folder, max_shard_size="100GB")',
            )
        if not self.has(WEIGHTS):
            raise BadFile(
                f"{self.path} has no {WEIGHTS}: a pickle can run code when it is read, and zoo reads none",
                hint="save it again with the library's save_pretrained",
            )
        return self.path / WEIGHTS

    def classes(self) -> tuple[str, ...]:
        """The names of the classes in order, as id2label has them; those of one name are numbered."""
        labels = self.json("config.json").get("id2label") or {"0": "LABEL_0", "1": "LABEL_1"}
        numbers = [str(index) for index in range(len(labels))]
        if not isinstance(labels, dict) or set(labels) != set(numbers):
            raise BadFile(f"{self.path}/config.json does not number its classes 0, 1, 2, …")
        ordered = [str(labels[number]) for number in numbers]
        return tuple(f"{label} {index}" if ordered.count(label) > 1 else label for index, label in enumerate(ordered))

    def licence(self) -> str:
        """What config.json or the front matter of README.md names as the licence; empty where neither does."""
        return stated_licence(self.path)

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""
        return (self.path / name).is_file()

    def json(self, name: str) -> dict[str, Any]:
        """A file's object; BadFile where it holds none."""
        path = self.path / name
        try:
            document = json.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            raise BadFile(f"{path} is not readable JSON: {error}") from error
        if not isinstance(document, dict):
            raise BadFile(f"{path} is not a JSON object")
        return document


def find_folder(text: str) -> Folder | None:
    """The folder with config.json that a text names, or on the hub, fetched; None for anything else.

    None as well for what lies on the hub and is no model of the library: it has no model_type.
    """
    scheme = next((scheme for scheme in SCHEMES if text.startswith(scheme)), "")
    if scheme:
        path = hub_folder(text.removeprefix(scheme), FILES, extra="huggingface")
        folder = Folder(path=path, name=f"{text.partition('@')[0]}@{path.name}")
        if scheme == "hf:":
            return folder
        return folder if folder.has("config.json") and "model_type" in folder.json("config.json") else None
    return Folder(path=Path(text), name=text) if (Path(text) / "config.json").is_file() else None


def kind_of(architecture: Mapping[str, Any]) -> str:
    """What a configuration says that its network does, "ImageClassification"; empty for an encoder alone."""
    names = architecture.get("architectures") or [""]
    return str(names[0]).partition("For")[2]
