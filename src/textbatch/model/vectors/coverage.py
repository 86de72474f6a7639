"""Coverage: the share of the words that a source has a vector for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCoverage:
    """The coverage of one source of word vectors.

    Attributes:
        name: Name of the file, or `in-domain` for vectors trained on the texts themselves.
        dim: Dimensions of a vector.
        vocabulary: Share of the words of the training texts that have a vector here.
        training_tokens: Share of the tokens of the training texts that have a vector here.
        origin: Origin and licence of a source that has a name, such as `wordllama`; else empty.
    """

    name: str
    dim: int
    vocabulary: float
    training_tokens: float
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Covering:
    """A source of word vectors that is to be measured.

    Attributes:
        name: As in `SourceCoverage`.
        dim: Dimensions of a vector.
        words: The words that it has a vector for.
        origin: As in `SourceCoverage`.
    """

    name: str
    dim: int
    words: Collection[str]
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorCoverage:
    """The coverage of all sources of word vectors together.

    Attributes:
        vocabulary: Share of the words of the training texts that have a pretrained vector.
        training_tokens: Share of the tokens of the training texts that have a pretrained vector.
        seen_words: Number of words in the vocabulary that are in the training texts.
        kept_words: Number of words in the vocabulary that are not.
        sources: Each source by itself, in the order of their columns in the embedding.
    """

    vocabulary: float
    training_tokens: float
    seen_words: int
    kept_words: int
    sources: list[SourceCoverage]

    def origins(self) -> list[str]:
        """Origin and licence of each source that has one to tell, with its name."""
        return [f"{one.name}, {one.origin}" for one in self.sources if one.origin]

    def lines(self) -> list[str]:
        """Messages: one for each source, and one for the words that training never saw."""
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
    sources: Iterable[Covering],
    *,
    own: str,
) -> VectorCoverage:
    """Measure the coverage of each source, and of all pretrained ones together.

    Args:
        counts: How often each token occurs in the training texts.
        vocabulary: The words of the model.
        sources: All sources.
        own: Name of the source that is not pretrained.
    """
    seen = [word for word in vocabulary if word in counts]
    tokens = sum(counts.values())

    def shares(words: set[str]) -> tuple[float, float]:
        held = [word for word in seen if word in words]
        return len(held) / max(1, len(seen)), sum(counts[word] for word in held) / max(1, tokens)

    pretrained: set[str] = set()
    measured: list[SourceCoverage] = []
    for source in sources:
        of_words, of_tokens = shares(set(source.words))
        measured.append(
            SourceCoverage(
                name=source.name,
                dim=source.dim,
                vocabulary=of_words,
                training_tokens=of_tokens,
                origin=source.origin,
            )
        )
        if source.name != own:
            pretrained.update(source.words)
    of_words, of_tokens = shares(pretrained)
    return VectorCoverage(
        vocabulary=of_words,
        training_tokens=of_tokens,
        seen_words=len(seen),
        kept_words=len(vocabulary) - len(seen),
        sources=measured,
    )
