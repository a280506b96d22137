"""The audit: what it refuses to believe, what it lists, why, and in which order."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from PIL import Image, ImageOps

from leaflet_tool.cli.main import main
from leaflet_tool.errors import InputError, UsageError
from leaflet_tool.manifest import Label, Prepared, own, read_prepared, read_table, write_manifest, write_table
from leaflet_tool.measure.predictions import PROBABILITY, from_probabilities
from leaflet_tool.models import rows as ludwig_rows
from leaflet_tool.models import runs
from leaflet_tool.models.definitions import find
from leaflet_tool.models.runs import PREDICTIONS, ROWS, RUN, Run, write_predictions
from leaflet_tool.models.training import Request, train
from leaflet_tool.prepare.dataset import load, overridden
from leaflet_tool.prepare.recipe import prepare
from leaflet_tool.results import audit_words, findings
from leaflet_tool.results.audit import Audit, audit, write
from leaflet_tool.storage import locked, read_json, write_json
from tests.conftest import WORDS

CLASSES = ["Blue", "Green", "Red"]
PLAIN = {"width": "600", "height": "800", "brightness": "200", "sharpness": "900", "rotation": "0"}
PLAIN |= {"ocr_words": "9", "ocr_confidence": "91"}
ODD = {
    "blue4p2": {"sharpness": "9", "text": "", "ocr_words": "0", "ocr_status": "blank", "ocr_confidence": ""},
    "green4p1": {"brightness": "30"},
    "green5p1": {"sharpness": "30"},
    "green5p2": {"sharpness": "25"},
    "red4p1": {"ocr_words": "40", "ocr_confidence": "21"},
    "red5p1": {"rotation": "90"},
}
HOSTILE = "[red]<script>alert(1)</script>.png"


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def prepared(tiny_prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`tiny_prepared` with a leaflet of Red called Blue, twins that disagree, pages that show little, a lone Purple."""
    folder = tmp_path_factory.mktemp("audited") / "prepared"
    shutil.copytree(tiny_prepared, folder)
    frame = read_prepared(folder).frame.assign(**PLAIN)
    frame.loc[frame["group"] == "red3", "party"] = "Blue"
    for page, cells in ODD.items():
        frame.loc[frame["id"] == page, list(cells)] = list(cells.values())
    frame.loc[frame["id"] == "red3p1", "source"] = HOSTILE
    write_manifest(frame, folder / "manifest.csv", Label("party"))
    pairs = [("near", "3", "blue1p1", "red1p1"), ("exact", "0", "blue2p1", "blue3p1"), ("text", "", "red3p2", "red2p2")]
    write_table(pd.DataFrame(pairs, columns=["kind", "distance", "id_a", "id_b"]), folder / "duplicates.csv")
    return folder


@pytest.fixture(scope="module")
def folded(prepared: Path) -> Path:
    """A runs folder with `words`, trained in three folds, and `contrary`, which takes every leaflet for Green."""
    folder = prepared.parent / "runs"
    run = train(find("text_tfidf"), read_prepared(prepared), Request("words", folder, folds=3, resamples=20))
    shutil.copytree(run.folder, folder / "contrary")
    frame = run.predictions()
    values = pd.DataFrame(np.tile([0.2, 0.6, 0.2], (len(frame), 1)), columns=CLASSES)
    kept = from_probabilities(frame, frame["label"], values)
    kept.insert(3, "fold", frame["fold"])
    write_predictions(kept, folder / "contrary" / PREDICTIONS)
    return folder


@pytest.fixture(scope="module")
def found(folded: Path) -> Audit:
    return audit([runs.find("words", folded), runs.find("contrary", folded)])


def rows(found: Audit, kind: str) -> pd.DataFrame:
    return found.findings[found.findings["kind"] == kind].set_index("group")


