"""`leaflet-tool prepare` as a shell sees it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from leaflet_tool.cli.main import main
from leaflet_tool.errors import ExitCode
from leaflet_tool.manifest import own, read_prepared


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table of four images."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "archive"
    folder.mkdir()
    rows = []
    for number in range(4):
        Image.new("RGB", (90, 60), (number * 50, 0, 0)).save(folder / f"{number}.png")
        rows.append(f"{number}.png,{'ab'[number % 2]},x;y,g{number // 2},some words {number}")
    (folder / "rows.csv").write_text("\n".join(["image,party,topics,leaflet,words", *rows]) + "\n")
    return folder / "rows.csv"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_flags_override_the_definition(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = run(
        *(
            "--json",
            "prepare",
            archive,
            "--out",
            out,
            "--label",
            "party",
            "--group",
            "leaflet",
            "--text-column",
            "words",
        ),
        *("--fractions", "0.5,0.25,0.25", "--seed", "3", "--rare", "other", "--rare-minimum", "1", "--max-side", "45"),
        *("--workers", "1", "--language", "eng", "--folds", "2", "--near-distance", "2"),
        *("--most-frequent", "3", "--max-per-class", "5"),
    )
    assert done.exit_code == ExitCode.DONE, done.output
    told = json.loads(done.stdout)
    assert told["settings"]["split"] == {"fractions": [0.5, 0.25, 0.25], "seed": 3, "folds": 2}
    assert told["settings"]["rare"] == {"policy": "other", "minimum": 1, "most_frequent": 3}
    assert (told["settings"]["max_per_class"], told["settings"]["duplicates"]["distance"]) == (5, 2)
    prepared = read_prepared(out)
    assert prepared.frame["group"].tolist() == ["g0", "g0", "g1", "g1"]
    assert prepared.frame["text"].tolist() == [f"some words {number}" for number in range(4)]
    assert Image.open(out / prepared.frame["image"][0]).size == (45, 30)


def test_flags_on_several_labels(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tree.yaml").write_text("x:\ny: x\nz: y\n")
    lines = [f"{n}.png,{'ab'[n % 2]},{('x', 'y;x', 'z', '')[n]},g{n},some words {n}" for n in range(4)]
    archive.write_text("\n".join(["image,party,topics,leaflet,words", *lines]) + "\n")
    columns = ("--labels", "topics", "--label-delimiter", ";", "--text-column", "words", "--caption-column", "party")
    forms = ("--taxonomy", "tree.yaml", "--label-form", "flat", "--unlabelled", "keep")
    resampling = ("--undersample", "0.9", "--oversample", "0.5", "--augment-words", "0.2")
    done = run("--json", "prepare", archive, "--out", "out", *columns, *forms, *resampling)
    assert done.exit_code == ExitCode.DONE, done.output
    told = json.loads(done.stdout)
    assert told["settings"]["resample"] == {"undersample": 0.9, "oversample": 0.5}
    assert told["settings"]["augment"]["words"] == 0.2
    assert told["taxonomy"] == {"x": [], "y": ["x"], "z": ["y"]}
    assert told["dataset"]["taxonomy"] == str(tmp_path / "tree.yaml")
    assert (told["unlabelled"], told["augmented"]) == ({"policy": "keep", "kept": 1}, told["resampled"]["added"])
    frame = own(read_prepared(Path("out")).frame)
    assert frame["topics"].tolist() == ["x", "y", "z", ""]
    assert frame["caption"].tolist() == ["0 a", "1 b", "2 a", "3 b"]


def test_flags_on_how_files_are_opened(archive: Path, tmp_path: Path) -> None:
    flags = ("--json", "prepare", archive, "--label", "party", "--ocr", "none", "--out")
    told = json.loads(run(*flags, tmp_path / "out").stdout)
    assert (told["settings"]["images"]["max_pixels"], told["settings"]["ocr"]["pdf_text"]) == (100_000_000, False)
    told = json.loads(run(*flags, tmp_path / "two", "--pdf-text", "--max-pixels", "5400").stdout)
    assert (told["settings"]["images"]["max_pixels"], told["settings"]["ocr"]["pdf_text"]) == (5400, True)
    assert told["kept"] == 4
    refused = run(*flags, tmp_path / "three", "--max-pixels", "5399")
    assert refused.exit_code == ExitCode.INPUT
    assert "every row has" in refused.stderr or "no row has" in refused.stderr


def test_a_definition_that_allows_the_text_of_pdfs_needs_no_flag(archive: Path, tmp_path: Path) -> None:
    definition = tmp_path / "mine.yaml"
    definition.write_text(
        "source: {type: table}\ncolumns: {image: image, label: party}\nocr: {engine: none, pdf_text: true}\n"
    )
    flags = ("--json", "prepare", archive, "--dataset", definition, "--out")
    assert json.loads(run(*flags, tmp_path / "out").stdout)["settings"]["ocr"]["pdf_text"] is True
    told = json.loads(run(*flags, tmp_path / "out", "--no-pdf-text", "--force").stdout)
    assert told["settings"]["ocr"]["pdf_text"] is False


def test_a_table_may_bring_ids_pages_splits_and_folds_of_its_own(tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    lines = ["a,no,train,1,0,words", "b,yes,test,2,1,more words", "c,yes,train,1,1,words", "d,no,validation,9,0,words"]
    table.write_text("\n".join(["nr,class,set,side,part,words", *lines]) + "\n")
    named = ("--label", "class", "--text-column", "words")
    places = ("--id-column", "nr", "--split-column", "set", "--page-column", "side", "--fold-column", "part")
    done = run("prepare", table, "--out", tmp_path / "out", *named, *places)
    assert done.exit_code == ExitCode.DONE, done.output
    frame = read_prepared(tmp_path / "out").frame
    assert frame["id"].tolist() == ["a", "b", "c", "d"]
    assert frame["split"].tolist() == ["train", "test", "train", "validation"]
    assert frame["page"].tolist() == ["1", "2", "1", "9"]
    assert frame["fold"].tolist() == ["0", "1", "1", "0"]


def test_the_result_for_people_says_the_sum(archive: Path, tmp_path: Path) -> None:
    done = run(
        "prepare", archive, "--out", tmp_path / "out", "--labels", "topics", "--label-delimiter", ";", "--ocr", "none"
    )
    assert done.exit_code == ExitCode.DONE, done.output
    assert "found 4 = kept 4 + skipped 0" in done.stdout
    assert "topics: x 4, y 4" in done.stdout
    assert "is read as table" in done.stderr
    assert read_prepared(tmp_path / "out").frame["topics"].tolist() == ["x|y"] * 4


def test_a_dry_run_says_that_nothing_was_written(archive: Path, tmp_path: Path) -> None:
    done = run("prepare", archive, "--out", tmp_path / "out", "--label", "party", "--ocr", "none", "--dry-run")
    assert done.exit_code == ExitCode.DONE, done.output
    assert done.stdout.endswith("nothing was written\n")
    assert not (tmp_path / "out").exists()


def test_the_report_lies_in_the_prepared_folder(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    flags = ("prepare", archive, "--out", out, "--label", "party", "--ocr", "none")
    done = run(*flags)
    assert done.exit_code == ExitCode.DONE, done.output
    assert done.stdout.endswith(f"the report is {out}/report.html\n")
    assert "What is in rows.csv" in (out / "report.html").read_text(encoding="utf-8")


def test_without_a_report_an_older_one_does_not_stay_to_mislead(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    flags = ("prepare", archive, "--out", out, "--label", "party", "--ocr", "none")
    run(*flags)
    done = run(*flags, "--no-report")
    assert done.exit_code == ExitCode.DONE, done.output
    assert "the report is" not in done.stdout
    assert not (out / "report.html").exists()
    assert (out / "manifest.csv").exists()


def test_force_starts_anew(archive: Path, tmp_path: Path) -> None:
    flags = ("prepare", archive, "--out", tmp_path / "out", "--label", "party", "--ocr", "none")
    assert run(*flags).exit_code == ExitCode.DONE
    refused = run(*flags, "--seed", "9")
    assert refused.exit_code == ExitCode.INPUT
    assert "seed: 42 then, 9 now" in refused.stderr
    assert run(*flags, "--seed", "9", "--force").exit_code == ExitCode.DONE


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        (("--label", "partei"), ExitCode.INPUT, "did you mean 'party'?"),
        ((), ExitCode.INPUT, "name one with --label"),
        (("--label", "party", "--dataset", "leaflts"), ExitCode.INPUT, "did you mean 'leaflets'?"),
        (("--label", "party", "--fractions", "1,2"), ExitCode.INPUT, "split.fractions"),
        (("--label", "party", "--language", "tlh"), ExitCode.MISSING, "'tlh'"),
        (("--label", "party", "--rare", "hide"), ExitCode.USAGE, "hide"),
        (("--label", "party", "--most-frequent", "2"), ExitCode.INPUT, "the policy keeps those"),
        (("--label", "party", "--near-distance", "99"), ExitCode.INPUT, "duplicates.distance"),
    ],
)
def test_bad_flags(archive: Path, tmp_path: Path, flags: tuple[str, ...], code: ExitCode, words: str) -> None:
    done = run("prepare", archive, "--out", tmp_path / "out", *flags)
    assert done.exit_code == code, done.output
    assert words in done.stderr
    assert not (tmp_path / "out").exists()


def test_without_tesseract_the_hint_says_what_to_install(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    done = run("prepare", archive, "--out", tmp_path / "out", "--label", "party")
    assert done.exit_code == ExitCode.MISSING
    assert "apt-get install tesseract-ocr" in done.stderr


def test_a_ray_address_without_ray_is_a_usage_error(archive: Path, tmp_path: Path) -> None:
    done = run("prepare", archive, "--out", tmp_path / "out", "--label", "party", "--ray-address", "auto")
    assert done.exit_code == ExitCode.USAGE
    assert "add --backend ray" in done.stderr


def test_regions_are_asked_for_by_name(archive: Path, tmp_path: Path) -> None:
    words = ("prepare", archive, "--out", tmp_path / "out", "--label", "party", "--text-column", "words")
    done = run(*words, "--max-side", "64", "--regions", "right,top", "--region-side", "16")
    assert done.exit_code == ExitCode.DONE, done.output
    assert "regions of each page: top, right (16 x 16 pixels)" in done.stdout
    frame = read_prepared(tmp_path / "out").frame
    assert {name for name in frame if name.startswith("image_")} == {"image_top", "image_right"}
    assert Image.open(tmp_path / "out" / frame["image_right"][0]).size == (16, 16)
    for wrong, told in (("tob", "Input should be 'top', 'bottom', 'left' or 'right'"), ("top", "raise it, or lower")):
        done = run(*words, "--max-side", "64", "--regions", wrong)
        assert done.exit_code == ExitCode.INPUT
        assert told in done.stderr
