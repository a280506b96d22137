"""Pretrained weights a definition asks for: already here, to be fetched, or out of reach."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leaflet_tool.errors import MissingError

LOCAL_PREFIX = "local-dir:"
CARD = "config.json"
TEXT_KEY = "pretrained_model_name_or_path"


@dataclass(frozen=True)
class Weights:
    """One encoder's pretrained weights: the Hugging Face repository, or the local folder, and what to set instead."""

    feature: str
    repository: str
    folder: Path | None
    setting: str
    """The key that names the weights, below the encoder."""
    example: str

    @property
    def key(self) -> str:
        """The key that names the weights, as --set takes it."""
        return f"input_features.{self.feature}.encoder.{self.setting}"


def wanted(config: Mapping[str, Any]) -> Iterator[Weights]:
    """The pretrained weights of a definition, one item an input feature that asks for some.

    Whether a feature does so may be a default of Ludwig's: only a definition as Ludwig completes it tells them all.
    """
    for feature in config["input_features"]:
        name, encoder = feature["name"], feature.get("encoder", {})
        pretrained = encoder.get("use_pretrained", True)
        if "model_name" in encoder and (pretrained or _local(encoder)):
            yield _image_weights(name, encoder)
        elif encoder.get(TEXT_KEY) and (pretrained or feature["type"] == "text"):  # a tokenizer is always fetched
            yield _text_weights(name, encoder[TEXT_KEY])
        elif feature["type"] == "image" and encoder.get("use_pretrained") and encoder.get("model_cache_dir") is None:
            yield Weights(name, f"torchvision {encoder['type']}", None, "model_cache_dir", "/path/to/folder")


def problems(config: Mapping[str, Any], *, offline: bool) -> dict[str, str]:
    """Every pretrained weights file that is neither on this machine nor to be had, and the `--set` that would help."""
    found = {}
    for weights in wanted(config):
        problem = _problem(weights, offline=offline)
        if problem:
            found[problem] = f"--set {weights.key}={weights.example}"
    return found


def check(config: Mapping[str, Any], *, offline: bool) -> None:
    """A MissingError lists the `problems`, if there are any."""
    report(problems(config, offline=offline))


def report(problems: Mapping[str, str]) -> None:
    """Raises one MissingError for all `problems`, if there are any."""
    if problems:
        raise MissingError(
            "\n".join(["pretrained weights are missing:", *(f"  - {problem}" for problem in problems)]),
            hint="name a folder that holds them: " + " ".join(problems.values()),
        )


def _local(encoder: Mapping[str, Any]) -> bool:
    return str(encoder.get("model_name", "")).startswith(LOCAL_PREFIX)


def _image_weights(feature: str, encoder: Mapping[str, Any]) -> Weights:
    import timm

    name, key, example = str(encoder.get("model_name", "")), "model_name", f"{LOCAL_PREFIX}/path/to/folder"
    if _local(encoder):
        return Weights(feature, name, Path(name.removeprefix(LOCAL_PREFIX)), key, example)
    card = timm.get_pretrained_cfg(name)
    return Weights(feature, str(card.hf_hub_id) if card and card.hf_hub_id else f"timm/{name}", None, key, example)


def _text_weights(feature: str, name: str) -> Weights:
    path = Path(name)
    folder = path if path.is_absolute() or name.startswith(".") or path.is_dir() else None
    return Weights(feature, name, folder, TEXT_KEY, "/path/to/folder")


def _problem(weights: Weights, *, offline: bool) -> str:
    if weights.folder is not None:
        missing = not (weights.folder / CARD).is_file()
        return f"{weights.folder} is no folder of a saved model (it has no {CARD})" if missing else ""
    if weights.repository.startswith("torchvision "):
        return f"{weights.repository} would be downloaded, and --offline forbids it" if offline else ""
    if _cached(weights.repository):
        return ""
    if offline:
        return f"{weights.repository} is not on this machine, and --offline forbids the download"
    reason = _unreachable(weights.repository)
    return f"{weights.repository} is not on this machine and cannot be downloaded: {reason}" if reason else ""


def _cached(repository: str) -> bool:
    from huggingface_hub import try_to_load_from_cache

    files = ("model.safetensors", "pytorch_model.bin")
    return any(isinstance(try_to_load_from_cache(repository, file), str) for file in files)


def _unreachable(repository: str) -> str:
    """Why the repository's card can't be had, in a line; empty when it can."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import HfHubHTTPError

    try:
        get_hf_file_metadata(hf_hub_url(repository, CARD), timeout=10)
    except HfHubHTTPError as error:
        return f"the hub answers {error.response.status_code}"
    except Exception as error:  # which library carries the request, and so how it fails, changes with the hub's client
        return f"no network ({error.__class__.__name__})"
    return ""
