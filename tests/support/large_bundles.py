"""Large bundles of zeros: consistent, so that only their size can be a reason to refuse them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from support.bundles import LABELS, random_bundle

from textbatch.model.bundle.blend import BlendSizes, SpellingSizes, tensor_shapes
from textbatch.model.bundle.bundle import save_bundle
from textbatch.model.bundle.directory import fingerprint_of
from textbatch.model.bundle.verified_file import ListedFile
from textbatch.model.network.architecture import Architecture, RecurrentLayer
from textbatch.model.network.onnx_graph import build_graph

_BLOCK = bytes(1 << 20)


def large_bundle(
    path: Path,
    *,
    words: int = 100,
    dim: int = 8,
    layers: Sequence[tuple[str, int]] = (("gru", 150), ("lstm", 200)),
    steps: int = 50,
    bidirectional: bool = False,
    pairs: int = 0,
    subwords: int = 0,
    characters: int = 0,
    texts: Sequence[str] = ("w2 w3", "w2 w5 w6"),
    word_length: int = 2,
    hashed: bool = True,
) -> Path:
    """Write a bundle whose weights are zeros, so that all labels are equally likely.

    Args:
        path: The directory to make.
        words: Size of the vocabulary.
        dim: Dimensions of a word vector.
        layers: Cell and width of each recurrent layer.
        steps: The limit on the length of a text, in tokens.
        bidirectional: Whether the layers read both ways.
        pairs: Pairs of words in the linear model; it is there if one of these three is not 0.
        subwords: Its character n-grams of words.
        characters: Its character n-grams across words.
        texts: The golden texts.
        word_length: Characters of a word, at least.
        hashed: Whether the hashes of the tensors are right.
    """
    save_bundle(random_bundle(), path, card="", overwrite=False)
    network = Architecture(
        vocabulary_size=words,
        embedding_dim=dim,
        layers=tuple(RecurrentLayer(cell=cell, units=units) for cell, units in layers),
        bidirectional=bidirectional,
        pooling="last",
        dense_units=8,
        num_labels=len(LABELS),
        max_sequence_length=steps,
        reset_after=True,
    )
    config = json.loads((path / "config.json").read_text())
    config["architecture"] = asdict(network)
    golden = {"texts": list(texts), "probabilities": [[1 / len(LABELS)] * len(LABELS)] * len(texts)}
    for name, content in (("config", config), ("golden", golden)):
        (path / f"{name}.json").write_text(json.dumps(content))
    lines = ["[PAD]", "[OOV]", *(f"w{number:0{word_length - 1}}" for number in range(2, words))]
    (path / "vocabulary.txt").write_text("\n".join(lines) + "\n")
    expected = {name: ("F32", shape) for name, shape in network.tensor_shapes().items()}
    (path / "model.onnx").write_bytes(build_graph(network, _zeros(path, "weights", expected)))
    if pairs or subwords or characters:
        sizes = BlendSizes(weight=1.0, pairs=pairs, subwords=subwords)
        if characters:
            sizes = SpellingSizes(**asdict(sizes), characters=characters)
        (path / "blend.json").write_text(json.dumps(asdict(sizes)))
        ascending = np.stack(np.divmod(np.arange(pairs), words), axis=1)
        keys, more = (np.arange(n, dtype="<i8").view("<i4") for n in (subwords, characters))
        ones = np.ones(words + pairs, "<f4").view("<i4")
        filled = {"pairs": ascending, "subwords": keys, "characters": more, "idf": ones}
        _zeros(path, "linear", tensor_shapes(network, sizes), filled)
    _reseal(path, hashed=hashed)
    return path


def _reseal(path: Path, *, hashed: bool) -> None:
    """As `reseal`, without reading a file whole."""
    manifest = json.loads((path / "manifest.json").read_text())
    files = {}
    for one in path.iterdir():
        if one.name != "manifest.json":
            digest = "0" * 64
            if hashed or one.suffix != ".safetensors":
                with one.open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
            files[one.name] = ListedFile(size=one.stat().st_size, sha256=digest)
    manifest["files"] = {name: asdict(listed) for name, listed in files.items()}
    manifest["fingerprint"] = fingerprint_of(files)
    (path / "manifest.json").write_text(json.dumps(manifest))


def _zeros(
    path: Path,
    name: str,
    expected: dict[str, tuple[str, tuple[int, ...]]],
    filled: dict[str, Any] | None = None,
) -> dict[str, int]:
    """Write a file of tensors; return where each begins."""
    header, at = {}, 0
    for tensor, (kind, shape) in expected.items():
        size = 4 * int(np.prod(shape, dtype=np.int64))
        header[tensor] = {"dtype": kind, "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    begins = {one: 8 + len(text) + header[one]["data_offsets"][0] for one in header}
    with (path / f"{name}.safetensors").open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + at)
        for tensor, values in (filled or {}).items():
            if tensor in begins:
                file.seek(begins[tensor])
                file.write(np.ascontiguousarray(values, np.int32).tobytes())
    return begins