def test_the_wrong_leaflet_is_the_first_finding_and_says_why(found: Audit) -> None:
    worst = found.findings.iloc[0]
    assert (worst["kind"], worst["group"], worst["given"], worst["suggested"]) == ("label", "red3", "Blue", "Red")
    assert worst["rank"] == 1
    assert worst["suggested_probability"] > worst["given_probability"]
    assert worst["score"] > 0.5
    assert worst["agreement"] == "1/2"
    assert set(worst["words"].split("|")) & set(WORDS["Red"].split())
    assert not set(worst["words"].split("|")) & set(WORDS["Blue"].split())
    assert worst["twins"] == "red2p2"
    assert "a page of the same words is labelled “Red”" in worst["reason"]
    assert "1 of 2 runs say so" in worst["reason"]


def test_a_leaflet_gives_one_finding_of_a_kind_with_all_its_pages_and_where_they_came_from(found: Audit) -> None:
    assert not found.findings.duplicated(["kind", "group"]).any()
    worst = found.findings.iloc[0]
    pages, sources = worst["pages"].split("|"), worst["sources"].split("|")
    assert sorted(pages) == ["red3p1", "red3p2"]
    assert dict(zip(pages, sources, strict=True))["red3p1"] == HOSTILE
    assert worst["rows"] == ""


def test_only_findings_are_listed_labels_and_duplicates_first_and_each_by_score(found: Audit) -> None:
    kinds = found.findings["kind"].tolist()
    first = [kind in ("label", "duplicate") for kind in kinds]
    assert first == sorted(first, reverse=True)
    for front in (True, False):
        scores = found.findings.loc[[each == front for each in first], "score"]
        assert scores.is_monotonic_decreasing and scores.between(0, 1).all()
    assert set(rows(found, "label").index) & {f"green{number}" for number in range(10)} == set()


def test_twins_that_disagree_are_listed_where_the_label_is_no_finding_already(found: Audit) -> None:
    listed = rows(found, "duplicate")
    assert set(listed.index) == {"blue1", "red1", "red2"} - set(rows(found, "label").index)
    assert listed.loc["red1", "twins"] == "blue1p1"
    assert listed.loc["red1", "suggested"] == "Blue"
    assert listed.loc["red1", "pages"].startswith("red1p1")
    assert "a page that looks the same is labelled “Blue”" in listed.loc["red1", "reason"]


def test_pages_that_show_little_are_listed_by_what_is_the_matter(found: Audit) -> None:
    assert list(rows(found, "blank").index) == ["blue4"]
    assert list(rows(found, "dark").index) == ["green4"]
    assert list(rows(found, "sideways").index) == ["red4"]  # red5 was turned upright
    blurred = rows(found, "blurred")
    assert list(blurred.index) == ["green5"]
    assert blurred.loc["green5", "pages"] == "green5p2|green5p1"
    assert "so are 1 more of its 2 pages" in blurred.loc["green5", "reason"]
    assert np.isnan(blurred.loc["green5", "given_probability"])


def test_the_facts_say_what_was_judged(found: Audit, prepared: Path) -> None:
    facts = found.facts
    assert facts["data"] == {"folder": str(prepared), "manifest_sha256": read_prepared(prepared).digest}
    assert facts["label"] == {"name": "party", "multiple": False}
    assert (facts["classes"], facts["runs"]) == (CLASSES, ["words", "contrary"])
    assert facts["judged"] == {"split": None, "pages": 60, "leaflets": 30}
    assert facts["counts"]["blurred"] == 1
    assert sum(facts["counts"].values()) == len(found.findings)
    assert 1 <= facts["estimated_wrong"] <= 4
    assert facts["judges"]["contrary"] < 0.5, "a judge that knows nothing has no say"
    json.dumps(facts)


def test_leaflets_that_no_words_tell_are_said_not_to_be_judged_as_outliers(found: Audit) -> None:
    assert found.facts["outliers"] == {"judged": 30, "no_words": [], "few_words": [], "few_others": []}
    assert not any("outliers are told by words" in sentence for sentence in audit_words.sentences(found.facts))


