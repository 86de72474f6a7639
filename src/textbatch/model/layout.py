"""The names of a bundle's files, all in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleLayout:
    """What a bundle's files are called.

    Attributes:
        manifest: Sizes and hashes of all other files.
        config: Sizes of the network, and settings.
        vocabulary: The known tokens, one a line.
        labels: In the order of the network's outputs.
        weights: The network's tensors.
        graph: The network as ONNX, for other tools.
        calibration: The temperature.
        precision: What int8 changed.
        held_out: How sure and how right the held-out answers are.
        profile: What the training texts looked like.
        golden: Texts and their probabilities.
        blend: Weight and sizes of the linear model.
        linear: The linear model's tensors.
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
    metrics: str = "metrics.json"
    card: str = "README.md"
    page: str = "report.html"

    @property
    def fingerprinted(self) -> tuple[str, ...]:
        """Every bundle has these; they decide the answers, and so make up the fingerprint."""
        return (
            self.config, self.vocabulary, self.labels, self.weights, self.graph, self.calibration,
            self.precision, self.held_out, self.profile, self.golden,
        )  # fmt: skip

    @property
    def linear_model(self) -> tuple[str, ...]:
        """A bundle has both of these or neither; they make up the fingerprint too."""
        return (self.blend, self.linear)


#: Of all bundles.
LAYOUT = BundleLayout()
#: What to do about a bundle that is damaged.
RESTORE = "restore the bundle from its source or train it again"
