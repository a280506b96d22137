"""Losses of several labels: what two steps of Ludwig's training do, against figures computed in NumPy alone."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ludwig.schema  # noqa: F401  its modules import each other, and begin here
import numpy as np
import pytest
import torch
from ludwig.callbacks import Callback
from ludwig.modules.loss_modules import create_loss
from ludwig.schema.features.loss.loss import get_loss_classes
from numpy.typing import NDArray

from leaflet_tool.manifest import Prepared
from leaflet_tool.models import checks, definitions, engine, rows, training
from leaflet_tool.models.rows import token
from leaflet_tool.taxonomy import Taxonomy

Floats = NDArray[np.float64]
RATE = 2.0
SECTIONS: dict[str, dict[str, Any]] = {
    "plain": {"type": "sigmoid_cross_entropy"},
    "positive": {"type": "sigmoid_cross_entropy", "class_weights": "${positive_weights}"},
    "root": {"type": "sigmoid_cross_entropy", "class_weights": "${root_positive_weights}"},
    "sample": {"type": "sample_weighted_bce", "class_weights": "${positive_weights}"},
    "class": {"type": "class_weighted_bce", "class_weights": "${class_weights}"},
    "focal": {"type": "focal_bce", "gamma": 2.0},
    "focal_alpha": {"type": "focal_bce", "gamma": 1.5, "alpha": 0.25},
    "asymmetric": {"type": "asymmetric_bce", "gamma_pos": 1.0, "gamma_neg": 4.0, "clip": 0.05},
    "coherent": {"type": "coherent_bce", "taxonomy": "${taxonomy}"},
}
"""The loss sections of a definition, as a study's rows set them."""


@dataclass
class Watch(Callback):
    """What the decoder was given and the loss was asked in each step, and the decoder's weights around it."""

    inputs: list[Floats] = field(default_factory=list)
    truths: list[Floats] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    weights: list[tuple[Floats, Floats]] = field(default_factory=list)

    def on_trainer_train_setup(self, trainer: Any, save_path: str, is_coordinator: bool, **_: Any) -> None:
        self.feature = trainer.model.output_features.get("topics")
        self.feature.decoder_obj.dense.register_forward_hook(self._decoder)
        self.feature.train_loss_function.register_forward_hook(self._loss)

    def _decoder(self, module: Any, inputs: Any, output: Any) -> None:
        if module.training:
            self.inputs.append(inputs[0].detach().double().numpy())

    def _loss(self, module: Any, inputs: Any, output: Any) -> None:
        if module.training:
            self.truths.append(inputs[1].double().numpy())
            self.losses.append(float(output))

    def on_batch_start(self, *_: Any) -> None:
        self._keep()

    def on_batch_end(self, *_: Any, **__: Any) -> None:
        self._keep()

    def _keep(self) -> None:
        weight, bias = (part.detach().double().numpy().copy() for part in self.feature.decoder_obj.dense.parameters())
        self.weights.append((weight, bias))


@dataclass
class Steps:
    """Two steps of training with one loss, and Ludwig's order of the labels."""

    watch: Watch
    vocabulary: list[str]
    folder: Path


@pytest.fixture(scope="module")
def steps(tiny_topics: Prepared, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Steps]:
    """Every loss, trained on all training rows at once with plain gradient descent."""
    return {name: _trained(name, tiny_topics, tmp_path_factory.mktemp(name)) for name in SECTIONS}


def _trained(name: str, prepared: Prepared, folder: Path) -> Steps:
    settings = {"optimizer": {"type": "sgd"}, "learning_rate": RATE, "epochs": 2, "learning_rate_scheduler": {}}
    settings |= {"gradient_clipping": {"clipglobalnorm": 1000}}
    decoder = "coherent_classifier" if name == "coherent" else "classifier"
    sections = {"output_features.${label}.loss": SECTIONS[name], "output_features.topics.decoder": {"type": decoder}}
    sections |= {f"trainer.{key}": value for key, value in settings.items()}
    overrides = tuple(f"{path}={json.dumps(value)}" for path, value in sections.items())
    request = training.Request(name, overrides=overrides)
    config = training.filled_for(definitions.find("topics_filename"), prepared, request)
    rows.write(rows.for_ludwig(prepared.frame, folder, prepared.label), folder / "ludwig.csv")
    watch = Watch()
    engine.train(config, folder / "ludwig.csv", folder, seed=3, callbacks=[watch])
    metadata = json.loads((folder / "model" / "training_set_metadata.json").read_text())
    return Steps(watch, metadata["topics"]["idx2str"], folder)


