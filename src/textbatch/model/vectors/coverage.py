"""Coverage: how much of what a model reads has a vector from each source."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCoverage:
    """What one source of word vectors gave.

    Attributes:
        name: The file's name, or `in-domain` for vectors trained on the texts themselves.
        dim: Numbers in a vector.
        vocabulary: Share of the words seen in training that it has.
        training_tokens: Share of the training texts' tokens that it has.
    """

    name: str
    dim: int
    vocabulary: float
    training_tokens: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorCoverage:
    """What all sources of word vectors gave.

    Attributes:
        vocabulary: Share of the words seen in training with a pretrained vector.
        training_tokens: Share of the training texts' tokens with a pretrained vector.
        seen_words: Words of the vocabulary that training saw.
        kept_words: Words of the vocabulary that it never saw.
        sources: Each source by itself, in the order of their numbers in the embedding.
    """

    vocabulary: float
    training_tokens: float
    seen_words: int
    kept_words: int
    sources: list[SourceCoverage]

    def lines(self) -> list[str]:
        """A line for each source and one for the words kept besides."""
        return [
            *(
                f"{source.name}: {source.dim} dimensions, vectors for {source.vocabulary:.1%} of "
                f"the words seen in training, {source.training_tokens:.1%} of their occurrences"
                for source in self.sources
            ),
            f"{self.kept_words:,} words kept that training never saw",
        ]


def coverage_of(
    counts: Mapping[str, int],
    vocabulary: Sequence[str],
    sources: Iterable[tuple[str, int, Collection[str]]],
    *,
    own: str,
) -> VectorCoverage:
    """Measure the coverage of each source and of all pretrained ones together.

    Args:
        counts: Occurrences of every token in the training texts.
        vocabulary: The model's words.
        sources: Name, dimensions and words of each.
        own: The name of the source that is not pretrained.
    """
    seen = [word for word in vocabulary if word in counts]
    tokens = sum(counts.values())

    def shares(words: set[str]) -> tuple[float, float]:
        held = [word for word in seen if word in words]
        return len(held) / max(1, len(seen)), sum(counts[word] for word in held) / max(1, tokens)

    pretrained: set[str] = set()
    measured: list[SourceCoverage] = []
    for name, dim, words in sources:
        of_words, of_tokens = shares(set(words))
        measured.append(
            SourceCoverage(name=name, dim=dim, vocabulary=of_words, training_tokens=of_tokens)
        )
        if name != own:
            pretrained.update(words)
    of_words, of_tokens = shares(pretrained)
    return VectorCoverage(
        vocabulary=of_words,
        training_tokens=of_tokens,
        seen_words=len(seen),
        kept_words=len(vocabulary) - len(seen),
        sources=measured,
    )
