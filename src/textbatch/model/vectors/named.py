"""Sources of word vectors that have a name: an installed package, and sets that gensim publishes.

Here are only facts about them, so that options and help can read this module. Sizes, checksums and
licences of the sets are those of `list.json` in the repository of gensim-data.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from textbatch.data.storage.location import local, resolved

_RELEASES = "https://github.com/RaRe-Technologies/gensim-data/releases/download"
#: GitHub's releases redirect to where it keeps their files.
HOSTS = (".githubusercontent.com",)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedSource:
    """A source of word vectors that has a name.

    Attributes:
        name: What `--vectors` calls it.
        kind: `pieces` for a table of pieces of words in an installed package, `file` for a file of
            word vectors that is fetched.
        origin: Where it comes from and under which licence, in one sentence. Model cards say it.
        size: Size of the file to fetch, in bytes; 0 if there is none.
        md5: Its published checksum; empty if there is none.
    """

    name: str
    kind: Literal["pieces", "file"]
    origin: str
    size: int = 0
    md5: str = ""

    @property
    def url(self) -> str:
        """The address of the file to fetch."""
        return f"{_RELEASES}/{self.name}/{self.name}.gz"


#: The source that is an installed package.
PIECES = "wordllama"
SOURCES = {
    source.name: source
    for source in (
        NamedSource(
            name=PIECES,
            kind="pieces",
            origin="WordLlama (Lee Miller; MIT licence), made from the token embeddings of Llama 2 "
            "(Meta; Llama 2 community licence); frequent English words of pyspellchecker (Tyler "
            "Barrus; MIT licence)",
        ),
        NamedSource(
            name="glove-wiki-gigaword-100",
            kind="file",
            origin="GloVe of Wikipedia 2014 and Gigaword 5 (Stanford; PDDL licence)",
            size=134_300_434,
            md5="40ec481866001177b8cd4cb0df92924f",
        ),
        NamedSource(
            name="word2vec-google-news-300",
            kind="file",
            origin="word2vec of Google News (Google; gensim-data names no licence)",
            size=1_743_563_840,
            md5="a5e5354d40acb95f9ec66d5977d140ef",
        ),
        NamedSource(
            name="fasttext-wiki-news-subwords-300",
            kind="file",
            origin="fastText of Wikipedia 2017, UMBC webbase and statmt.org news (Facebook; "
            "CC BY-SA 3.0 licence)",
            size=1_005_007_116,
            md5="de2bb3a20c46ce65c9c131e1ad9a77af",
        ),
    )
}


def named_source(path: Path) -> NamedSource | None:
    """The source that a value of `--vectors` names; None if it is a file."""
    return SOURCES.get(os.fspath(path))


def file_or_name(value: str | os.PathLike[str]) -> Path:
    """Make the value of `--vectors`. A file that has the name of a source is written as `./NAME`.

    Args:
        value: A path, or the name of a source.

    Raises:
        InputNotFoundError: It is relative to the current directory, and that was removed.
    """
    text = os.fspath(value)
    path = Path(text.removeprefix("file://"))
    # A `Path` loses the dot that says that it is a file.
    return local(resolved(path)) if text not in SOURCES and named_source(path) else path


def files_of(value: Path) -> tuple[Path, ...]:
    """The file that a value of `--vectors` is; empty if it is a name."""
    return () if named_source(value) else (value,)
