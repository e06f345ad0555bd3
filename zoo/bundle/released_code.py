"""What released versions of zoo wrote into bundles as run.py, task.py and report.html; recorded for ever.

The entry of a version is written when the next one begins: the hashes of its files, and how its page differs from
today's.  A page is data in a template; the template of then is today's with other phrases and its own style sheet.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The code of one released version, as the sha256 of files; texts of tasks and pages by what they are about."""

    run: str
    """Of run.py."""
    tasks: Mapping[str, Sequence[str]]
    """Of task.py, by built-in task; more than one where it depends on the problem."""
    style: str
    """Of the style sheet of report.html."""
    phrases: Sequence[tuple[str, str]]
    """(today, then): what a page of then says in place of what today's says, as regular expression and text."""

    def page_of_then(self, page: str) -> str:
        """Today's page in the words of this version."""
        for today, then in self.phrases:
            page = re.sub(today, then, page)
        return page


RELEASES: Final[Mapping[str, Release]] = {
    "0.1.0": Release(
        run="ccbbcdd35b828cd59744860d31ee8bf52cd080fd80cedb1923720060f467013a",
        tasks={
            "audio-generation": ("3e5f7393f6b9a1f52bf5c7653759d5bcf1f556a5bb93d0ff5ed0be7ff2647466",),
            "image-classification": ("e1899efea86a67174f1b274acadaf190544571e2e542ae4828f0d3490b36d3e0",),
            "image-embedding": ("72a6d7e1e2c883e6e75211f4e1d57aa87ce80d7ff715df4ffbfd8ffe512d6814",),
            "image-generation": ("a9c84cb2f3388c601cd28f3c3df522f987f09968d3ab23c3d4e119c6f7e4daf9",),
            "image-reconstruction": ("2f32387ea21d1538b504f05a643fb006aec258ce1285f24b1998b8f3b1e5075d",),
            "object-detection": ("1d0baf21542ca45021c734e6918d1a87a45a59b6931154fe14d0b3fec812e421",),
            "semantic-segmentation": ("8fc630c2ca58a5f6d82bb9b2e9765972ff35f6762ebca20fa3ad7ad0df90298c",),
            "text-classification": (
                "727aaf69e4573067c27e3351d6e717435d7212befc5b219446a433b7c1b062ca",
                "9d06bda95a009642387a6c070a3f21f41dd060d1def94a3343af2eb3f8535fcc",  # for word pieces
            ),
            "text-embedding": (
                "d47d41a371aa0f98f7736997499a238bae214b4cb1629dd5a9612f09f24f5489",
                "6bf90d9ce69f856135c45c047339edabefd93ce527ed985fe1a8187e57146163",  # for word pieces
            ),
            "text-generation": ("6110170eee9fdbe9a6f2e75d0c8cbf4cd8074dca3675b26220981fec1bb1a053",),
        },
        style="1ee8809ab7a7c7d851887330f7bcdfb762e9b2e8c31bbefa977119735b643502",
        phrases=(
            (r'<meta http-equiv="Content-Security-Policy" [^>]*/>', ""),
            (r"(?<=, 1 thread)(?=</td>)", "s"),
            (r"proved with random weights\.</p>", "proved with seeded live weights.</p>"),
            (r"<strong>mutation score</strong>(?=</td>)", "<strong>power</strong>"),
            (r"would also pass a mutant of this bundle", "would also pass a sabotaged copy of this bundle"),
            (r"<h2>Mutants</h2>", "<h2>Sabotaged copies</h2>"),
            (r"<th>mutant</th>", "<th>sabotage</th>"),
            (r"survived: the checks do not notice this", "survived: the checks have no power here"),
            (r"<td>known discrepancy</td>", "<td>known trap</td>"),
        ),
    ),
}
"""By version, as manifests name it."""