def test_an_archive_of_images_alone_says_that_it_has_no_outliers_and_why(folded: Path, prepared: Path) -> None:
    said = {"blue0p1": "taxes borders", "blue1p1": "taxes borders business defence pension vote street plan"}
    run = relabelled(prepared, folded, {}, "wordless", said)
    found = audit([run])
    told = found.facts["outliers"]
    assert (told["judged"], told["few_words"], told["few_others"]) == (0, ["blue0"], ["blue1"])
    assert len(told["no_words"]) == 28 and "red3" in told["no_words"]
    assert not (found.findings["kind"] == "outlier").any()
    (sentence,) = (each for each in audit_words.sentences(found.facts) if "outliers" in each)
    assert sentence == (
        "outliers are told by words, so these were not judged as such: 28 leaflets without words, 1 leaflet of fewer "
        "than 8 words and 1 leaflet with too few others to compare; audit.json names them"
    )


def test_a_finding_is_called_the_same_by_the_next_audit(found: Audit, folded: Path) -> None:
    again = audit([runs.find("words", folded)])
    assert again.findings.iloc[0]["finding"] == found.findings.iloc[0]["finding"]


def test_runs_of_different_folds_are_judged_together_and_with_one_that_has_none(folded: Path, prepared: Path) -> None:
    data, definition = read_prepared(prepared), find("text_tfidf")
    words = runs.find("words", folded)
    other = train(definition, data, Request("other", folded, folds=4, seed=7, resamples=20))
    single = train(definition, data, Request("single", folded, epochs=3, resamples=20))
    for order in ([words, other], [other, words]):
        found = audit(order)
        worst = found.findings.iloc[0]
        assert (worst["group"], worst["suggested"], worst["agreement"]) == ("red3", "Red", "2/2")
        assert found.facts["runs"] == [run.name for run in order]
        assert {"words", "other"} < set(found.facts["judges"])
    with pytest.raises(InputError, match="run single was trained on 36 of the 60 pages"):
        audit([words, single])
    for order in ([words, single], [single, words]):
        assert audit(order, split="test").facts["judged"] == {"split": "test", "pages": 12, "leaflets": 6}


def test_pages_of_one_group_with_different_labels_are_judged_on_their_own(folded: Path, prepared: Path) -> None:
    mixed = relabelled(prepared, folded, {"green6p1": "Red"})
    listed = audit([mixed]).findings
    about = listed[(listed["group"] == "green6") & (listed["kind"] == "label")]
    assert about["pages"].tolist() == ["green6p1"]
    assert about["suggested"].tolist() == ["Green"]


def relabelled(
    prepared: Path,
    folded: Path,
    labels: dict[str, str],
    name: str = "relabelled",
    texts: dict[str, str] | None = None,
) -> Run:
    """The run `words` of a copy of the prepared folder with other labels, made to fit them, and perhaps other texts."""
    folder = prepared.parent / name
    shutil.copytree(prepared, folder / "prepared")
    frame = read_prepared(folder / "prepared").frame
    frame["party"] = frame["id"].map(labels).fillna(frame["party"])
    if texts is not None:
        frame["text"] = frame["id"].map(texts).fillna("")
    write_manifest(frame, folder / "prepared" / "manifest.csv", Label("party"))
    shutil.copytree(folded / "words", folder / "words")
    run = runs.find("words", folder)
    table = read_table(run.folder / PREDICTIONS)
    write_table(table.assign(label=table["id"].map(labels).fillna(table["label"])), run.folder / PREDICTIONS)
    data = {**run.facts["data"], "folder": str(folder / "prepared")}
    return run.noting(data={**data, "manifest_sha256": read_prepared(folder / "prepared").digest})


def test_a_class_of_few_leaflets_is_named_and_not_flagged(folded: Path, prepared: Path) -> None:
    labels = {f"green{number}p{page}": "Blue" for number in range(4) for page in (1, 2)}
    few = {f"red{number}p{page}": "Green" for number in range(2) for page in (1, 2)}
    gone = {f"green{number}p{page}": "Red" for number in range(4, 10) for page in (1, 2)}
    run = relabelled(prepared, folded, {**labels, **gone, **few}, "rare")
    found = audit([run])
    assert found.facts["too_few"] == {"Green": 2}
    assert not (rows(found, "label")["given"] == "Green").any()


