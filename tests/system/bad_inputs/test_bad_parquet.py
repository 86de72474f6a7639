"""Cases 1 to 38: Parquet input."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.arrow import writable

CANARY = "kanarienvogel"


def parquet(table: pa.Table, **options) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file.getvalue()


GOOD = pa.table({"id": [1, 2, 3], "text": [f"refund {CANARY}"] * 3})
BYTES = parquet(GOOD)
FILES = {
    "01 zero bytes": (b"", r"is empty \(0 bytes\); look for an interrupted upload"),
    "02 four bytes": (b"PAR1", "damaged Parquet footer"),
    "03 half": (BYTES[: len(BYTES) // 2], "truncated or still being written"),
    "03 last byte missing": (BYTES[:-1], "truncated or still being written"),
    "04 CSV by that name": (f"id,text\n1,{CANARY}\n".encode(), "not Parquet; .*--format csv"),
    "05 lying footer length": (BYTES[:-8] + b"\xff\xff\xff\x7fPAR1", "damaged Parquet footer"),
    "06 encrypted": (b"PARE" + BYTES[4:-4] + b"PARE", "encrypted Parquet; decrypt it"),
    "11 no columns": (parquet(pa.table({})), "no columns"),
    "12 no text column": (
        parquet(GOOD.rename_columns(["id", "body"])),
        "no column 'text'; its columns are 'id', 'body'; name one with --text-column",
    ),
    "13 repeated name": (
        parquet(pa.table([["a"], [CANARY]], names=["text", "text"])),
        "more than one column 'text'",
    ),
    **{
        f"15 {kind}": (
            parquet(pa.table({"text": pa.array([None], kind)})),
            f"holds {re.escape(str(kind))}, not text",
        )
        for kind in (pa.int64(), pa.float64(), pa.bool_(), pa.timestamp("us"))
    },
    "16 struct": (parquet(pa.table({"text": [{"a": CANARY}]})), "holds struct.*, not text"),
    "16 list": (parquet(pa.table({"text": [[CANARY]]})), "holds list.*, not text"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_refused(name, cli):
    content, message = FILES[name]
    source = cli.folder / "in.parquet"
    source.write_bytes(content)
    cli.refuses(source, 65, message)


def write(cli, table: pa.Table, **options):
    source = cli.folder / "in.parquet"
    pq.write_table(table, source, **options)
    return source


def test_08_a_flipped_bit_in_a_page_with_a_checksum(cli):
    source = write(cli, GOOD, write_page_checksum=True, compression="none", use_dictionary=False)
    content = bytearray(source.read_bytes())
    column = pq.read_metadata(source).row_group(0).column(1)
    content[column.data_page_offset + column.total_compressed_size - 2] ^= 1
    source.write_bytes(content)
    cli.refuses(source, 65, "is damaged after row 0 in column .text.; write the file again")


def test_10_no_rows_give_an_output_without_rows(cli):
    table = cli.accepts(write(cli, GOOD.slice(0, 0)))
    assert (table.num_rows, table.column_names) == (
        0, ["id", "text", "predicted_label", "confidence", "status"],
    )  # fmt: skip


def test_14_a_name_with_a_dot_beside_its_beginning(cli):
    table = pa.table({"a": [{"b": 1}], "a.b": ["refund"], "text": ["login"]})
    assert cli.accepts(write(cli, table)).select(table.column_names).equals(table)


def test_17_18_19_20_texts_without_evidence_have_a_status_and_no_label(cli):
    texts = ["refund", None, "", " \n\t", "qqqq zzzz", "!!!"]
    found = cli.accepts(write(cli, pa.table({"text": texts})))
    assert found["status"].to_pylist() == [
        "ok", "null_text", "empty_text", "empty_text", "no_known_tokens", "no_known_tokens",
    ]  # fmt: skip
    assert found["predicted_label"].is_valid().to_pylist() == [True] + 5 * [False]
    cli.output.unlink()
    found = cli.accepts(write(cli, pa.table({"text": pa.nulls(3)})))
    assert found["status"].to_pylist() == 3 * ["null_text"]


def test_21_22_every_kind_of_text_gives_the_same_answers(cli):
    texts = pa.array(["refund the card", None, "login 文本"])
    answers = []
    for kind in writable(
        pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(),
        pa.dictionary(pa.int32(), pa.string()),
    ):  # fmt: skip
        found = cli.accepts(write(cli, pa.table({"text": texts.cast(kind)})), "--overwrite")
        answers.append(found.drop_columns(["text"]))
    assert all(answer.equals(answers[0]) for answer in answers)


def with_bad_bytes() -> pa.Table:
    values = [b"refund", b"\xff\xfe kanarienvogel", b"login", b"card \xed\xa0\x80"]
    offsets = np.cumsum([0, *map(len, values)], dtype=np.int32)
    data = pa.py_buffer(b"".join(values))
    text = pa.StringArray.from_buffers(len(values), pa.py_buffer(offsets), data)
    return pa.table({"id": [1, 2, 3, 4], "text": text})


def test_22_23_invalid_utf8_is_bad_for_that_row_only(cli):
    source = write(cli, with_bad_bytes())
    cli.refuses(source, 67, "2 rows are not valid UTF-8, the first is row 2; --max-bad-rows")
    cli.refuses(source, 67, "--max-bad-rows allows 49%", "--max-bad-rows", "49%")
    found = cli.accepts(source, "--max-bad-rows", 2)
    assert found["status"].to_pylist() == ["ok", "bad_text", "ok", "bad_text"]
    assert found["id"].to_pylist() == [1, 2, 3, 4]
    assert cli.accepts(source, "--overwrite", "--max-bad-rows", "50%").num_rows == 4


def test_23_with_a_quarantine_bad_rows_leave_the_output_for_it(cli):
    source, aside = write(cli, with_bad_bytes()), cli.folder / "aside.jsonl"
    cli.refuses(source, 67, "2 rows", "--quarantine", aside)
    assert not aside.exists()
    flags = ("--quarantine", aside, "--max-bad-rows", 2, "--chunk-rows", 1, "--json")
    found = cli.accepts(source, *flags)
    assert found["id"].to_pylist() == [1, 3]
    told = json.loads(cli.told)
    assert (told["rows_in"], told["rows_out"], told["rows_quarantined"]) == (4, 2, 2)
    rows = [json.loads(line) for line in aside.read_text().splitlines()]
    assert rows == [{"file": str(source), "row": row, "reason": "bad_utf8"} for row in (2, 4)]
    assert cli("verify", cli.output) == 0
    cli.accepts(source, *flags, "--quarantine-text", "--overwrite")
    assert json.loads(aside.read_text().splitlines()[0])["text"] == r"\xff\xfe kanarienvogel"
    assert aside.stat().st_mode & 0o077 == 0


def test_24_odd_characters_are_text(cli):
    texts = ["refund\0", "\x1b[31mcard", "😀 login", "\u202eupdate", "a\u0301b"]
    table = pa.table({"text": texts})
    assert cli.accepts(write(cli, table)).select(["text"]).equals(table)


def test_25_a_text_of_many_megabytes_is_read_at_its_beginning(cli):
    found = cli.accepts(write(cli, pa.table({"text": ["refund " * 3_000_000, "card"]})))
    assert found["status"].to_pylist() == ["truncated", "ok"]


_PEAK = """
import re, sys
from pathlib import Path
from textbatch.cli import app
sys.argv = ["textbatch", *sys.argv[1:]]
try:
    app.main()
