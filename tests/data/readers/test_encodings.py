from __future__ import annotations

import codecs
import encodings
import pkgutil

import pytest

from textbatch.data.readers.encodings import check_encoding
from textbatch.data.readers.source import open_source
from textbatch.errors import DataError, UsageError

# Every codec that Python has: what can be read in pieces is allowed, the others are named here.
REFUSED = {
    "base64_codec", "bz2_codec", "hex_codec", "idna", "mbcs", "oem", "punycode", "quopri_codec",
    "raw_unicode_escape", "rot_13", "undefined", "unicode_escape", "uu_codec", "zlib_codec",
}  # fmt: skip
CODECS = sorted({m.name for m in pkgutil.iter_modules(encodings.__path__)} - {"aliases"})
ALLOWED = [name for name in CODECS if name not in REFUSED and not name.startswith("_")]


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_codecs_that_cannot_read_a_file_piece_by_piece_are_refused_by_name(name):
    with pytest.raises(UsageError, match=f"--encoding is {name}, which (is )?no"):
        check_encoding(name)


@pytest.mark.parametrize("name", ALLOWED)
def test_all_others_are_read_as_they_were_written(name, tmp_path):
    check_encoding(name)
    path = tmp_path / "in.csv"
    content = 'id,text\n1,refund\n2,"a ""b"" c"\n' + "3,cannot log in\n" * 9000
    path.write_bytes(content.encode(name))
    source = open_source(path, encoding=name)
    batches = list(source.batches(["text"], 1000))
    assert source.schema.names == ["id", "text"]
    assert [cell for batch in batches for cell in batch.column(0).to_pylist()][:3] == [
        "refund", 'a "b" c', "cannot log in"
    ]  # fmt: skip
    assert sum(map(len, batches)) == 9002


@pytest.mark.parametrize("name", ["klingon", "", "utf-8\0", "../x", "é"])
def test_names_that_are_none_are_refused(name):
    with pytest.raises(UsageError, match="which is no text encoding that is known"):
        check_encoding(name)


MARKED = [
    *((codecs.BOM_UTF8, "utf-8", n) for n in (None, "utf-8", "utf8", "UTF_8", "U8", "utf-8-sig")),
    *((codecs.BOM_UTF16_LE, "utf-16-le", n) for n in ("utf-16", "utf16", "utf-16-le", "UTF-16LE")),
    *((codecs.BOM_UTF16_BE, "utf-16-be", n) for n in ("utf-16", "UTF_16", "utf-16-be")),
    *((codecs.BOM_UTF32_LE, "utf-32-le", n) for n in ("utf-32", "utf-32-le")),
    *((codecs.BOM_UTF32_BE, "utf-32-be", n) for n in ("utf-32", "utf-32-be")),
    (b"", "utf-16-le", "utf-16-le"),
    (b"", "utf-16-be", "utf-16-be"),
    (b"+/v8-", "utf-7", "utf-7"),
    (b"\x84\x31\x95\x33", "gb18030", "gb18030"),
]


@pytest.mark.parametrize(("mark", "written", "named"), MARKED)
@pytest.mark.parametrize("head", ["id,text", '"id","text"'])
def test_a_byte_order_mark_is_no_part_of_the_first_name(head, mark, written, named, tmp_path):
    path = tmp_path / "in.csv"
    path.write_bytes(mark + f"{head}\n1,caf\u00e9\n".encode(written))
    source = open_source(path, encoding=named)
    assert source.schema.names == ["id", "text"]
    assert next(source.batches(["text"], 9)).to_pylist() == [{"text": "café"}]


@pytest.mark.parametrize(
    ("mark", "written", "named", "message"),
    [
        (b"", "ascii", "utf-16", "no byte-order mark, which UTF-16 begins with; leave --encoding"),
        (b"", "ascii", "utf-32", "give --encoding utf-32-le or utf-32-be"),
        (b"", "utf-16-le", "utf-16", "give --encoding utf-16-le or utf-16-be"),
        (b"", "utf-16-le", None, "looks like UTF-16-LE without .* give --encoding utf-16-le"),
        (b"", "utf-16-be", "latin-1", "looks like UTF-16-BE without a byte-order mark"),
        (b"", "utf-32-le", None, "looks like UTF-32-LE without"),
        (codecs.BOM_UTF8, "utf-8", "latin-1", "not ISO8859-1: .* of UTF-8; leave --encoding out"),
        (codecs.BOM_UTF8, "utf-8", "utf-16", "not UTF-16: its byte-order mark is that of UTF-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le", None, "that of UTF-16-LE; give --encoding utf-16"),
        (codecs.BOM_UTF16_LE, "utf-16-le", "utf-16-be", "that of UTF-16-LE"),
        (codecs.BOM_UTF32_LE, "utf-32-le", "utf-16", "that of UTF-32-LE; give --encoding utf-32"),
    ],
)
@pytest.mark.parametrize("name", ["in.csv", "in.jsonl"])
def test_another_encoding_than_the_named_one_is_told(name, mark, written, named, message, tmp_path):
    path = tmp_path / name
    content = '{"text": "refund"}\n' if name == "in.jsonl" else "id,text\n1,refund\n"
    path.write_bytes(mark + content.encode(written))
    with pytest.raises(DataError, match=message):
        open_source(path, encoding=named)
