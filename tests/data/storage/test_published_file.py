from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.publisher import Publisher

from textbatch.data.storage.published_file import PublishedFile, fetch_published
from textbatch.errors import (
    AccessError,
    DataError,
    InputNotFoundError,
    StorageError,
    TryAgainError,
)

CONTENT = bytes(range(256)) * 2000
MD5 = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture
def publisher():
    found = Publisher(CONTENT)
    yield found
    found.close()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("TEXTBATCH_REQUEST_SECONDS", "0.3")
    monkeypatch.setenv("TEXTBATCH_RETRY_SECONDS", "5")
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "textbatch" / "vectors"


@pytest.fixture
def fetch(publisher, cache):
    def fetched(**changes):
        file = {"url": publisher.url, "size": len(CONTENT), "md5": MD5, **changes}
        told: list[int] = []
        place = fetch_published(PublishedFile(**file), what="--vectors some", on_bytes=told.append)
        assert sum(told) == len(CONTENT)
        assert min(told) > 0
        return place

    return fetched


def names(cache) -> list[str]:
    return sorted(entry.name for entry in cache.iterdir())


def test_a_file_is_fetched_once_and_kept(fetch, publisher, cache):
    assert fetch() == fetch() == cache / "file.gz"
    assert (cache / "file.gz").read_bytes() == CONTENT
    assert publisher.asked == [""]
    assert names(cache) == ["file.gz"]
    assert cache.stat().st_mode & 0o077 == 0


def test_a_file_that_was_put_there_by_hand_needs_no_network(fetch, publisher, cache, tmp_path):
    fetch()
    (cache / "file.gz").rename(tmp_path / "elsewhere")
    publisher.close()
    (cache / "file.gz").symlink_to(tmp_path / "elsewhere")
    assert fetch() == cache / "file.gz"


@pytest.mark.parametrize("mode", ["half", "half, no length", "500", "503", "429", "slow"])
def test_what_breaks_off_goes_on(mode, fetch, publisher, cache):
    publisher.modes = [mode]
    assert fetch().read_bytes() == CONTENT
    assert len(publisher.asked) == 2
    if mode.startswith("half"):
        assert publisher.asked[1] == f"bytes={len(CONTENT) // 2}-"
    assert names(cache) == ["file.gz"]


@pytest.mark.parametrize("mode", ["no ranges", "other part", "no length", "416"])
def test_a_server_that_cannot_go_on_begins_anew(mode, fetch, publisher, cache):
    publisher.modes = ["half", mode]
    assert fetch().read_bytes() == CONTENT


def test_a_later_run_goes_on_too(fetch, publisher, cache, monkeypatch):
    monkeypatch.setenv("TEXTBATCH_RETRY_SECONDS", "0")
    publisher.modes = ["half"]
    with pytest.raises(TryAgainError, match=r"cannot fetch .* broke off; run again later, or put"):
        fetch()
    assert names(cache) == [".file.gz.part"]
    assert fetch().read_bytes() == CONTENT
    assert publisher.asked[1] == f"bytes={len(CONTENT) // 2}-"


def test_a_whole_part_that_lacks_only_its_name_is_not_fetched_again(fetch, publisher, cache):
    fetch().rename(cache / ".file.gz.part")
    assert fetch().read_bytes() == CONTENT
    assert publisher.asked == [""]


@pytest.mark.parametrize("damage", [lambda data: b"?" + data[1:], lambda data: data * 5])
def test_a_damaged_part_is_fetched_anew(damage, fetch, publisher, cache):
    fetch()
    (cache / "file.gz").unlink()
    (cache / ".file.gz.part").write_bytes(damage(CONTENT[:1000]))
    assert fetch().read_bytes() == CONTENT


@pytest.mark.parametrize("mode", ["wrong", "other", "long"])
def test_another_file_is_refused_and_nothing_is_kept(mode, fetch, publisher, cache):
    publisher.modes = [mode] * 4
    with pytest.raises(DataError, match=r"file\.gz (has another|is larger).* at .*yourself"):
        fetch()
    assert names(cache) == []
    assert len(publisher.asked) == 1


