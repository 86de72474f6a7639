from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import numpy as np
import pytest

from textbatch.errors import AccessError, TextbatchError
from textbatch.scoring import answer_cache as module
from textbatch.scoring.answer_cache import Answer, AnswerCache
from textbatch.scoring.cache_options import CACHE_FILE

LABELS = 3


@pytest.fixture
def opened(tmp_path):
    caches = []

    def open_(scope: str = "model", max_bytes: int = 1 << 20, labels: int = LABELS) -> AnswerCache:
        made = AnswerCache(tmp_path / "cache", scope=scope, widths=(labels,), max_bytes=max_bytes)
        caches.append(made)
        return made

    yield open_
    for cache in caches:
        cache.close()


def one(status: int, probabilities: np.ndarray) -> Answer:
    return Answer(np.array([status], np.int8), probabilities)


def answers_of(cache: AnswerCache, texts: list[str]) -> dict:
    return {
        cache.key_of(text): one(place % 4, np.full(LABELS, place, np.float32))
        for place, text in enumerate(texts)
    }


def known(cache: AnswerCache, texts: list[str]) -> list[str]:
    keys = {text: cache.key_of(text) for text in texts}
    found = cache.find([*keys.values()])
    return [text for text, key in keys.items() if key in found]


def test_what_was_added_is_found_again_bit_for_bit_also_by_another_process(opened):
    cache = opened()
    odd = np.array([np.nan, 1e-45, 0.1], np.float32)
    texts = ["", "a", "where is my card?", "文本", "a\0b", "x" * 100_000]
    cache.add({cache.key_of(text): one(3, odd) for text in texts})
    cache.close()
    again = opened()
    found = again.find([again.key_of(text) for text in texts])
    assert len(found) == len(texts)
    for answer in found.values():
        assert (answer.status.tolist(), answer.probabilities.tobytes()) == ([3], odd.tobytes())
    assert again.find([again.key_of("b")]) == {}


def test_another_model_or_another_number_of_labels_finds_nothing(opened):
    cache = opened()
    cache.add(answers_of(cache, ["a"]))
    assert known(opened("another"), ["a"]) == []
    assert known(opened(labels=4), ["a"]) == []
    assert known(opened(), ["a"]) == ["a"]


def test_more_keys_than_one_query_takes(opened):
    cache = opened()
    texts = [f"text {number}" for number in range(2500)]
    cache.add(answers_of(cache, texts))
    assert known(cache, texts) == texts


def test_a_changed_byte_is_no_answer(opened, tmp_path):
    cache = opened()
    cache.add(answers_of(cache, ["a", "b", "c"]))
    cache.close()
    with closing(sqlite3.connect(tmp_path / "cache" / CACHE_FILE)) as file:
        key = cache.key_of("a")
        (answer,) = file.execute("SELECT answer FROM answers WHERE key = ?", (key,)).fetchone()
        for place in range(len(answer)):
            wrong = bytearray(answer)
            wrong[place] ^= 4
            file.execute("UPDATE answers SET answer = ? WHERE key = ?", (bytes(wrong), key))
            file.commit()
            assert known(opened(), ["a", "b"]) == ["b"]
        for wrong in (b"", answer[:-1], answer + b"0", "text", 7):
            file.execute("UPDATE answers SET answer = ? WHERE key = ?", (wrong, key))
            file.commit()
            assert known(opened(), ["a", "c"]) == ["c"]


def test_a_file_that_cannot_be_opened_is_closed(opened, tmp_path, monkeypatch):
    files = []

    class Noted(sqlite3.Connection):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            files.append(self)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, **k, factory=Noted))
    opened().close()
    (tmp_path / "cache" / CACHE_FILE).write_bytes(b"no database" * 1000)
    assert known(opened(), ["a"]) == []
    assert len(files) == 2
    for file in files:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            file.execute("SELECT 1")


@pytest.mark.parametrize("damage", [b"", b"no database" * 1000, b"\0" * 5000])
def test_a_damaged_file_is_made_anew(opened, tmp_path, damage):
    cache = opened()
    cache.add(answers_of(cache, ["a"]))
    cache.close()
    place = tmp_path / "cache" / CACHE_FILE
    place.write_bytes(damage)
    broken = opened()
    assert known(broken, ["a"]) == []
    broken.add(answers_of(broken, ["b"]))
    broken.close()
    fresh = opened()
    fresh.add(answers_of(fresh, ["c"]))
    assert "c" in known(opened(), ["a", "b", "c"])


