from __future__ import annotations

from textbatch.model.vectors.coverage import Covering, coverage_of

COUNTS = {"the": 6, "cat": 2, "rare": 1, "unknown": 1}


def test_coverage_counts_words_and_their_occurrences_in_training():
    found = coverage_of(
        COUNTS,
        ["the", "cat", "rare", "unseen"],
        [
            Covering(name="own", dim=4, words=["the", "cat"]),
            Covering(name="a.vec", dim=8, words=["the", "unseen"], origin="by A"),
            Covering(name="b.vec", dim=2, words=["rare"]),
        ],
        own="own",
    )
    assert (found.seen_words, found.kept_words) == (3, 1)
    assert (found.vocabulary, found.training_tokens) == (2 / 3, 0.7)
    shares = [(source.vocabulary, source.training_tokens) for source in found.sources]
    assert shares == [(2 / 3, 0.8), (1 / 3, 0.6), (1 / 3, 0.1)]
    assert [source.origin for source in found.sources] == ["", "by A", ""]
    assert found.lines()[1].startswith("a.vec: 8 dimensions, vectors for 33.3% of the words")
    assert found.lines()[-1].startswith("1 words kept")