finally:
    # Not ru_maxrss, which a child has from its parent.
    status = Path("/proc/self/status").read_text()
    print("peak", int(re.search(r"VmHWM:\\s+(\\d+)", status)[1]) >> 10)
"""


def peak_of(cli, source, *flags) -> int:
    """Peak memory of a run of its own, MiB."""
    arguments = ["score", source, cli.output, "--model", cli.model, "--columns", "id", *flags]
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, *map(str, arguments)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return int(done.stdout.rpartition("peak")[2])


def test_26_27_long_texts_and_repeated_ones_stay_within_bounds(cli):
    plain = peak_of(cli, write(cli, pa.table({"id": [1], "text": ["refund"]})))
    # 800 MB of text, as one text of 1.4 MB and 600 references to it.
    long = "refund " * 200_000
    source = write(
        cli, pa.table({"id": range(600), "text": [long] * 600}), dictionary_pagesize_limit=1 << 26
    )
    assert peak_of(cli, source, "--overwrite") - plain < 400
    few = pa.array([long + str(i) for i in range(60)])
    source = write(cli, pa.table({"id": range(60), "text": few}), use_dictionary=False)
    assert peak_of(cli, source, "--overwrite") - plain < 500


def test_28_a_page_that_unpacks_to_a_thousand_times_its_size(cli):
    table = pa.table({"text": ["refund " * 200_000] * 300})
    source = write(cli, table, compression="zstd", use_dictionary=False, write_statistics=False)
    assert source.stat().st_size < 1 << 20
    cli.refuses(source, 65, "unpacks .* bytes from .* in row group 0.*smaller row groups")


def test_28_a_text_larger_than_the_memory_that_is_allowed(cli):
    words = "".join(chr(97 + i * i % 26) for i in range(1000))
    text = pa.array([" ".join(f"{words}{i}" for i in range(400_000))], pa.large_string())
    source = write(cli, pa.table({"text": text}), compression="zstd", use_dictionary=False)
    run = subprocess.run(
        [sys.executable, "-m", "textbatch", "score", source, cli.output,
         "--model", cli.model, "--max-memory", "600M"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 71, run.stderr
    assert run.stderr.startswith("textbatch: error[OutOfMemory]")
    assert run.stderr.count("\n") == 1
    assert not cli.output.exists()


def test_30_many_small_row_groups_and_many_columns(cli):
    table = pa.table({"text": ["refund"] * 3000})
    assert cli.accepts(write(cli, table, row_group_size=1)).num_rows == 3000
    wide = pa.table({**{f"c{i}": [i] for i in range(2000)}, "text": ["refund"]})
    found = cli.accepts(write(cli, wide), "--overwrite", "--columns", "c7")
    assert found.column_names == ["c7", "predicted_label", "confidence", "status"]


def test_36_input_and_output_are_one_file(cli):
    source = write(cli, GOOD)
    cli.output.symlink_to(source)
    assert cli.score(source, "--overwrite") == 64
    assert f"the output {cli.output} is the input {source}; give each" in cli.error
    cli.output.unlink()


def test_37_repeated_and_missing_ids_pass_through(cli):
    table = pa.table({"id": [1, 1, None, 1], "text": ["refund", "card", "login", None]})
    assert cli.accepts(write(cli, table)).select(["id", "text"]).equals(table)


def test_38_columns_of_the_added_names_clash(cli):
    cli.refuses(write(cli, GOOD.append_column("status", [["a"] * 3])), 64, "'status'; add --prefix")
