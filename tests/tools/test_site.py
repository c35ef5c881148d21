"""The site's hook: pages beside `docs/`, links that fit, anchors as on its host, notes that do not show."""

import re
from pathlib import Path

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

ROOT = Path(__file__).resolve().parents[2]

CONFIG = f"""
site_name: Small
use_directory_urls: false
strict: true
theme: mkdocs
plugins: []
hooks: [{ROOT / "tools" / "site.py"}]
markdown_extensions: [pymdownx.superfences, toc]
validation: {{nav: {{omitted_files: warn}}, links: {{anchors: warn, unrecognized_links: warn}}}}
nav: [index.md, SECURITY.md, spec/README.md, Decisions: [decisions/README.md, decisions/*.md]]
"""

PAGES = {
    "docs/index.md": "# Small\n\n[spec](../spec/README.md#the-format), [front](../README.md)\n",
    "docs/decisions/README.md": "# Decisions\n\n[data](../../spec/rows.json)\n",
    "docs/decisions/0001-first.md": "# First\n\n[`code`](../../src/code.py#L1), [folder](../../src)\n",
    "SECURITY.md": "# Security\n\n[first](docs/decisions/0001-first.md)\n",
    "README.md": "# Front\n",
    "spec/README.md": "# Spec\n\n[up](../SECURITY.md), [here](#the-format-1)\n\n## The format\n\n## The format\n",
    "spec/rows.json": "[]\n",
    "src/code.py": "one\n",
}


@pytest.fixture
def root(tmp_path):
    for path, text in PAGES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    (tmp_path / "mkdocs.yml").write_text(CONFIG)
    return tmp_path


def built(root):
    """Build the site and give a function that reads a page of it."""
    build(load_config(str(root / "mkdocs.yml")))
    return lambda page: (root / "site" / page).read_text()


def links(html):
    return re.findall(r'<a href="([^"]+)">(?:spec|front|data|first|up|here)</a>', html)


def test_a_page_beside_docs_is_a_page_and_links_lead_to_it_and_from_it(root):
    page = built(root)
    assert ["spec/index.html#the-format", "index.html"] == links(page("index.html"))
    assert ["decisions/0001-first.html"] == links(page("SECURITY.html"))
    assert ["../SECURITY.html", "#the-format-1"] == links(page("spec/index.html"))


def test_data_that_is_linked_is_in_the_site(root):
    page = built(root)
    assert ["../spec/rows.json"] == links(page("decisions/index.html"))
    assert "[]\n" == page("spec/rows.json")


def test_a_link_to_code_becomes_text_that_names_the_path(root):
    text = built(root)("decisions/0001-first.html")
    assert '<span title="src/code.py"><code>code</code></span>, <span title="src">folder</span>' in text


def test_repeated_headings_are_numbered_as_on_the_repositorys_host(root):
    assert ["the-format", "the-format-1"] == re.findall(r'<h2 id="([^"]+)"', built(root)("spec/index.html"))


def test_the_pages_of_a_folder_are_in_the_navigation_once_each(root):
    text = built(root)("index.html")
    assert 1 == text.count('<a href="decisions/0001-first.html"')
    assert 1 == text.count('<a href="decisions/index.html"')


def test_notes_do_not_get_into_the_site_but_a_files_name_does(root):
    page = "# Small\n\n<!-- run: prepare it -->\n<!-- file: main.py -->\n```python\nx = 1\n```\n\n"
    (root / "docs" / "index.md").write_text(page + "```html\n<!-- kept: it is code -->\n```\n")
    text = built(root)("index.html")
    assert "prepare it" not in text
    assert '<span class="filename">main.py</span>' in text
    assert "kept: it is code" in text


@pytest.mark.parametrize(
    ("told", "path", "text"),
    [
        ("'../spec/none.md'", "docs/index.md", "[spec](../spec/none.md)"),
        ("'../src/none'", "docs/index.md", "[code](../src/none)"),
        ("'spec/README.md#none'", "SECURITY.md", "[anchor](spec/README.md#none)"),
        ("'#none'", "SECURITY.md", "[anchor](#none)"),
        ("more.md", "docs/more.md", "A page that the navigation does not name."),
    ],
)
def test_what_leads_nowhere_fails_the_build(root, caplog, told, path, text):
    (root / path).write_text(f"# Bad\n\n{text}\n")
    with pytest.raises(Abort):
        built(root)
    assert any(told in record.getMessage() for record in caplog.records)


def test_the_site_itself_loads_nothing_from_elsewhere(tmp_path):
    build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(tmp_path)))
    pages = sorted(tmp_path.rglob("*.html"))
    assert len(pages) > 70
    assert [] == [(page.name, found) for page in pages for found in loaded(page.read_text()) if elsewhere(found)]


def loaded(html):
    """The addresses of all that a browser fetches by itself for a page; a link that is followed is none of them."""
    tags = re.findall(r"<(?:script|img|iframe|source|video|audio|embed|object|link)\b[^>]*>", html)
    return [address for tag in tags for address in re.findall(r'\b(?:src|href|srcset|data)="?([^"\s>]+)', tag)]


def elsewhere(address):
    return re.match(r"(?:[a-z][a-z0-9+.-]*:)?//", address, re.IGNORECASE) is not None


def test_an_address_on_another_host_is_told_from_one_of_the_site():
    html = '<script src=//cdn.example/a.js></script><link href="../site.css"><img src="https://x.example/b.png">'
    assert ["//cdn.example/a.js", "../site.css", "https://x.example/b.png"] == loaded(html)
    assert [True, False, True] == [elsewhere(address) for address in loaded(html)]
