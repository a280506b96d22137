"""The group: help that costs nothing, one object for --json, exit codes, and words for every error."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from leaflet_tool import __version__
from leaflet_tool.cli.main import COMMANDS, main
from leaflet_tool.errors import ExitCode
from leaflet_tool.models import runs
from tests.reviews import party_audit

HEAVY = ("ludwig", "torch", "ray", "pandas", "numpy", "sklearn", "matplotlib", "transformers", "PIL")
HELPS = [[], *([name] for name in COMMANDS), ["configs", "list"], ["configs", "show"], ["configs", "check"]]
HELPS += [["review", "serve"], ["review", "export"]]


def invoke(*arguments: object, **env: str | None) -> Result:
    return CliRunner(env=env).invoke(main, [str(argument) for argument in arguments])


@pytest.mark.parametrize("command", HELPS, ids=" ".join)
def test_every_command_explains_itself(command: list[str]) -> None:
    short, long = invoke(*command, "-h"), invoke(*command, "--help")
    assert short.exit_code == 0
    assert short.stdout == long.stdout
    assert short.stdout.startswith(f"Usage: main {' '.join(command)}".rstrip())
    for flag in ("--json", "-v, --verbose", "-q, --quiet", "-h, --help"):
        assert flag in short.stdout
    options = re.findall(r"^  (-.*)$", short.stdout, re.MULTILINE)
    assert all(not line.endswith(" ") and len(line) < 100 for line in options)


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import json, sys\n"
        "from click.testing import CliRunner\n"
        "from leaflet_tool.cli.main import main\n"
        "for command in json.loads(sys.argv[1]):\n"
        "    assert CliRunner().invoke(main, [*command, '--help']).exit_code == 0, command\n"
        "    assert CliRunner().invoke(main, ['--version']).exit_code == 0\n"
        "    found = sorted(set(json.loads(sys.argv[2])) & set(sys.modules))\n"
        "    assert not found, (command, found)\n"
    )
    arguments = [json.dumps(HELPS), json.dumps(HEAVY)]
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_version() -> None:
    assert invoke("--version").stdout == f"leaflet-tool, version {__version__}\n"


@pytest.fixture(scope="module")
def working(tiny_prepared: Path, tiny_runs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[object]]:
    """Arguments with which each command comes to a good end."""
    folder = tmp_path_factory.mktemp("working")
    data, at = ["--data", tiny_prepared], ["--runs", tiny_runs]
    pages, study = tiny_prepared / "images", folder / "study.yaml"
    study.write_text("base: {config: text_tfidf}\nseeds: [1]\nrows: {plain: {}}\n")
    return {
        "prepare": [
            tiny_prepared / "manifest.csv",
            "--label",
            "party",
            "--ocr",
            "none",
            "--out",
            folder / "p",
            "--dry-run",
        ],
        "cache": [],
        "sample": [folder / "sample", "--leaflets", 2],
        "configs": [],
        "train": ["--config", "text", *data, "--name", "new", *at, "--dry-run"],
        "evaluate": ["text", *at],
        "predict": ["image", pages / "red0p1.png", pages / "blue0p1.png", "--out", folder / "p.csv", *at],
        "runs": at,
        "compare": ["text", "image", "--out", folder / "c.html", "--no-figures", *at],
        "hyperopt": ["--config", "text_tfidf", *data, "--name", "h", "--runs", folder, "--dry-run"],
        "study": [study, *data, "--runs", folder, "--dry-run"],
        "review": ["export", party_audit(folder / "audit", tiny_prepared)],
        "stack": [tiny_runs / "text", tiny_runs / "image", "--name", "s", "--runs", folder, "--epochs", 1],
        "explain": ["text", "red0p1", "--out", folder / "e.png", *at],
        "audit": ["text", "image", *at, "--split", "test", "--out", folder / "audit"],
    }


FAILING = {
    "prepare": ["/nonexistent", "--out", "/nonexistent/out"],
    "cache": ["--clear"],
    "sample": ["/dev/null/folder"],
    "configs": ["show", "txt"],
    "train": ["--config", "txt", "--data", "/nonexistent", "--name", "x"],
    "evaluate": ["nothing"],
    "predict": ["nothing", "page.jpg"],
    "runs": ["--runs", "/dev/null"],
    "compare": ["nothing", "nothing else"],
    "hyperopt": ["--config", "txt", "--data", "/nonexistent", "--name", "x"],
    "study": ["nothing", "--data", "/nonexistent"],
    "stack": ["nothing", "nothing else", "--name", "x"],
    "explain": ["nothing", "page"],
    "review": ["nothing"],
    "audit": ["nothing"],
}


def test_every_command_is_tried(working: dict[str, list[object]]) -> None:
    assert working.keys() == FAILING.keys() == COMMANDS.keys()


@pytest.mark.parametrize("command", COMMANDS)
def test_json_is_one_object_on_stdout(command: str, working: dict[str, list[object]]) -> None:
    before = invoke("--json", command, *working[command])
    assert before.exit_code == 0, before.output
    assert isinstance(json.loads(before.stdout), dict)


@pytest.mark.parametrize("command", COMMANDS)
def test_an_error_is_one_object_too_and_words_on_stderr(command: str, tmp_path: Path) -> None:
    broken = tmp_path / "leaflet-tool" / "readings.sqlite"
    broken.parent.mkdir()
    broken.write_text("this is no cache")
    found = invoke(command, *FAILING[command], "--json", XDG_CACHE_HOME=str(tmp_path))
    told = json.loads(found.stdout)
    assert told.keys() == {"error", "hint", "exit_code"}
    assert found.exit_code == told["exit_code"] == 3, found.output
    assert f"error: {told['error']}" in found.stderr
    assert "Traceback" not in found.stderr


@pytest.mark.parametrize("arguments", [["trian"], ["train"], ["train", "--bogus"], ["--bogus"], [], ["runs", "more"]])
def test_a_usage_error_is_one_object_and_exit_code_2(arguments: list[str]) -> None:
    found = invoke("--json", *arguments)
    assert found.exit_code == json.loads(found.stdout)["exit_code"] == 2
    assert "Usage:" in found.stderr


def test_the_nearest_command_is_suggested() -> None:
    found = invoke("comprae")
    assert found.exit_code == 2
    assert "No such command 'comprae'. Did you mean 'compare'?" in found.stderr
    assert found.stdout == ""


def test_exit_codes_of_a_missing_program_and_a_failed_training(tiny_prepared: Path, tmp_path: Path) -> None:
    start = ["train", "--data", tiny_prepared, "--name", "x", "--runs", tmp_path]
    gone = f"input_features.image.encoder.model_name=local-dir:{tmp_path}/gone"
    missing = invoke(*start, "--config", "image", "--offline", "--set", gone)
    assert missing.exit_code == ExitCode.MISSING
    assert "--set input_features.image.encoder.model_name=local-dir:/path/to/folder" in missing.stderr
    failed = invoke(*start, "--config", "text_tfidf", "--set", "trainer.learning_rate=-1", "-v")
    assert failed.exit_code == ExitCode.TRAINING
    assert "hint: run with -v for the whole trace" in failed.stderr
    assert "Traceback" in failed.stderr
    listed = json.loads(invoke("--json", "runs", "--runs", tmp_path).stdout)
    assert [run["state"] for run in listed["runs"]] == ["failed"]


@pytest.mark.parametrize(
    ("out", "hint"), [("/dev/full", "free some space"), ("/dev/null/p.csv", "another path"), ("folder", "another path")]
)
def test_what_the_system_refuses_is_told_by_name(
    tiny_runs: Path, tiny_prepared: Path, tmp_path: Path, out: str, hint: str
) -> None:
    (tmp_path / "folder").mkdir()
    found = invoke("predict", "text", tiny_prepared, "--out", tmp_path / out, "--runs", tiny_runs)
    assert found.exit_code == 3, found.output
    named = found.stderr.partition("error: ")[2].partition(":")[0]
    assert named == ("/dev/null" if out == "/dev/null/p.csv" else str(tmp_path / out))
    assert hint in found.stderr


def test_quiet_says_nothing_but_errors(tiny_runs: Path, tiny_prepared: Path, tmp_path: Path) -> None:
    arguments = ["predict", "image", tiny_prepared / "images", "--out", tmp_path / "p.csv", "--runs", tiny_runs]
    assert invoke(*arguments).stderr
    assert invoke(*arguments, "-q").stderr == ""
    assert invoke("-q", "evaluate", "nothing").stderr.startswith("error: ")


def test_names_are_shown_as_they_stand(tmp_path: Path) -> None:
    hostile = "[red]x[/red] :smile: [link=http://a]\x1b[31m\x07"
    folder = tmp_path / "[bold]run"
    folder.mkdir()
    runs.Run(folder, {}).noting(
        state=hostile,
        folds=0,
        definition={"name": hostile},
        data={"folder": hostile},
        started=hostile,
        label={"name": "party", "multiple": False},
    )
    for env in ({}, {"FORCE_COLOR": "1"}):
        shown = invoke("runs", "--runs", tmp_path, **env).stdout
        assert "[bold]run" in shown
        assert "[red]x[/red] :smile: [link=http://a]\\x1b[31m\\x07" in shown
        assert "\x1b[31m" not in shown
    refused = invoke("evaluate", "[red]nothing[/red]", "--runs", tmp_path).stderr
    assert "no run called '[red]nothing[/red]'" in refused
    assert json.loads(invoke("--json", "runs", "--runs", tmp_path).stdout)["runs"][0]["state"] == hostile


def test_a_file_name_that_is_no_text_can_be_told(tmp_path: Path) -> None:
    name = b"caf\xe9.yaml".decode("utf-8", "surrogateescape")
    found = invoke("--json", "configs", "show", name)
    assert found.exit_code == 3
    assert "\\udce9" in found.stdout
    assert name in json.loads(found.stdout)["error"]


def test_no_color_is_respected() -> None:
    coloured = invoke("evaluate", "nothing", FORCE_COLOR="1").stderr
    plain = invoke("evaluate", "nothing", FORCE_COLOR="1", NO_COLOR="1").stderr
    colour = re.compile(r"\x1b\[[\d;]*3[0-7]")
    assert colour.search(coloured)
    assert not colour.search(plain)
    assert "\x1b" not in invoke("evaluate", "nothing").stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands_and_options(shell: str) -> None:
    def complete(instruction: str, **env: str) -> str:
        runner = CliRunner(env={"_LEAFLET_TOOL_COMPLETE": f"{shell}_{instruction}", **env})
        return runner.invoke(main, [], prog_name="leaflet-tool").stdout

    assert "leaflet-tool" in complete("source")
    words = {"COMP_WORDS": "leaflet-tool tr", "COMP_CWORD": "tr" if shell == "fish" else "1"}
    assert "train" in complete("complete", **words)
    words = {"COMP_WORDS": "leaflet-tool train --ep", "COMP_CWORD": "--ep" if shell == "fish" else "2"}
    assert "--epochs" in complete("complete", **words)
