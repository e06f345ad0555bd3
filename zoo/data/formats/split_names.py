"""Which split a name means: folders, files, lists and cells, in every usual spelling and case."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from zoo.api.data import Split


def word_set(words: str) -> frozenset[str]:
    """The words of a line."""
    return frozenset(words.split())


SPELLINGS: Final[Mapping[Split, str]] = {
    "train": "train training trn trainval",
    "validation": "val valid validation validate validating minival dev devel development eval evaluation",
    "test": "test testing tst testdev holdout heldout",
}
WORDS: Final[Mapping[str, Split]] = {word: split for split, words in SPELLINGS.items() for word in words.split()}
"""Every word that means a split."""
PAIRS: Final = frozenset({("hold", "out"), ("held", "out"), ("test", "dev"), ("train", "val")})
"""Two words that are one split."""
NEUTRAL: Final = word_set(
    "set sets split splits subset partition part data dataset datasets folder dir sample samples file files list "
    "image images img imgs picture pictures photo photos jpegs label labels annotation annotations ann anno annot "
    "mask masks instance instances coco yolo voc text texts audio sound sounds wav wavs clips csv json"
)
"""Words that may stand beside the word of a split and say nothing of their own."""
TRAINVAL: Final = "trainval"
"""Pascal VOC's union of two splits."""


def split_words(name: str) -> tuple[str, ...]:
    """The words of a name in lower case: cut at camel case, digits and punctuation, compounds taken together."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    words: list[str] = []
    for word in re.findall(r"[^\W\d_]+", spaced.lower()):
        stem = next((word.removesuffix(end) for end in NEUTRAL if word.removesuffix(end) in WORDS), "")
        if words and (words[-1], word) in PAIRS:
            words[-1] += word
        elif stem and stem != word:
            words += [stem, word.removeprefix(stem)]  # trainset, testdata
        else:
            words.append(word)
    return tuple(words)


def exact_split(name: str) -> Split | None:
    """The split of a name that says nothing else: train, Validation, train2017, test_images, TrainingSet."""
    words = split_words(name)
    splits = {WORDS[word] for word in words if word in WORDS}
    return splits.pop() if len(splits) == 1 and all(word in WORDS or word in NEUTRAL for word in words) else None


def split_of_file(stem: str) -> Split | None:
    """The split that any word of a file's name says: instances_train2017, dev_annotations; None for none or several."""
    splits = {WORDS[word] for word in split_words(stem) if word in WORDS}
    return splits.pop() if len(splits) == 1 else None


def splits_of_folders(names: Iterable[str]) -> dict[str, Split]:
    """The split of each folder that stands for one, among the folders that lie side by side.

    Other words are allowed where the same ones stand beside different splits: seg_train with seg_test.
    """
    names = list(names)
    splits = {name: split for name in names if (split := exact_split(name))}
    families: defaultdict[tuple[str, ...], dict[str, Split]] = defaultdict(dict)
    for name in names:
        if name not in splits and (split := split_of_file(name)):
            families[tuple(word for word in split_words(name) if word not in WORDS)][name] = split
    for family in families.values():
        if len(set(family.values())) > 1 and "train" in family.values():
            splits |= family
    return splits


def split_of_path(path: str) -> Split | None:
    """The split that the innermost folder of a path with slashes is called after: train/images/1.jpg; None for none.

    Args:
        path: With slashes, below the folder of the data.

    Returns:
        "train", "validation", "test" or None.

    Examples:
        >>> zoo.split_of_path("Val/cat/1.jpg")
        'validation'
    """
    return next((split for name in reversed(path.split("/")[:-1]) if (split := exact_split(name))), None)
