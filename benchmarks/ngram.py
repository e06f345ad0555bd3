"""Bits per character of an interpolated 4-gram on the embedded names: what a language model has to beat.

    python benchmarks/ngram.py

Fitted on the training split, measured on the test split, in the text that zoo's character models read: one name a
line.  Interpolated Kneser-Ney with one discount per order, chosen on the validation split, down to a uniform floor
over all characters of the training text and one more for the unknown.  S. F. Chen, J. Goodman, An empirical study of
smoothing techniques for language modeling (1998), section 3.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from zoo.api.data import Split
from zoo.data.embedded.names import names

DISCOUNTS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass
class KneserNey:
    """Probabilities of a character after the `order - 1` before it."""

    order: int
    text: str
    discounts: list[float]
    levels: list[dict[str, Counter[str]]] = field(default_factory=list)
    floor: float = 0.0

    def __post_init__(self) -> None:
        self.floor = 1 / (len(set(self.text)) + 1)
        for length in range(self.order):
            level: dict[str, Counter[str]] = defaultdict(Counter)
            grams = (self.text[at : at + length + 1] for at in range(len(self.text) - length))
            if length < self.order - 1:  # lower orders count in how many contexts a gram occurs, not how often
                longer = {self.text[at : at + length + 2] for at in range(len(self.text) - length - 1)}
                grams = (gram[1:] for gram in longer)
            for gram in grams:
                level[gram[:-1]][gram[-1]] += 1
            self.levels.append(level)

    def probability(self, context: str, character: str) -> float:
        """Of one character, the higher orders leaving a discount for the lower ones."""
        value = self.floor
        for length, level in enumerate(self.levels):
            counts = level.get(context[len(context) - length :])
            if len(context) < length or counts is None:
                continue
            total, discount = counts.total(), self.discounts[length]
            seen = max(counts[character] - discount, 0.0) if character in counts else 0.0
            value = seen / total + discount * len(counts) / total * value
        return value

    def bits(self, text: str) -> float:
        """Bits per character over a text that begins after a line break."""
        text = "\n" + text
        reach = self.order - 1
        log = sum(math.log2(self.probability(text[max(0, at - reach) : at], text[at])) for at in range(1, len(text)))
        return -log / (len(text) - 1)


def corpus(split: Split) -> str:
    """The names of a split, one a line."""
    return "".join(f"{name}\n" for name, _ in names(split))


def best(order: int) -> KneserNey:
    """With the discounts that suit the validation text, one order after the other."""
    model = KneserNey(order, corpus("train"), [0.7] * order)
    validation = corpus("validation")
    for length in reversed(range(order)):
        tried = {}
        for discount in DISCOUNTS:
            model.discounts[length] = discount
            tried[discount] = model.bits(validation)
        model.discounts[length] = min(tried, key=lambda key: tried[key])
    return model


def main() -> None:
    """Print bits per character of orders 1 to 6 as JSON."""
    results = {f"{order}-gram": round(best(order).bits(corpus("test")), 4) for order in range(1, 7)}
    print(json.dumps({"bits_per_character": results, "data": "names, test"}, indent=2))


if __name__ == "__main__":
    main()
