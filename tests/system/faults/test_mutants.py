from __future__ import annotations

import io
import random
import sys
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.killable_job import FULL

from textbatch.cli import app

TEXTS = [f"refund {i % 50} the card {i * i % 97}" for i in range(600)]
TABLE = pa.table(
    {
        "id": list(range(600)),
        "text": TEXTS,
        "x": [i / 3 for i in range(600)],
        "l": [[i, i + 1] for i in range(600)],
        "c": pa.array(["a", "b", "c"] * 200).dictionary_encode(),
    }
)


def parquet(**options) -> bytes:
    file = io.BytesIO()
    pq.write_table(TABLE, file, row_group_size=250, **options)
    return file.getvalue()


PARQUET = [
    *(
        parquet(compression=codec, write_page_checksum=checked, use_dictionary=dictionary)
        for codec in ("snappy", "none", "zstd")
        for checked in (True, False)
        for dictionary in (True, False)
    ),
    parquet(data_page_version="2.0", compression="zstd"),
    parquet(
        use_dictionary=False,
        compression="none",
        column_encoding={"text": "DELTA_BYTE_ARRAY", "id": "DELTA_BINARY_PACKED"},
    ),
]
CSV = [
    "".join(["id,text\n", *(f'{i},"{text}, a ""b"""\n' for i, text in enumerate(TEXTS))]).encode(),
    "".join(["text\r\n", *(f'"{text}\r\n"\r\n' for text in TEXTS)]).encode(),
]


def mutant(seed: int) -> tuple[str, bytes]:
    """A file that was right once, damaged as disks, editors and enemies do."""
    draws = random.Random(seed)
    suffix, good = draws.choice([*((".parquet", c) for c in PARQUET), *((".csv", c) for c in CSV)])
    data = bytearray(good)
    footer = int.from_bytes(data[-8:-4], "little") if suffix == ".parquet" else len(data) // 2
    kind = draws.randrange(6)
    place = draws.randrange(4, len(data) - 8)
    if kind == 0:
        for _ in range(draws.randint(1, 4)):
            data[draws.randrange(len(data))] ^= 1 << draws.randrange(8)
    elif kind == 1:
        for _ in range(draws.randint(1, 6)):
            data[len(data) - 8 - footer + draws.randrange(footer)] = draws.randrange(256)
    elif kind == 2:
        data[len(data) - 8 - footer + draws.randrange(footer)] ^= 1 << draws.randrange(8)
    elif kind == 3:
        length = draws.randint(1, 200)
        data[place : place + length] = draws.randbytes(length)
    elif kind == 4:
        del data[place : place + draws.randint(1, 50)]
    else:
        for _ in range(draws.randint(1, 6)):
            data[draws.randrange(4, 200)] = draws.choice([0, 255, 127, 128, draws.randrange(256)])
    return suffix, bytes(data)


@pytest.mark.parametrize("first", range(0, 2000 if FULL else 150, 50))
def test_no_damaged_input_crashes_hangs_or_confuses_the_job(
    first, model, tmp_path, monkeypatch, capfd
):
    for seed in range(first, first + 50):
        suffix, content = mutant(seed)
        source, output = tmp_path / f"in{suffix}", tmp_path / "out.parquet"
        source.write_bytes(content)
        arguments = ["score", source, output, "--model", model, "--overwrite"]
        if seed % 2:
            arguments += ["--quarantine", tmp_path / "q.jsonl", "--max-bad-rows", "100%"]
        monkeypatch.setattr(sys, "argv", ["textbatch", *map(str, arguments)])
        began = time.process_time()
        with pytest.raises(SystemExit) as ended:
            app.main()
        told = capfd.readouterr().err
        assert ended.value.code in (0, 64, 65, 67), (seed, told)
        assert "Traceback" not in told, (seed, told)
        # Where it went well, a note may tell of types that are lost.
        assert told.count("\n") <= 1, (seed, told)
        assert told or not ended.value.code, seed
        assert "refund" not in told
        assert time.process_time() - began < 10, seed
        assert not list(tmp_path.glob(".*")), seed