def counts(prepared: Prepared) -> tuple[dict[str, int], int]:
    """Rows of each label in the training rows, counted from the manifest by hand, and those rows' number."""
    cells = prepared.frame.loc[prepared.frame["split"] == "train", "topics"]
    names = {name for cell in cells for name in cell.split("|") if name}
    return {name: sum(name in cell.split("|") for cell in cells) for name in names}, len(cells)


def by_position(vocabulary: list[str], weights: dict[str, float]) -> Floats:
    """Weights in Ludwig's order, 1 for its own token."""
    tokens = {token(name): weight for name, weight in weights.items()}
    return np.array([1.0 if name == "<UNK>" else tokens[name] for name in vocabulary])


def sigmoid(logits: Floats) -> Floats:
    return 1 / (1 + np.exp(-logits))


def plain(z: Floats, y: Floats) -> float:
    p = sigmoid(z)
    return float(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))


def formulas(prepared: Prepared, vocabulary: list[str]) -> dict[str, Callable[[Floats, Floats], float]]:
    """Every loss as its paper or the study writes it."""
    found, total = counts(prepared)
    alpha = by_position(vocabulary, {name: (total - n) / n for name, n in found.items()})
    balanced = by_position(vocabulary, {name: total / (len(found) * n) for name, n in found.items()})

    def weighted(z: Floats, y: Floats, positive: Floats) -> float:
        p = sigmoid(z)
        return float(-np.mean(positive * y * np.log(p) + (1 - y) * np.log(1 - p)))

    def sample(z: Floats, y: Floats) -> float:
        p = sigmoid(z)
        return float(-np.mean(alpha * y * np.log(p + 1e-7) + (1 - y) * np.log(1 - p + 1e-7)))

    def by_class(z: Floats, y: Floats) -> float:
        p = sigmoid(z)
        return float(-np.mean(balanced * (y * np.log(p) + (1 - y) * np.log(1 - p))))

    def focal(z: Floats, y: Floats) -> float:
        q = np.where(y == 1, sigmoid(z), 1 - sigmoid(z))
        return float(-np.mean((1 - q) ** 2 * np.log(q)))

    def focal_alpha(z: Floats, y: Floats) -> float:
        q = np.where(y == 1, sigmoid(z), 1 - sigmoid(z))
        return float(-np.mean(np.where(y == 1, 0.25, 0.75) * (1 - q) ** 1.5 * np.log(q)))

    def asymmetric(z: Floats, y: Floats) -> float:
        p = sigmoid(z)
        m = np.maximum(p - 0.05, 0)
        return float(-np.mean(y * (1 - p) * np.log(p) + (1 - y) * m**4 * np.log(1 - m)))

    def coherent(z: Floats, y: Floats) -> float:
        p = sigmoid(z)
        most = (1 - y) * largest(p, prepared.taxonomy, vocabulary) + y * largest(y * p, prepared.taxonomy, vocabulary)
        return float(-np.mean(y * np.log(most) + (1 - y) * np.log(1 - most)))

    return {
        "plain": plain,
        "positive": lambda z, y: weighted(z, y, alpha),
        "root": lambda z, y: weighted(z, y, np.sqrt(alpha)),
        "sample": sample,
        "class": by_class,
        "focal": focal,
        "focal_alpha": focal_alpha,
        "asymmetric": asymmetric,
        "coherent": coherent,
    }


def largest(values: Floats, taxonomy: Taxonomy, vocabulary: list[str]) -> Floats:
    """MCM, a label at a time and by its name."""
    names = [rows.class_of(name) for name in vocabulary]
    below = [
        [low for low, name in enumerate(names) if name == high or high in taxonomy.ancestors(name)] for high in names
    ]
    return np.stack([values[:, places].max(axis=1) for places in below], axis=1)


def slope(loss: Callable[[Floats, Floats], float], z: Floats, y: Floats, width: float = 1e-5) -> Floats:
    """The gradient at the logits by central differences."""
    found = np.zeros_like(z)
    for place in np.ndindex(z.shape):
        more, less = z.copy(), z.copy()
        more[place] += width
        less[place] -= width
        found[place] = (loss(more, y) - loss(less, y)) / (2 * width)
    return found


