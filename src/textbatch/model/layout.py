"""The names of the files of a bundle, all in one place."""

from __future__ import annotations

from dataclasses import dataclass

_SMALL, _MEDIUM, _LARGE, _TENSORS = 64 << 10, 16 << 20, 64 << 20, 2 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleLayout:
    """The names of the files of a bundle.

    Attributes:
        manifest: Sizes and hashes of all other files.
        config: Sizes of the network, and settings.
        vocabulary: The known tokens, one on each line.
        labels: The labels, in the order of the network's outputs.
        weights: The tensors of the network.
        graph: The network as ONNX, for other tools.
        calibration: The temperature.
        precision: What int8 changed.
        held_out: Confidences of held-out answers, and whether they were right.
        profile: What the training texts looked like.
        golden: Texts and their probabilities.
        blend: Weight and sizes of the linear model.
        linear: The tensors of the linear model.
        early_exit: Which rows the linear model may answer alone.
        novelty: What ordinary texts are like.
        reference: What the answers to held-out rows looked like, which runs are compared with.
        multi_label: How each label is answered by itself, where a text may have several. A
            textbatch that does not know the file refuses the bundle.
        metrics: What training measured.
        card: The model card.
        page: The training report, for people.
    """

    manifest: str = "manifest.json"
    config: str = "config.json"
    vocabulary: str = "vocabulary.txt"
    labels: str = "labels.json"
    weights: str = "weights.safetensors"
    graph: str = "model.onnx"
    calibration: str = "calibration.json"
    precision: str = "precision.json"
    held_out: str = "held_out.json"
    profile: str = "profile.json"
    golden: str = "golden.json"
    blend: str = "blend.json"
    linear: str = "linear.safetensors"
    early_exit: str = "early_exit.json"
    novelty: str = "novelty.json"
    reference: str = "reference.json"
    multi_label: str = "multi_label.json"
    metrics: str = "metrics.json"
    card: str = "README.md"
    page: str = "report.html"

    @property
    def fingerprinted(self) -> tuple[str, ...]:
        """The files that every bundle has and that decide the answers. The fingerprint has them."""
        return (
            self.config, self.vocabulary, self.labels, self.weights, self.graph, self.calibration,
            self.precision, self.held_out, self.profile, self.golden,
        )  # fmt: skip

    @property
    def limits(self) -> dict[str, int]:
        """The largest size, in bytes, of each file that a bundle may have. It has no others."""
        return {
            **dict.fromkeys((self.config, self.calibration, self.precision, self.blend), _SMALL),
            **dict.fromkeys((self.labels, self.golden, self.profile, self.early_exit), _MEDIUM),
            **dict.fromkeys((self.novelty, self.multi_label), _MEDIUM),
            **dict.fromkeys((self.card, self.graph, self.reference), _MEDIUM),
            **dict.fromkeys((self.vocabulary, self.held_out, self.metrics, self.page), _LARGE),
            **dict.fromkeys(self.tensors, _TENSORS),
        }

    @property
    def tensors(self) -> tuple[str, ...]:
        """The files with tensors, which may be large."""
        return (self.weights, self.linear)

    @property
    def linear_model(self) -> tuple[str, ...]:
        """The two files of the linear model: both or none. The fingerprint has them too."""
        return (self.blend, self.linear)

    @property
    def optional(self) -> tuple[str, ...]:
        """The files that not every bundle has and that decide. The fingerprint has them."""
        beside = (self.early_exit, self.novelty, self.reference, self.multi_label)
        return (*self.linear_model, *beside)


#: The layout of all bundles.
LAYOUT = BundleLayout()
#: What to do with a damaged bundle, for messages.
RESTORE = "restore the model from its source or train it again"