def test_a_run_that_was_trained_on_the_pages_is_refused_unless_they_are_new_to_it(
    tiny_runs: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="was trained on 36 of the 60 pages") as refused:
        audit([runs.find("text", tiny_runs)])
    assert "--folds 5" in refused.value.hint and "--split test" in refused.value.hint
    with pytest.raises(InputError, match="was trained on"):
        audit([runs.find("text", tiny_runs)], split="train")
    found = audit([runs.find("text", tiny_runs), runs.find("image", tiny_runs)], split="test")
    assert found.facts["judged"] == {"split": "test", "pages": 12, "leaflets": 6}
    assert found.facts["too_few"] == {"Blue": 2, "Green": 2, "Red": 2}
    assert found.label_findings == 0
    result = invoke("--json", "audit", "text", "--runs", tiny_runs, "--out", tmp_path / "a")
    assert result.exit_code == 3
    assert not (tmp_path / "a").exists()


def test_a_run_of_another_manifest_is_refused(
    folded: Path, prepared: Path, tiny_prepared: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="words was trained on another manifest"):
        audit([runs.find("words", folded)], tiny_prepared)
    shutil.copytree(prepared, tmp_path / "moved")
    assert audit([runs.find("words", folded)], tmp_path / "moved").facts["data"]["folder"] == str(tmp_path / "moved")


@pytest.mark.parametrize(
    ("column", "value", "message"), [("label", "Green", "have other labels or leaflets than"), ("id", "x", "no predic")]
)
def test_predictions_that_do_not_fit_the_manifest_are_refused(
    folded: Path, tmp_path: Path, column: str, value: str, message: str
) -> None:
    shutil.copytree(folded / "words", tmp_path / "liar")
    run = runs.find("liar", tmp_path)
    table = read_table(run.folder / PREDICTIONS)
    table.loc[table["id"] == "blue0p1", column] = value
    write_table(table, run.folder / PREDICTIONS)
    with pytest.raises(InputError, match=message) as refused:
        audit([run])
    assert "blue0p1" in refused.value.message


def test_runs_of_other_classes_or_labels_are_refused(folded: Path, tiny_topics: Prepared, tmp_path: Path) -> None:
    shutil.copytree(folded / "words", tmp_path / "fewer")
    table = read_table(tmp_path / "fewer" / PREDICTIONS)
    write_table(table.drop(columns=f"{PROBABILITY}Green"), tmp_path / "fewer" / PREDICTIONS)
    with pytest.raises(InputError, match="different classes"):
        audit([runs.find("words", folded), runs.find("fewer", tmp_path)])
    shutil.copytree(folded / "words", tmp_path / "other")
    write_json(
        tmp_path / "other" / RUN, {**read_json(folded / "words" / RUN), "label": {"name": "x", "multiple": True}}
    )
    with pytest.raises(InputError, match="other predicts x, several labels a page"):
        audit([runs.find("words", folded), runs.find("other", tmp_path)])
    with pytest.raises(UsageError, match="given more than once"):
        audit([runs.find("words", folded)] * 2)


def test_the_command_writes_both_files_prints_the_first_and_leaves_the_review_alone(
    folded: Path, tmp_path: Path
) -> None:
    out = tmp_path / "audit"
    out.mkdir()
    (out / "review.sqlite").write_bytes(b"decisions")
    result = invoke("audit", "words", "contrary", "--runs", folded, "--out", out)
    assert result.exit_code == 0, result.output
    assert "red3" in result.stdout and "60 pages of 30 leaflets" in result.stderr
    assert (out / "review.sqlite").read_bytes() == b"decisions"
    listed = findings.read_findings(out)
    assert listed["rank"].tolist() == list(range(1, len(listed) + 1))
    facts = findings.read_facts(out)
    told = json.loads(invoke("--json", "audit", "words", "contrary", "--runs", folded, "--out", out).stdout)
    assert told["counts"] == facts["counts"]
    assert told["findings"][0]["group"] == "red3"
    assert len(told["findings"]) == min(10, len(listed))


def test_an_audit_is_not_written_under_an_open_review(found: Audit, folded: Path, tmp_path: Path) -> None:
    with locked(tmp_path / "audit"):
        with pytest.raises(InputError, match="in use by another"):
            write(found, tmp_path / "audit")
        told = invoke("audit", "words", "--runs", folded, "--out", tmp_path / "audit")
    assert told.exit_code == 3 and "in use by another" in told.stderr
    assert "learning what words say" not in told.stderr, "it is said before anything is judged"
    assert not (tmp_path / "audit" / findings.TABLE).exists()


