from __future__ import annotations

import textbatch
from textbatch.report.listener import Listener


class Shares(Listener):
    """Keeps the shares that are told."""

    def __init__(self) -> None:
        self.told: list[float | None] = []

    def advance(self, rows: int, share: float | None = None) -> None:
        self.told.append(share)


def test_the_share_of_a_csv_is_that_of_the_scored_rows_not_of_those_read_ahead(model, tmp_path):
    source, heard = tmp_path / "in.csv", Shares()
    filler = "x" * 2_000
    rows = (f"refund the card {i},{filler}\n" for i in range(2_000))
    source.write_text("text,filler\n" + "".join(rows))
    textbatch.score(
        source, tmp_path / "out.parquet", model=model, chunk_rows=200, columns=["text"],
        progress=heard,
    )  # fmt: skip
    told = [share or 0.0 for share in heard.told]
    assert len(told) == 10
    for number, share in enumerate(told, 1):
        assert abs(share - number / 10) < 0.11
