"""The site's MkDocs hook: pages outside `docs/` are pages too, and links work as they do in the repository.

A page of the site has the path it has in the repository, less `docs/`. A link to what is no page (code, a folder)
becomes plain text that names the path: the site does not know where the repository is hosted, and a copy of the code
would be one more thing that goes out of date. Notes to whoever runs the pages do not get into the site.
"""

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from tools.markdown import slug, unused

# Data is there because implementers in other languages test against it.
BESIDE_DOCS = (
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "examples/README.md",
    "spec/**/*.md",
    "spec/**/*.json",
)

# They hold every word of the others: a search is to find those first.
BACKGROUND = ("CHANGELOG.md", "docs/decisions/", "docs/internals/")

NAMED_FENCE = re.compile(r"^<!-- file: (?P<name>\S+) -->$\n^(?P<fence>`{3,}\w+)$", re.MULTILINE)
NOTE = re.compile(r"^<!-- .*? -->\n?", re.MULTILINE | re.DOTALL)


def beside_docs(root: Path) -> list[str]:
    """Paths in the repository of what is in the site without being in `docs/`."""
    return sorted({file.relative_to(root).as_posix() for pattern in BESIDE_DOCS for file in root.glob(pattern)})


def place(path: str) -> str:
    """Where in the site a file of the repository is; the repository's own front page is the site's."""
    return "index.md" if path == "README.md" else path.removeprefix("docs/")


def expanded(nav: list[Any], docs: Path) -> Iterator[Any]:
    """The navigation with every `folder/*.md` replaced by the pages of the folder that its list does not name."""
    named = {
        path for item in nav for path in (item.values() if isinstance(item, dict) else [item]) if isinstance(path, str)
    }
    for item in nav:
        if isinstance(item, str) and "*" in item:
            pages = sorted(file.relative_to(docs).as_posix() for file in docs.glob(item))
            yield from (page for page in pages if page not in named)
        elif isinstance(item, dict):
            yield {
                title: list(expanded(below, docs)) if isinstance(below, list) else below
                for title, below in item.items()
            }
        else:
            yield item


class Links(Treeprocessor):
    """Links as they are written for the repository, made to fit the site."""

    def __init__(self, md: Markdown, root: Path, page: str, files: Files) -> None:
        super().__init__(md)
        self._root = root
        self._page = page
        self._files = files

    def run(self, root: Element) -> None:
        """Change the links of one page, each where it stands."""
        for link in root.iter("a"):
            parts = urlsplit(link.get("href", ""))
            if parts.scheme or parts.netloc or not parts.path or parts.path.startswith("/"):
                continue
            path = posixpath.normpath(posixpath.join(posixpath.dirname(self._page), unquote(parts.path)))
            if self._files.get_file_from_path(place(path)):
                fitting = posixpath.relpath(place(path), posixpath.dirname(place(self._page)) or ".")
                link.set("href", parts._replace(path=quote(fitting)).geturl())
            elif (self._root / path).exists():
                as_text(link, path)


def as_text(link: Element, path: str) -> None:
    """Make a link plain text that names the path. A link to nothing stays one, so that the build fails."""
    link.tag = "span"
    link.attrib.clear()
    link.set("title", path)


class Notes(Preprocessor):
    """Takes out the comments. It runs after fenced code is put aside: there they are part of the page."""

    def run(self, lines: list[str]) -> list[str]:
        """The lines without them."""
        return NOTE.sub("", "\n".join(lines)).split("\n")


class Repository(Extension):
    """What Markdown does in the repository, for one page."""

    def __init__(self, root: Path, page: str, files: Files) -> None:
        super().__init__()
        self._of_page = root, page, files
        self._anchors: set[str] = set()

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - Markdown's name
        """Put both processors between those of fences, of headings and of MkDocs's own links."""
        md.preprocessors.register(Notes(md), "repository_notes", 22)
        md.treeprocessors.register(Links(md, *self._of_page), "repository_links", 4)

    def slug(self, heading: str, _separator: str) -> str:
        """The anchor that the heading has on the repository's host."""
        anchor = unused(slug(heading), self._anchors)
        self._anchors.add(anchor)
        return anchor


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Name all pages of the navigation."""
    config.nav = list(expanded(config.nav or [], Path(config.docs_dir)))
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what stands beside `docs/`."""
    root = Path(config.config_file_path).parent
    for path in beside_docs(root):
        files.append(File.generated(config, place(path), abs_src_path=str(root / path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Set up the extension for this page; a block that is written to a file is shown with the file's name."""
    root = Path(config.config_file_path).parent
    path = Path(page.file.abs_src_path or "").relative_to(root).as_posix()
    if path.startswith(BACKGROUND):
        page.meta["search"] = {"boost": 0.2}
    repository = Repository(root, path, files)
    # MkDocs renders a page right after this hook, and asks the configuration for its extensions each time.
    extensions: list[str | Extension] = config.markdown_extensions  # type: ignore[assignment]
    extensions[:] = [*(own for own in extensions if not isinstance(own, Repository)), repository]
    config.mdx_configs.setdefault("toc", {})["slugify"] = repository.slug
    return NAMED_FENCE.sub(r'\g<fence> title="\g<name>"', markdown)
