"""Files as an attacker makes them, in place of a tokenizer, labels and a network."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import socket
import struct
import subprocess
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import joblib
import numpy as np
from support.keras_files import config_of, write_h5, write_keras_2, write_zip
from support.keras_pickles import MODULES, attributes, dumps, lz4, pickled

_MODULE = MODULES[3]


class _Calls:
    """Calls something when it is unpickled."""

    def __init__(self, call: Any, *arguments: Any, state: Any = None) -> None:
        self.made = (call, arguments) if state is None else (call, arguments, state)

    def __reduce__(self) -> Any:
        return self.made


def _text(word: str) -> bytes:
    return b"X" + struct.pack("<I", len(word)) + word.encode()


def _global(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def pickles() -> Iterator[tuple[str, bytes]]:
    """Names and contents of files in place of a tokenizer or labels."""
    calls = {
        "system": _Calls(os.system, "id"),
        "popen": _Calls(subprocess.Popen, ["id"]),
        "eval": _Calls(eval, "1 + 1"),
        "exec": _Calls(exec, "import antigravity"),
        "import": _Calls(__import__, "antigravity"),
        "getattr": _Calls(getattr, "", "join"),
        "socket": _Calls(socket.create_connection, ("127.0.0.1", 9)),
        "file": _Calls(open, "/tmp/hostile", "w"),
        "numpy_load": _Calls(np.load, "/etc/passwd"),
        "joblib_load": _Calls(joblib.load, "/etc/passwd"),
        "pickle_loads": _Calls(pickle.loads, b"N."),
        "bytearray": _Calls(bytearray, 1 << 40),
    }
    for name, call in calls.items():
        for protocol in (0, 4):
            yield f"{name}_{protocol}", pickle.dumps(call, protocol)
        yield f"{name}_inside", pickled(_MODULE, dumps("plain", 4), attributes(analyzer=call))
        yield f"{name}_as_words", pickled(_MODULE, dumps("zlib", 3), attributes(word_index=call))

    yield "instance", b"(S'id'\nios\nsystem\n."
    yield "object", b"(" + _global("os", "system") + b"S'id'\no."
    yield "extension", b"\x80\x02\x82\x01."
    yield "persistent", b"Pid\n."
    yield "persistent_binary", b"Nid."
    yield "new_with_names", b"\x80\x04" + _global("os", "system") + b")}\x92."
    tokenizer = _global(_MODULE, "Tokenizer")
    yield "called", tokenizer + b")R."
    yield "new_with_arguments", b"\x80\x02" + tokenizer + _text("x") + b"\x85\x81."
    yield (
        "attribute_of_a_name",
        b"\x80\x04" + _text(_MODULE) + _text("Tokenizer.__init__") + b"\x93.",
    )
    yield "state_of_a_name", tokenizer + b"}b."
    yield "state_of_a_list", b"]}b."
    yield "state_twice", b"\x80\x02" + tokenizer + b")\x81}b}b."
    yield "slots", b"\x80\x02" + tokenizer + b")\x81}" + _text("__class__") + b"Ns}\x86b."
    yield "factory", _global("collections", "defaultdict") + _global("os", "system") + b"\x85R."
    yield "codec", _global("_codecs", "encode") + _text("a") + _text("hex") + b"\x86R."
    yield "set", b"\x80\x04\x8f(" + _text("a") + b"\x90."
    yield "nothing_on_the_stack", b"0."
    yield "no_mark", b"t."
    yield "unknown_memo", b"h\x07."
    yield "out_of_band", b"\x80\x05\x97."
    yield "only_a_stop", b"."
    yield "itself", b"]q\x00h\x00a."
    yield "keys_of_itself", b"}q\x00h\x00Ns."
    yield "a_text_of_exabytes", b"\x80\x04\x8d" + struct.pack("<Q", 1 << 62) + b"x."
    yield "a_negative_text", b"T" + struct.pack("<i", -5) + b"x."
    yield "a_frame_of_exabytes", b"\x80\x04\x95" + struct.pack("<Q", 1 << 62) + b"N."
    yield "digits", b"L" + b"9" * 100_000 + b"L\n."
    yield "large_memo", b"N" + b"r\xff\xff\xff\x7f" * 10 + b"."
    yield "deep_marks", b"(" * 1_000_000 + b"."
    yield "deep_tuples", b"N" + b"\x85" * 1_000_000 + b"."
    yield "deep_lists", zlib.compress(b"]" * 2_000_000)
    yield "many_lists", zlib.compress(b"]\x940" * 3_000_000, 1)
    yield "many_floats", zlib.compress(b"G\0\0\0\0\0\0\0\0\x940" * 3_000_000, 1)
    # A text, many times: to join it would take terabytes.
    yield "filters", _repeated_filters()
    yield "wrappers", _wrappers()
    yield "array_of_exabytes", _array((1 << 60,))
    yield "array_of_negative_length", _array((-1,))
    yield "array_without_a_type", _array((1,), "M8")
    yield "array_of_code_points", _array((1,), "U1", b"\xff\xff\xff\xff")
    yield "bomb_of_zlib", zlib.compress(bytes(300 << 20), 1)
    yield "bomb_of_gzip", gzip.compress(bytes(32 << 20), 1) * 10
    yield "bomb_of_lz4", lz4(bytes(32 << 20)) * 10
    yield "old_joblib", b"ZF" + b"0x10".ljust(19) + zlib.compress(b"N.")
    yield "deep_json", b'{"class_name": "Tokenizer", "config": ' + b"[" * 1_000_000
    yield "deep_inside", json.dumps({"class_name": "Tokenizer", "config": "["}).encode()
    yield "surrogates", json.dumps(["a", "\ud800"]).encode()
    yield (
        "a_date_of_numpy",
        pickled(_MODULE, dumps("plain", 4), attributes(num_words=np.datetime64(1, "s"))),
    )
    yield (
        "a_long_double",
        pickled(_MODULE, dumps("plain", 4), attributes(num_words=np.longdouble(1))),
    )


def _repeated_filters() -> bytes:
    word = _text("x" * 10_000_000)
    return (
        b"\x80\x02" + _global(_MODULE, "Tokenizer") + b")\x81}(" + _text("word_index") + b"}"
        + _text("a") + b"K\x01s" + _text("filters") + b"](" + word + b"q\x01" + b"h\x01" * 500_000
        + b"eub."
    )  # fmt: skip


def _wrapper(shape: bytes, dtype: bytes) -> bytes:
    return (
        _global("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81}("
        + _text("dtype") + dtype + _text("shape") + shape + b"ub"
    )  # fmt: skip


def _dtype(name: str) -> bytes:
    return (
        _global("numpy", "dtype") + _text(name) + b"\x89\x88\x87R"
        b"(K\x03" + _text("<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    )


def _wrappers() -> bytes:
    one = b"\x80\x03" + _wrapper(b"K\x01\x85", _dtype("O8"))
    return zlib.compress((one + b"]\x940" * 100_000) * 300)


def _array(shape: tuple[int, ...], dtype: str = "U1", content: bytes = b"") -> bytes:
    written = pickle.dumps(shape, 2)[2:-1]
    encoder = _global("sklearn.preprocessing._label", "LabelEncoder")
    state = b"}" + _text("classes_") + b"\x80\x03"
    return (
        b"\x80\x03"
        + encoder
        + b")\x81"
        + state
        + _wrapper(written, _dtype(dtype))
        + content
        + b"sb."
    )


def networks(folder: Path) -> Iterator[Path]:  # noqa: C901 - one file after the other
    """Write files in place of a network."""

    def h5(name: str, change: Callable[[h5py.File], object]) -> Path:
        path = folder / f"{name}.h5"
        write_h5(path)
        with h5py.File(path, "r+") as file:
            change(file)
        return path

    def replaced(**how: Any) -> Callable[[h5py.File], object]:
        def change(file: h5py.File) -> None:
            group = file["model_weights/a_last/a_last"]
            del group["kernel:0"]
            group.create_dataset("kernel:0", **how)

        return change

    def linked(link: Any) -> Callable[[h5py.File], object]:
        return lambda file: file.__setitem__("model_weights/x", link)

    def virtual(file: h5py.File) -> None:
        layout = h5py.VirtualLayout(shape=(4, 2), dtype="f4")
        layout[:] = h5py.VirtualSource("/etc/passwd", "x", shape=(4, 2))
        group = file["model_weights/a_last/a_last"]
        del group["kernel:0"]
        group.create_virtual_dataset("kernel:0", layout)

    def plugin(file: h5py.File) -> None:
        group = file["model_weights/a_last/a_last"]
        del group["kernel:0"]
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_chunk((4, 2))
        plan.set_filter(32001, h5py.h5z.FLAG_OPTIONAL)
        space = h5py.h5s.create_simple((4, 2))
        h5py.h5d.create(group.id, b"kernel:0", h5py.h5t.IEEE_F32LE, space, plan)

    def names(value: Any) -> Callable[[h5py.File], object]:
        return lambda file: file["model_weights"].attrs.__setitem__("layer_names", value)

    def config(value: Any) -> Callable[[h5py.File], object]:
        return lambda file: file.attrs.__setitem__("model_config", value)

    outside = folder / "outside.raw"
    outside.write_bytes(bytes(64))
    yield h5("external_link", linked(h5py.ExternalLink("/etc/passwd", "/x")))
    yield h5("soft_link", linked(h5py.SoftLink("/model_weights/a_last")))
    yield h5("hard_loop", lambda file: file["model_weights"].__setitem__("x", file["/"]))
    yield h5("outside", replaced(shape=(4, 2), dtype="f4", external=[(str(outside), 0, 32)]))
    yield h5("virtual", virtual)
    yield h5("plugin", plugin)
    yield h5("scale_offset", replaced(shape=(4, 2), dtype="f4", scaleoffset=2, chunks=(4, 2)))
    yield h5("lzf", replaced(data=np.zeros((4, 2), "f4"), compression="lzf"))
    yield h5("not_written", replaced(shape=(1 << 30, 1 << 20), dtype="f4", chunks=(1024, 1024)))
    yield h5("bomb", replaced(data=np.zeros(1 << 23, "f4"), compression="gzip", chunks=(1 << 22,)))
    yield h5("whole_numbers", replaced(data=np.zeros((4, 2), "i4")))
    yield h5("texts", replaced(data=np.array([b"a"])))
    yield h5("records", replaced(data=np.zeros(2, [("a", "f4"), ("b", "f4")])))
    yield h5("no_weights", lambda file: file.__delitem__("model_weights/a_last/a_last/kernel:0"))
    yield h5("numbers_as_names", names(np.arange(3)))
    yield h5("references_as_names", names(np.array([1, 2], dtype=object).astype("f8")))
    yield h5("names_beyond", names(np.array([b"../../x", b"/", b"", b"..", b"a", b"b"])))
    yield h5("no_config", config(np.arange(3)))
    yield h5("config_not_text", config(np.bytes_(b"\xff\xfe")))
    yield h5("deep_config", config("[" * 30_000))
    yield h5("config_of_list", config("[1, 2]"))
    for name, dtype in (("policy", {"config": 1}), ("policies", {"config": {"config": {}}})):
        written = config_of()
        written["config"]["layers"][2]["config"]["dtype"] = dtype
        yield h5(name, config(json.dumps(written)))
    whole, cut = folder / "whole.h5", folder / "cut.h5"
    write_h5(whole)
    cut.write_bytes(whole.read_bytes()[:5000])
    whole.unlink()
    yield cut

    good = folder / "good.keras"
    write_keras_2(good)
    with zipfile.ZipFile(good) as archive:
        weights = archive.read("model.weights.h5")

    def keras(name: str) -> Path:
        return folder / f"{name}.keras"

    write_zip(keras("bomb"), config_of(), {}, bytes(16 << 20), compression=zipfile.ZIP_DEFLATED)
    yield keras("bomb")
    write_zip(keras("no_weights"), config_of(), {}, b"")
    yield keras("no_weights")
    write_zip(keras("lambda"), {"class_name": "Lambda", "config": {"function": "id"}}, {}, weights)
    yield keras("lambda")
    write_zip(keras("large_config"), ["x" * (17 << 20)], {}, weights)
    yield keras("large_config")
    with zipfile.ZipFile(keras("many"), "w") as archive:
        for number in range(2_000):
            archive.writestr(f"../{number}", b"")
    yield keras("many")
    with zipfile.ZipFile(keras("without"), "w") as archive:
        archive.writestr("../config.json", b"{}")
    yield keras("without")
    write_zip(keras("lzma"), config_of(), {}, weights, compression=zipfile.ZIP_LZMA)
    data = bytearray(keras("lzma").read_bytes())
    at = data.index(b"config.json") + len("config.json") + 12
    data[at : at + 40] = bytes(range(1, 41))
    keras("lzma").write_bytes(data)
    yield keras("lzma")
    yield _far_entry(good, keras("far"))
    keras("pickle").write_bytes(pickle.dumps(_Calls(os.system, "id")))
    yield keras("pickle")
    keras("empty").write_bytes(b"")
    yield keras("empty")
    keras("encrypted").write_bytes(_encrypted(good.read_bytes()))
    yield keras("encrypted")


def _far_entry(good: Path, path: Path) -> Path:
    """An archive that says that its entries begin beyond any file."""
    data = bytearray(good.read_bytes())
    at = data.index(b"PK\x01\x02")
    name, extra, start = at + 28, at + 30, at + 42
    (length,) = struct.unpack_from("<H", data, name)
    data[start : start + 4] = b"\xff\xff\xff\xff"
    struct.pack_into("<H", data, extra, 12)
    far = struct.pack("<HHQ", 1, 8, (1 << 64) - 1)
    data[at + 46 + length : at + 46 + length] = far
    end = data.index(b"PK\x05\x06")
    (size,) = struct.unpack_from("<I", data, end + 12)
    struct.pack_into("<I", data, end + 12, size + len(far))
    path.write_bytes(data)
    return path


def _encrypted(data: bytes) -> bytes:
    changed = bytearray(data)
    for magic, flags in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = changed.find(magic)
        while at >= 0:
            changed[at + flags] |= 1
            at = changed.find(magic, at + 4)
    return bytes(changed)


def write_hostile(folder: Path) -> None:
    """Write all of them, into `pickles` and `networks`."""
    for kind in ("pickles", "networks"):
        (folder / kind).mkdir()
    for name, data in pickles():
        (folder / "pickles" / name).write_bytes(data)
    for _ in networks(folder / "networks"):
        pass
    (folder / "networks" / "good.keras").unlink()
    (folder / "networks" / "outside.raw").unlink()