def test_what_never_ends_is_given_up_at_the_published_size(fetch, publisher, cache):
    publisher.modes = ["long"]
    with pytest.raises(DataError, match="is larger than the published 10 bytes"):
        fetch(size=10, md5="0" * 32)


def test_a_server_that_breaks_off_for_ever_is_given_up(fetch, publisher, monkeypatch):
    monkeypatch.setattr("textbatch.data.storage.download._FIRST_WAIT", 0.0)
    publisher.modes = ["half, no length", "other part"] * 100
    with pytest.raises(TryAgainError, match="cannot fetch"):
        fetch(md5="0" * 32)


@pytest.mark.parametrize("host", ["http://localhost:1/x", "https://127.0.0.1/x", "file:///etc/x"])
def test_a_redirect_to_another_host_is_refused(host, fetch, publisher):
    publisher.modes, publisher.elsewhere = ["elsewhere"], host
    with pytest.raises(InputNotFoundError, match="it redirects to another host"):
        fetch()


def test_a_redirect_to_a_host_of_the_publisher_is_followed(fetch, publisher):
    publisher.modes = ["elsewhere"]
    publisher.elsewhere = publisher.url.replace("127.0.0.1", "localhost")
    assert fetch(hosts=("localhost",)).read_bytes() == CONTENT
    assert len(publisher.asked) == 2


def test_redirects_in_a_ring_end(fetch, publisher):
    publisher.modes = ["here"] * 50
    with pytest.raises(InputNotFoundError, match="or too often"):
        fetch()


@pytest.mark.parametrize("status", ["401", "403", "404", "410"])
def test_a_refusal_is_final(status, fetch, publisher):
    publisher.modes = [status]
    with pytest.raises(InputNotFoundError, match=f"the server answers {status}; .* yourself"):
        fetch()
    assert len(publisher.asked) == 1


def test_without_a_network_the_message_tells_address_and_place(fetch, publisher, cache):
    publisher.close()
    told = f"--vectors some: cannot fetch {publisher.url}: .*or put {publisher.url} at {cache}"
    with pytest.raises(TryAgainError, match=told):
        fetch()
    assert names(cache) == []


@pytest.mark.parametrize("kind", ["other bytes", "folder", "pipe", "broken link"])
def test_what_is_no_such_file_in_the_cache_is_told_and_stays(kind, fetch, publisher, cache):
    fetch().unlink()
    place = cache / "file.gz"
    if kind == "folder":
        place.mkdir()
    elif kind == "pipe":
        os.mkfifo(place)
    elif kind == "broken link":
        place.symlink_to("nowhere")
    else:
        place.write_bytes(b"damaged")
    with pytest.raises(DataError, match=r"file\.gz is not the published file: its MD5 is not"):
        fetch()
    assert os.path.lexists(place)


def test_several_at_the_same_time_fetch_it_once(fetch, publisher):
    with ThreadPoolExecutor(4) as threads:
        found = [one.result() for one in [threads.submit(fetch) for _ in range(4)]]
    assert {one.read_bytes() for one in found} == {CONTENT}
    assert publisher.asked == [""]


def test_a_full_disk_is_no_network_that_fails(fetch, publisher, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("textbatch.data.storage.download.os.pwrite", full)
    with pytest.raises(StorageError, match="No space left"):
        fetch()
    assert len(publisher.asked) == 1


def test_a_part_that_is_a_link_is_not_written_through(fetch, publisher, cache, tmp_path):
    fetch().unlink()
    (tmp_path / "mine").write_bytes(b"mine")
    os.link(tmp_path / "mine", cache / ".file.gz.part")
    with pytest.raises(AccessError, match="linked from elsewhere"):
        fetch()
    assert (tmp_path / "mine").read_bytes() == b"mine"