def arguments_of(folded: Path, tmp_path: Path, most: int) -> list[object]:
    return ["audit", "words", "--runs", folded, "--out", tmp_path / "a", "--fail-on", most]


@pytest.mark.parametrize(("most", "code"), [(1, 6), (50, 0)])
def test_fail_on_has_an_exit_code_of_its_own_after_the_files_are_written(
    folded: Path, tmp_path: Path, most: int, code: int
) -> None:
    result = invoke(*arguments_of(folded, tmp_path, most))
    assert result.exit_code == code, result.output
    assert findings.read_findings(tmp_path / "a")["group"].iloc[0] == "red3"
    assert ("hint: look at" in result.stderr) == bool(code)
    assert "red3" in result.stdout
    told = json.loads(invoke("--json", *arguments_of(folded, tmp_path, most)).stdout)
    assert told.get("exit_code", 0) == code


def test_several_labels_give_a_suggested_set(tiny_topics: Prepared, tmp_path: Path) -> None:
    frame = pd.concat(
        [
            tiny_topics.frame.assign(id=tiny_topics.frame["id"] + copy, group=tiny_topics.frame["group"] + copy)
            for copy in "ab"
        ],
        ignore_index=True,
    )
    wrong = frame["id"] == "lynx2a"
    assert frame.loc[wrong, "topics"].tolist() == ["Nature|Animals"]
    frame.loc[wrong, "topics"] = "Art & Music|Nature"
    folder = tmp_path / "prepared"
    write_manifest(frame, folder / "manifest.csv", tiny_topics.label)
    write_json(folder / "prepare.json", tiny_topics.facts)
    plain = ("input_features.caption.preprocessing.tokenizer=words",)
    request = Request("topics", tmp_path, folds=3, overrides=plain, epochs=8, resamples=20)
    run = train(find("topics_filename"), read_prepared(folder), request)
    found = audit([run])
    worst = found.findings.iloc[0]
    assert worst["pages"] == "lynx2a"
    assert worst["given"] == "Art & Music|Nature"
    assert worst["suggested"] == "Animals|Nature"
    assert worst["given_probability"] < 0.5 < worst["suggested_probability"]
    assert "it lacks “Animals” and it does not show “Art & Music”" in worst["reason"]
    assert {"owl", "lynx"} & set(worst["words"].split("|"))
    assert found.facts["label"]["multiple"] is True
    assert set(found.findings["group"]) <= set(own(frame)["group"])
    assert not found.findings.duplicated("group").any()
    assert found.label_findings == len(found.findings)


def beside(tiny_runs: Path, folder: Path, **facts: object) -> Run:
    """The run `image` as `elder` in `folder`, with other facts: trained on 36 of the tiny pages."""
    shutil.copytree(tiny_runs / "image", folder / "elder")
    return runs.find("elder", folder).noting(**facts)


@pytest.mark.parametrize("steps", [1, 2])
def test_a_run_that_started_from_one_that_knows_the_pages_is_refused(
    folded: Path, tiny_runs: Path, tmp_path: Path, steps: int
) -> None:
    elder = beside(tiny_runs, tmp_path, prepare={"archive": "as it was called before"})
    shutil.copytree(folded / "words", tmp_path / "words")
    started = {"feature": "image", "weights_sha256": {}}
    if steps == 2:
        shutil.copytree(folded / "words", tmp_path / "middle")
        runs.find("middle", tmp_path).noting(start_from={**started, "folder": str(elder.folder)})
    source = "elder" if steps == 1 else "middle"
    run = runs.find("words", tmp_path).noting(start_from={**started, "folder": str(tmp_path / source)})
    with pytest.raises(InputError, match="run words is made of elder, which was trained on 36 of the 60") as refused:
        audit([run])
    assert "blue0p1, blue0p2" in refused.value.message
    assert "same folds" in refused.value.hint and "--split test" in refused.value.hint
    assert audit([run], split="test").facts["judged"]["pages"] == 12
    result = invoke("--json", "audit", "words", "--runs", tmp_path, "--out", tmp_path / "a")
    assert result.exit_code == 3
    assert not (tmp_path / "a").exists()