def test_flipped_bits_in_the_file_give_no_wrong_answer(opened, tmp_path):
    cache = opened()
    texts = [f"text {number}" for number in range(300)]
    expected = answers_of(cache, texts)
    cache.add(expected)
    cache.close()
    place = tmp_path / "cache" / CACHE_FILE
    whole = place.read_bytes()
    random = np.random.default_rng(0)
    for _ in range(60):
        damaged = bytearray(whole)
        for at in random.integers(0, len(whole), 3):
            damaged[at] ^= 1 << random.integers(8)
        place.write_bytes(damaged)
        other = opened()
        for key, answer in other.find([*expected]).items():
            assert answer.status.tolist() == expected[key].status.tolist()
            assert answer.probabilities.tobytes() == expected[key].probabilities.tobytes()
        other.close()
        for rest in place.parent.glob(f"{CACHE_FILE}-*"):
            rest.unlink()


def test_the_file_stays_within_its_bounds_and_keeps_what_was_used_last(opened, tmp_path):
    cache = opened(max_bytes=400_000)
    first = [f"first {number}" for number in range(500)]
    cache.add(answers_of(cache, first))
    cache._hour += 100
    assert known(cache, first[:50]) == first[:50]  # used again
    for round_ in range(20):
        cache.add(answers_of(cache, [f"{round_} {number}" for number in range(500)]))
    cache.close()
    assert (tmp_path / "cache" / CACHE_FILE).stat().st_size <= 400_000
    assert known(opened(), ["19 499"]) == ["19 499"]
    assert len(known(opened(), first[50:])) < 100


def test_two_writers_at_once_and_one_that_holds_the_file(opened, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_WAIT_SECONDS", 0.2)
    first, other = opened(), opened()
    for number in range(20):
        first.add(answers_of(first, [f"one {number}"]))
        other.add(answers_of(other, [f"other {number}"]))
    assert len(known(first, [f"other {number}" for number in range(20)])) == 20
    holder = sqlite3.connect(tmp_path / "cache" / CACHE_FILE)
    holder.execute("BEGIN IMMEDIATE")
    first.add(answers_of(first, ["late"]))  # is given up
    assert known(first, ["one 3", "late"]) == ["one 3"]
    holder.rollback()
    holder.close()
    first.add(answers_of(first, ["late"]))
    assert known(other, ["late"]) == ["late"]


def test_a_killed_writer_leaves_a_sound_file(opened, tmp_path):
    code = (
        "import sys; import numpy as np; from pathlib import Path\n"
        "from textbatch.scoring.answer_cache import Answer, AnswerCache\n"
        f"c = AnswerCache(Path({str(tmp_path / 'cache')!r}), scope='model', widths=(3,), "
        "max_bytes=1 << 24)\n"
        "n = 0\n"
        "while True:\n"
        "    one = Answer(np.zeros(1, np.int8), np.full(3, n, np.float32))\n"
        "    c.add({c.key_of(f'{n} {i}'): one for i in range(200)})\n"
        "    n += 1; print(n, flush=True)\n"
    )
    for moment in (1, 4, 9):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        for _ in range(moment):
            process.stdout.readline()
        time.sleep(0.002 * moment)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        cache = opened(max_bytes=1 << 24)
        # What was noted before is there, and each note is whole or not there.
        assert len(known(cache, [f"{moment - 1} {i}" for i in range(200)])) == 200
        cache.add(answers_of(cache, ["after"]))
        assert known(cache, ["after"]) == ["after"]
        cache.close()


def test_directory_and_file_are_this_users_own(opened, tmp_path):
    opened().close()
    folder = tmp_path / "cache"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / CACHE_FILE).stat().st_mode & 0o077 == 0
    (folder / CACHE_FILE).unlink()
    target = tmp_path / "elsewhere"
    target.write_bytes(b"mine")
    (folder / CACHE_FILE).symlink_to(target)
    with pytest.raises(TextbatchError):
        opened()
    assert target.read_bytes() == b"mine"
    linked = tmp_path / "linked"
    linked.symlink_to(folder)
    with pytest.raises(AccessError):
        AnswerCache(linked, scope="", widths=(1,), max_bytes=1 << 20)


def test_a_directory_that_is_gone_costs_answers_only(opened, tmp_path):
    cache = opened()
    cache.add(answers_of(cache, ["a"]))
    for path in (tmp_path / "cache").iterdir():
        path.unlink()
    (tmp_path / "cache").rmdir()
    cache.add(answers_of(cache, ["b"]))
    cache.find([cache.key_of("a")])
    cache.close()


def test_it_opens_no_file_in_the_working_directory(opened, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    opened().close()
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]
