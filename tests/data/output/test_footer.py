from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.records import COUNTS, SURENESS

from textbatch.data.output.footer import OutputFooter, find_footer, key_of
from textbatch.errors import DataError

FOOTER = OutputFooter(
    version="0.1.0",
    run_id="b" * 16,
    key="a" * 64,
    fingerprint="d" * 64,
    label_names=("billing", "account"),
    precision="f32",
    prefix="p_",
    input_tag="1:2:3",
    input_content="e" * 64,
    options={"top_k": "3"},
    **COUNTS,
    **SURENESS,
)


def write(path: Path, entries: dict[str, str]) -> Path:
    table = pa.table({"n": [1]}).replace_schema_metadata(entries)
    pq.write_table(table, path)
    return path


def test_a_footer_comes_back_as_it_was(tmp_path):
    path = write(tmp_path / "out.parquet", FOOTER.to_entries())
    assert find_footer(path) == FOOTER
    assert key_of(path) == "a" * 64


def test_a_footer_without_answers_has_no_mean(tmp_path):
    counts = {"rows_in": 0, "rows_out": 0, "rows_quarantined": 0, "statuses": {}}
    empty = OutputFooter(
        version="0.1.0",
        run_id="b" * 16,
        key="a" * 64,
        fingerprint="d" * 64,
        label_names=("billing",),
        precision="int8",
        prefix="",
        input_tag="",
        input_content="",
        labels={"billing": 0},
        mean_confidence=None,
        **counts,
    )
    assert find_footer(write(tmp_path / "out.parquet", empty.to_entries())) == empty


def test_a_file_of_others_has_no_footer_of_ours(tmp_path):
    foreign = write(tmp_path / "foreign.parquet", {"pandas": "{}"})
    (tmp_path / "text.parquet").write_bytes(b"PAR1 and no more")
    for path in (foreign, tmp_path / "text.parquet"):
        assert (find_footer(path), key_of(path)) == (None, None)


#: Without a key it is not ours; the options an older textbatch did not write.
OPTIONAL = {"textbatch.key", "textbatch.options"}


def test_a_footer_of_an_older_textbatch_remembers_no_options(tmp_path):
    entries = FOOTER.to_entries()
    del entries["textbatch.options"]
    assert find_footer(write(tmp_path / "out.parquet", entries)) == replace(FOOTER, options={})


WRONG = {
    "textbatch.options": ["", "[]", '{"top_k": 3}', "{"],
    "textbatch.version": ["", "\x1b[2J", "0.1.0\n"],
    "textbatch.run_id": ["", "B" * 16, "b" * 17],
    "textbatch.key": ["", "a" * 63],
    "textbatch.fingerprint": ["", "x"],
    "textbatch.labels": ["", "[]", "{}", '["billing"]', "[1, 2]", '["account", "billing"]', "null"],
    "textbatch.rows_in": ["", "-5", "5.0", "١", "1e0", "3", "9" * 30, "true"],
    "textbatch.rows": ["", "-4", "4.0", "5", "nan"],
    "textbatch.statuses": ["", "[]", "{}", '{"ok": 4}', '{"ok": -1}', '{"ok": "4"}', "null"],
    "textbatch.label_counts": ["", "[]", "{}", '{"billing": 3}', '{"billing": 3.5, "account": 0}'],
    "textbatch.mean_confidence": ["x", "nan", "2.0", "-1", "[]", "Infinity"],
    "textbatch.confidence_histogram": ["", "{}", "[1]", json.dumps([1] * 20), "[-1]"],
}


@pytest.mark.parametrize("name", WRONG)
def test_an_altered_entry_is_told(name, tmp_path):
    for value in WRONG[name]:
        path = write(tmp_path / "out.parquet", FOOTER.to_entries() | {name: value})
        with pytest.raises(DataError, match="has changed since it was written; score it again"):
            find_footer(path)


@pytest.mark.parametrize("name", sorted(FOOTER.to_entries().keys() - OPTIONAL))
def test_a_missing_entry_is_told(name, tmp_path):
    entries = FOOTER.to_entries()
    del entries[name]
    with pytest.raises(DataError, match="has changed since it was written"):
        find_footer(write(tmp_path / "out.parquet", entries))
