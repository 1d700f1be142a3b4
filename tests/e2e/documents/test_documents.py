"""The documents: the site that `./dev site` makes of them, and whether the commands in them exist."""
import functools
import html.parser
import re
import shlex
import subprocess
import urllib.parse

import pytest

from cairn_node import BINARY, REPOSITORY

DOCUMENTS = sorted(REPOSITORY.glob("docs/*.md")) + [REPOSITORY / "README.md"]


class Page(html.parser.HTMLParser):
    """The ids of a page, where it links to, and what it loads."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.loads = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if "id" in given:
            self.ids.add(given["id"])
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        elif tag in ("script", "img", "link", "iframe", "source"):
            self.loads += [given[name] for name in ("src", "href") if given.get(name)]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    subprocess.run(["mkdocs", "build", "--quiet", "--strict", "--site-dir", folder], cwd=REPOSITORY, check=True)
    return {path.relative_to(folder).as_posix(): Page(path.read_text()) for path in folder.rglob("*.html")}


def test_each_document_is_a_page_and_each_link_leads_somewhere(site):
    assert {f"{d.stem}.html" for d in DOCUMENTS if d.name != "README.md"} <= set(site)
    for name, page in site.items():
        for link in page.links:
            to = urllib.parse.urlsplit(link)
            if to.scheme or to.netloc or name == "404.html":
                continue
            target = to.path or name
            assert target in site or target == ".", f"{name} links to {link}"
            assert not to.fragment or to.fragment in site[target].ids, f"{name} links to {link}"


def test_the_site_loads_nothing_from_elsewhere(site):
    for name, page in site.items():
        for url in page.loads:
            assert not urllib.parse.urlsplit(url).netloc, f"{name} loads {url}"


def commands(document):
    """Each command line of `cairn` in its code, in pieces, and each in its text."""
    inside = False
    text = re.sub(r"\\\n\s*", " ", document.read_text())
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("```"):
            inside = not inside
        found = re.match(r"(?:\w+=\S+ )*(?:build/release/|\./)?cairn (.*)", line) if inside else None
        for command in [found[1]] if found else [] if inside else re.findall(r"`(?:build/release/)?cairn ([a-z][^`]*)`", line):
            first, *rest = shlex.split(command, comments=True)
            yield from ([one, *rest] for one in first.split("|"))


@functools.cache
def help_of(*subcommands):
    return subprocess.run([BINARY, *subcommands, "--help"], capture_output=True, text=True, check=True).stdout


@functools.cache
def subcommands_of(*subcommands):
    listed = help_of(*subcommands).partition("\nSubcommands:\n")[2]
    return set(re.findall(r"^  ([a-z][a-z0-9-]*)", listed, re.M))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.name)
def test_the_commands_in_documents_exist_with_their_options(document):
    for words in commands(document):
        path = []
        while words and words[0] in subcommands_of(*path):
            path.append(words.pop(0))
        assert path, f"{document.name}: no such command: cairn {' '.join(words)}"
        described = help_of(*path)
        for word in words:
            if word in ("|", ">", "&&", "||", ";"):
                break
            if word.startswith("-") and word != "-":
                option = word.partition("=")[0]
                assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", described), \
                    f"{document.name}: cairn {' '.join(path)} has no {option}"