@pytest.mark.parametrize("name", SECTIONS)
def test_two_steps_follow_the_formula(steps: dict[str, Steps], tiny_topics: Prepared, name: str) -> None:
    watch, vocabulary = steps[name].watch, steps[name].vocabulary
    loss = formulas(tiny_topics, vocabulary)[name]
    assert len(watch.losses) == len(watch.inputs) == 2
    assert [truth.shape for truth in watch.truths] == [(30, len(vocabulary))] * 2
    for step in range(2):
        x, y = watch.inputs[step], watch.truths[step]
        (weight, bias), (after, bias_after) = watch.weights[2 * step : 2 * step + 2]
        z = x @ weight.T + bias
        assert watch.losses[step] == pytest.approx(loss(z, y), rel=1e-5)
        gradient = slope(loss, z, y)
        assert (weight - after) / RATE == pytest.approx(gradient.T @ x, abs=2e-6)
        assert (bias - bias_after) / RATE == pytest.approx(gradient.sum(axis=0), abs=2e-6)
        if name != "plain":
            usual = slope(plain, z, y)
            assert loss(z, y) != pytest.approx(plain(z, y), rel=5e-4)
            assert np.abs((usual - gradient).T @ x).max() > 1e-3
    assert watch.losses[1] < watch.losses[0]


@pytest.mark.parametrize("name", SECTIONS)
def test_the_figure_that_ludwig_reports_is_the_loss(steps: dict[str, Steps], name: str) -> None:
    statistics = json.loads((steps[name].folder / "training_statistics.json").read_text())
    assert statistics["training"]["topics"]["loss"] == pytest.approx(steps[name].watch.losses, rel=1e-4)


def test_the_losses_that_checks_allow_are_those_that_are_registered() -> None:
    assert set(checks.LOSSES["set"]) == set(get_loss_classes("set"))
    assert {section["type"] for section in SECTIONS.values()} == set(checks.LOSSES["set"])


@pytest.mark.parametrize("section", [section for name, section in SECTIONS.items() if name != "coherent"])
@pytest.mark.parametrize("truth", [0.0, 1.0])
def test_extreme_logits_have_finite_losses_and_slopes(section: dict[str, Any], truth: float) -> None:
    config = get_loss_classes("set")[section["type"]](**{k: v for k, v in section.items() if k != "class_weights"})
    if "class_weights" in section:
        config.class_weights = [3.0, 0.5]
    for clip in (0.0, 0.05) if section["type"] == "asymmetric_bce" else (None,):
        if clip is not None:
            config.clip = clip
        logits = torch.tensor([[-300.0, -90.0], [-20.0, 0.0], [20.0, 90.0], [0.1, 300.0]], requires_grad=True)
        loss = create_loss(config)(logits, torch.full((4, 2), truth))
        loss.backward()
        assert logits.grad is not None
        assert torch.isfinite(loss) and torch.isfinite(logits.grad).all()
        assert loss > 0


@pytest.mark.parametrize("gamma", [0.0, 0.5])
def test_a_focus_below_one_has_a_slope_everywhere(gamma: float) -> None:
    logits = torch.tensor([[-40.0, -3.0, 0.0, 3.0, 40.0]], requires_grad=True)
    for name, settings in (
        ("focal_bce", {"gamma": gamma}),
        ("asymmetric_bce", {"gamma_neg": gamma, "gamma_pos": gamma}),
    ):
        loss = create_loss(get_loss_classes("set")[name](**settings))(logits, torch.tensor([[0, 1, 0, 1, 1]]))
        (slopes,) = torch.autograd.grad(loss, logits)
        assert torch.isfinite(slopes).all()


def test_without_focus_and_clip_both_are_plain_cross_entropy() -> None:
    chance = np.random.default_rng(1)
    z, y = chance.normal(0, 3, (5, 4)), (chance.random((5, 4)) < 0.4).astype(float)
    for name, settings in (
        ("focal_bce", {"gamma": 0}),
        ("asymmetric_bce", {"gamma_pos": 0, "gamma_neg": 0, "clip": 0}),
    ):
        loss = create_loss(get_loss_classes("set")[name](**settings))(torch.tensor(z), torch.tensor(y))
        assert float(loss) == pytest.approx(plain(z, y), rel=1e-5)


@pytest.mark.parametrize("name", ["sample_weighted_bce", "class_weighted_bce", "coherent_bce"])
def test_a_loss_without_what_it_weighs_by_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} needs"):
        create_loss(get_loss_classes("set")[name]())
