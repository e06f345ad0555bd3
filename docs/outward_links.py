"""A hook of mkdocs: what pages say for GitHub, said for the site.

Files of the repository that pages link to outside of docs/ become a part of the site, so that a link as in
`../benchmarks/openvino.md` works in both. So does the gallery of demo pages, where it was made. Trees of data are plain
text here; a drawing that GitHub draws is folded text, since what would draw it is loaded from a network.
"""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
GALLERY = ROOT / "runs" / "gallery"
"""Where `just gallery` writes the pages of the shipped weights, which no repository holds."""
TO_GALLERY = ("<!-- the gallery of this site -->", "**[Open the gallery of the shipped weights](gallery/index.html)**")
FOLDER = "repository"
"""Where these files lie in the site."""
LINK = re.compile(r"\]\(\.\./([^)#\s]+)")
PLAIN = re.compile(r"^```tree .*$", re.MULTILINE)
CELL = re.compile(r"(?<=[ (])`[^`\n]*\\\|[^`\n]*`")
"""Code in a table with a bar in it, which GitHub alone wants escaped."""
DRAWING = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FOLDED = (
    "<details markdown><summary>The drawing as text, in the language Mermaid</summary>\n\n```text\n{}```\n\n</details>"
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The files of docs/ and those that its pages link to."""
    for page in list(files.documentation_pages()):
        for target in LINK.findall(page.content_string) if "/" not in page.src_uri else ():
            name = f"{FOLDER}/{target}"
            if files.get_file_from_path(name) is None and (ROOT / target).is_file():
                files.append(File.generated(config, name, abs_src_path=str(ROOT / target)))
    for path in sorted(GALLERY.glob("*.html")):
        files.append(File.generated(config, f"gallery/{path.name}", abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: object) -> str:
    """A page whose links out of docs/ lead to the copies; a target that does not exist stays, and is reported."""
    if (GALLERY / "index.html").is_file():
        markdown = markdown.replace(*TO_GALLERY)
    markdown = CELL.sub(lambda match: match[0].replace(r"\|", "|"), markdown)
    markdown = DRAWING.sub(lambda match: FOLDED.format(match[1]), PLAIN.sub("```text", markdown))
    if "/" not in page.file.src_uri:
        return LINK.sub(rf"]({FOLDER}/\1", markdown)
    if page.file.src_uri.startswith(FOLDER):
        up = "../" * page.file.src_uri.count("/")
        return re.sub(r"\]\((?:\.\./)+docs/", f"]({up}", markdown)
    return markdown
