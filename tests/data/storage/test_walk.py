from __future__ import annotations

import glob
import os
from pathlib import Path

import pytest

from textbatch.data.readers.listing import list_inputs
from textbatch.data.storage.places import Place, _Found, _found_in
from textbatch.data.storage.walk import Walk

FILES = (
    "a.csv", "b/a.csv", "b/c/a.csv", "b/c/d.txt", "b/.x/a.csv", ".y/a.csv", ".z.csv", "b c/a.csv",
)  # fmt: skip
PATTERNS = (
    "*", "*.csv", "**", "**/*", "**/*.csv", "b/**", "b/**/*.csv", "*/**", "*/**/a.csv", "**/c/**",
    "**/**", "**/**/a.csv", "**/.x/*", ".*", "b*/a.csv", "?/c/?.csv", "[ab]*", "**/x", "b/c",
    "b**/a.csv", "*/*/*/*",
)  # fmt: skip


@pytest.fixture
def tree(tmp_path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("text\nrefund\n")
    return tmp_path


def walked(root: Path, *parts: str) -> list[str]:
    return sorted(entry.name for entry in Walk(root, parts).entries())


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_glob_matches_what_it_matches_in_a_shell(pattern, tree):
    matches = glob.glob(pattern, root_dir=tree, recursive=True)  # noqa: PTH207
    wanted = {os.path.normpath(match) for match in matches}
    folders = [name for name in wanted if (tree / name).is_dir()]
    found = set(walked(tree, *pattern.split("/")))
    assert wanted.difference(folders) <= found
    # Beside these only what is in the folders that are matched.
    for name in found - wanted:
        assert any(name.startswith(f"{folder}/") or folder == "." for folder in folders), name


def loops(folder: Path) -> None:
    (folder / "up").symlink_to("..")
    (folder / "here").symlink_to(".")
    (folder / "c" / "up").symlink_to("..")
    (folder / "c" / "top").symlink_to(folder.parent)


@pytest.mark.parametrize("given", ["", "**", "**/*.csv", "*", "*/*", "**/**/*.csv"])
def test_links_that_lead_in_circles_give_each_file_once_by_its_own_name(given, tree):
    (tree / "b" / "c" / "d.txt").unlink()
    before = [file.name for file in list_inputs([tree / given], "auto").files]
    loops(tree / "b")
    after = [file.name for file in list_inputs([tree / given], "auto").files]
    assert set(before) <= set(after)
    parents = [((tree / name).parent.stat().st_ino, Path(name).name) for name in after]
    assert len(set(parents)) == len(parents)
    if given in ("", "**", "**/*.csv"):
        assert after == before


def test_folders_that_all_link_to_each_other_are_soon_gone_through(tmp_path):
    folders = [tmp_path / f"f{number}" for number in range(20)]
    for folder in folders:
        folder.mkdir()
        (folder / "a.csv").write_text("text\nrefund\n")
        for other in folders:
            (folder / f"to-{other.name}").symlink_to(other)
    names = [f"{folder.name}/a.csv" for folder in folders]
    for given in (tmp_path, tmp_path / "**" / "*.csv", tmp_path / "**"):
        assert [file.name for file in list_inputs([given], "auto").files] == sorted(names)
    # The places of a command are looked for in the same way, before anything is listed.
    place = Place(option="the input", given=tmp_path / "**")
    written = _Found.of(Place(option="--report", given=folders[0] / "a.csv", is_written=True))
    assert written is not None
    assert any(found.file == written.file for found in _found_in(place, [written]))


def test_a_folder_behind_a_link_is_gone_through(tree, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "e.csv").touch()
    (tree / "b" / "link").symlink_to(elsewhere)
    assert "b/link/e.csv" in walked(tree)
    assert walked(tree, "**", "e.csv") == ["b/link/e.csv"]


def test_a_link_to_itself_is_a_file_that_cannot_be_read(tree):
    (tree / "self").symlink_to("self")
    (entry,) = (entry for entry in Walk(tree).entries() if entry.name == "self")
    assert not entry.is_folder


def test_one_folder_counts_for_each_way_that_it_is_matched(tree):
    (tree / "deep").mkdir()
    (tree / "deep" / "a.csv").touch()
    (tree / "b" / "deep").symlink_to("../deep")
    # As `*` it is only looked into for `deep`; the link is what matches.
    assert walked(tree, "*", "deep", "*.csv") == ["b/deep/a.csv"]
