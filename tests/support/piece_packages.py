"""Packages as `wordllama` and `pyspellchecker` install them, with a few pieces and words."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from safetensors.numpy import save_file

from textbatch.model.vectors import piece_table

PARTS = (piece_table.WEIGHTS, piece_table.TOKENIZER, piece_table.FREQUENT)
MERGES = [
    ("▁", "t"), ("h", "e"), ("▁t", "he"), ("▁", "L"), ("o", "n"), ("▁L", "on"),
    ("d", "on"), ("▁Lon", "don"), ("▁", "l"), ("▁", "n"), ("▁n", "on"),
]  # fmt: skip


class PiecePackages:
    """Folders of both packages, which `find_spec` finds.

    Attributes:
        folders: The folder of each package; without one it is not installed.
    """

    def __init__(self, folder: Path, monkeypatch, *, letters: str = "abcdefghijklmnopqrstuvwxyzL▁"):
        self.folders = {name: folder / name for name in ("wordllama", "spellchecker")}
        self._patch = monkeypatch
        pieces = [*(f"<0x{byte:02X}>" for byte in range(256)), *letters]
        pieces += [first + second for first, second in MERGES]
        self.ids = {piece: number for number, piece in enumerate(pieces)}
        table = np.random.default_rng(0).normal(size=(len(pieces), 4)).astype(np.float16)
        self.table = table.astype(np.float32)
        for part in PARTS:
            self.place(part).parent.mkdir(parents=True)
        save_file({"embedding.weight": table}, self.folders["wordllama"] / piece_table.WEIGHTS)
        merges = [" ".join(pair) for pair in MERGES]
        self.write_pieces({"model": {"type": "BPE", "vocab": self.ids, "merges": merges}})
        self.write_words({"non": 1, "the": 9, "to": 9, "of course": 7, "The": 3, "a": 2})
        monkeypatch.setattr(piece_table, "find_spec", self._found)
        self.trust()

    def _found(self, name: str) -> SimpleNamespace | None:
        folder = self.folders.get(name)
        return folder and SimpleNamespace(submodule_search_locations=[str(folder)])

    def write_pieces(self, value: object) -> None:
        text = json.dumps(value)
        (self.folders["wordllama"] / piece_table.TOKENIZER).write_text(text, encoding="utf-8")

    def write_words(self, value: object) -> None:
        packed = gzip.compress(json.dumps(value).encode())
        (self.folders["spellchecker"] / piece_table.FREQUENT).write_bytes(packed)

    def trust(self) -> None:
        """Make the files as they are now the known ones."""
        known = {
            part: (hashlib.sha256(self.place(part).read_bytes()).hexdigest(),) for part in PARTS
        }
        self._patch.setattr(piece_table, "KNOWN", known)

    def place(self, part: Path) -> Path:
        return self.folders["spellchecker" if part == piece_table.FREQUENT else "wordllama"] / part

    def mean(self, *pieces: str) -> np.ndarray:
        return self.table[[self.ids[piece] for piece in pieces]].mean(axis=0)