def test_a_run_that_started_from_one_in_the_same_folds_is_not(folded: Path, tmp_path: Path) -> None:
    for name in ("words", "elder"):
        shutil.copytree(folded / "words", tmp_path / name)
    started = {"folder": str(tmp_path / "elder"), "feature": "image", "weights_sha256": {}}
    run = runs.find("words", tmp_path).noting(start_from=started)
    assert audit([run]).facts["judged"]["pages"] == 60
    path = tmp_path / "elder" / ROWS
    table = ludwig_rows.read(path)
    ludwig_rows.write(table.assign(fold=table["fold"].map({"0": "1", "1": "2", "2": "0"})), path)
    with pytest.raises(InputError, match="elder, which was trained on 60 of the 60"):
        audit([run])


def test_a_stack_of_runs_in_folds_and_of_another_archive_is_not(folded: Path, tiny_runs: Path, tmp_path: Path) -> None:
    for name in ("words", "under"):
        shutil.copytree(folded / "words", tmp_path / name)
    told = {"name": "under", "folder": str(tmp_path / "under"), "started": "", "finished": ""}
    run = runs.find("words", tmp_path).noting(stack={"bases": [told], "classes": CLASSES})
    under = runs.find("under", tmp_path)
    told |= {fact: under.facts[fact] for fact in ("started", "finished")}
    run = run.noting(stack={"bases": [told], "classes": CLASSES})
    assert audit([run]).facts["judged"]["pages"] == 60
    elder = beside(tiny_runs, tmp_path)
    started = {"folder": str(elder.folder), "feature": "image", "weights_sha256": {}}
    under.noting(start_from=started)
    with pytest.raises(InputError, match="run words is made of elder, which was trained on 36"):
        audit([run])


def test_an_encoder_that_knew_the_archive_by_another_name_is_found_out(tiny_prepared: Path, tmp_path: Path) -> None:
    """From end to end: trained, the archive renamed, prepared again, trained in folds from the first run."""
    for page in read_prepared(tiny_prepared).frame.to_dict("records"):
        for archive in ("archive", "stranger"):
            (tmp_path / archive / page["party"]).mkdir(parents=True, exist_ok=True)
            with Image.open(tiny_prepared / page["image"]) as image:
                turned = ImageOps.posterize(image, 3) if archive == "stranger" else image
                turned.save(tmp_path / archive / page["party"] / f"{page['id']}.png")
    definition = overridden(load("class_folders"), {"ocr.engine": "none", "duplicates.near": False})
    sizes = {"encoder.model_name": '"test_resnet"', "encoder.use_pretrained": "false"}
    sizes |= {"preprocessing.height": "32", "preprocessing.width": "32"}
    small = tuple(f"input_features.image.{key}={value}" for key, value in sizes.items())

    def made(archive: str, out: str) -> Prepared:
        prepare(tmp_path / archive, tmp_path / out, definition)
        return read_prepared(tmp_path / out)

    def trained(name: str, data: Prepared, **settings: Any) -> Run:
        request = Request(name, tmp_path / "runs", small, epochs=1, resamples=10, offline=True, **settings)
        return train(find("document_128"), data, request)

    elder, stranger = (trained(name, made(name, f"of_{name}")) for name in ("archive", "stranger"))
    (tmp_path / "archive").rename(tmp_path / "renamed")
    data = made("renamed", "prepared")
    assert set(data.frame["id"]) == set(elder.predictions()["id"]) == set(stranger.predictions()["id"])
    with pytest.raises(InputError, match=r"run archive learned from \d+ rows which are to be new"):
        trained("again", data, folds=2, start_from="archive")
    again = trained("again", data, folds=2, start_from="stranger")
    assert audit([again]).facts["runs"] == ["again"]
    started = {**again.facts["start_from"], "folder": str(elder.folder)}
    with pytest.raises(InputError, match="run again is made of archive, which was trained on"):
        audit([again.noting(start_from=started)])
