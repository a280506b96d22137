"""`ludwig visualize` works on our run directories as they are: the commands that the README shows."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

RUNS = ("image", "text")
COMMANDS = {
    "compare_performance": "--test_statistics {image}/test_statistics.json {text}/test_statistics.json",
    "learning_curves": "--training_statistics {image}/training_statistics.json {text}/training_statistics.json",
    "confusion_matrix": "--test_statistics {image}/test_statistics.json {text}/test_statistics.json "
    "--ground_truth_metadata {text}/model/training_set_metadata.json",
    "compare_classifiers_performance_from_prob": "--probabilities {image}/predictions.parquet "
    "{text}/predictions.parquet --ground_truth {text}/ludwig.csv "
    "--ground_truth_metadata {text}/model/training_set_metadata.json --output_feature_name party --top_n_classes 3",
}
FIGURES = {
    "compare_performance": ["compare_performance_party"],
    "learning_curves": ["learning_curves_party_accuracy", "learning_curves_party_loss"],
    "confusion_matrix": ["confusion_matrix_image_party_top3", "confusion_matrix_text_party_top3"],
    "compare_classifiers_performance_from_prob": ["compare_classifiers_performance_from_prob"],
}


def arguments(visualization: str, runs: Path, output: Path) -> list[str]:
    """What comes after `ludwig visualize`."""
    files = COMMANDS[visualization].split(" ")
    return [
        *("--visualization", visualization),
        *(part.format(**{name: runs / name for name in RUNS}) for part in files),
        *("--model_names", *RUNS, "--output_directory", str(output), "--file_format", "png"),
    ]


def drawn(folder: Path) -> dict[str, Image.Image]:
    """The pictures in a folder by their names."""
    return {path.stem: Image.open(path) for path in folder.glob("*.png")}


@pytest.fixture
def no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "Agg")


@pytest.mark.parametrize("visualization", COMMANDS)
def test_the_command_draws_its_figures(visualization: str, tiny_runs: Path, tmp_path: Path, no_window: None) -> None:
    from ludwig.utils.visualization_utils import mpl, plt
    from ludwig.visualize import cli

    level = logging.getLogger("ludwig").level
    try:
        with mpl.rc_context():
            cli(arguments(visualization, tiny_runs, tmp_path))
    finally:
        plt.close("all")
        logging.getLogger("ludwig").setLevel(level)
    found = drawn(tmp_path)
    assert set(FIGURES[visualization]) <= set(found)
    assert all(len(picture.convert("RGB").getcolors(1 << 20)) > 10 for picture in found.values())  # not a blank sheet


def test_the_program_draws_from_another_folder(tiny_runs: Path, tmp_path: Path, no_window: None) -> None:
    program = Path(sys.executable).with_name("ludwig")
    command = [str(program), "visualize", *arguments("compare_performance", tiny_runs, tmp_path)]
    subprocess.run(command, check=True, cwd=tmp_path, capture_output=True, timeout=300)
    assert set(drawn(tmp_path)) == {"compare_performance_party"}
