"""What is known to be wrong before a model is built."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import Label, Prepared, read_prepared
from leaflet_tool.models import checks, definitions, training
from leaflet_tool.models.completion import completed


@pytest.fixture(scope="module")
def prepared(tiny_prepared: Path) -> Prepared:
    return read_prepared(tiny_prepared)


def filled(name: str, *overrides: str) -> dict[str, Any]:
    return training.filled(definitions.find(name), Label("party"), training.Request("any", overrides=overrides))


def test_all_unknown_keys_are_reported_together_with_the_nearest() -> None:
    config = filled(
        "text",
        "trainer.epoch=3",
        "input_features.text.encodr={}",
        "input_features.text.encoder.num_filter=3",
        "preprocessing.split.colum=split",
        'combiner={"type": "concat", "dropuot": 0.1}',
        "trainr={}",
    )
    found = checks.definition_problems(completed(config))
    assert [problem.partition(": ")[0] for problem in found] == [
        "input_features.text.encoder.num_filter",
        "input_features.text.encodr",
        "combiner.dropuot",
        "preprocessing.split.colum",
        "trainer.epoch",
        "trainr",
    ]
    assert "did you mean num_filters?" in found[0]
    assert "did you mean epochs?" in found[4]


@pytest.mark.parametrize(
    ("name", "override", "complaint"),
    [
        ("text", "trainer.epochs=many", "trainer.epochs: 'many' is not of type 'integer'"),
        ("text", "input_features.text.type=txt", "'txt' is not one of"),
        ("text", "trainer.validation_metric=acuracy", "'acuracy' is not valid"),
        ("text", "trainer.validation_field=prty", "No output feature found matching validation field: prty"),
        ("text", "output_features=[]", "output_features: [] should be non-empty"),
        ("text", "trainer=null", "trainer: must have keys of its own"),
        ("text", "input_features.text.encoder=rnn", "input_features.text.encoder: must have keys of its own"),
        ("text", 'input_features=["text"]', "input_features.0: must have a name and a type, but is 'text'"),
        ("text", 'trainer.learning_rate="3e-4"', "trainer.learning_rate: 3e-4 is text to YAML, write 0.0003"),
        (
            "document_regions",
            "input_features.left.encoder.model_name=convnext_atto",
            "input_features.left.encoder: must be that of page, to which the feature is tied",
        ),
        ("text", "hyperopt={}", "hyperopt: a search space belongs into a file of its own"),
        ("text", 'preprocessing.split={"type": "random"}', "preprocessing.split: must be"),
        ("text", 'output_features.party.loss={"type": "focal"}', "focal fails in training"),
        ("text", 'input_features.text.encoder={"type": "tf_idf"}', "cannot reload a model with tf_idf"),
        ("image", "input_features.image.preprocessing.mode=lazy_cached", "images of another split"),
        ("image", "input_features.image.encoder.model_name=resnet10x", "close to it: resnet10t"),
        ("topics_image", "input_features.image.encoder.model_name=resnet10x", "close to it: resnet10t"),
        ("topics_image", "input_features.image.encoder.trainable_layers=some", "'some' does not match '^all$'"),
        ("topics_text", 'output_features.party.loss={"type": "focal"}', "'focal' is not one of"),
        ("topics_text", "output_features.party.loss.class_weight={}", "did you mean class_weights?"),
    ],
)
def test_what_ludwig_refuses_ignores_or_gets_wrong_is_one_problem(name: str, override: str, complaint: str) -> None:
    (found,) = checks.definition_problems(completed(filled(name, override)))
    assert complaint in found
    assert "\n" not in found


def test_shared_encoders_must_be_such_as_reload() -> None:
    views = ("page", "top", "bottom", "left", "right")
    overrides = [f"input_features.{view}.encoder.model_name=resnet10t" for view in views]
    found = checks.definition_problems(completed(filled("document_regions", *overrides)))
    assert [problem.partition(": ")[0] for problem in found] == [f"input_features.{view}.tied" for view in views[1:]]
    assert "Ludwig cannot reload shared encoders with batch normalisation, as resnet10t has" in found[0]


def test_a_refused_value_hides_no_other_problem() -> None:
    config = filled(
        "text",
        "trainer.epochs=many",
        "input_features.text.encoder.dropout=3",
        'trainer.optimizer={"type": "sgd", "nesterov": true, "momentun": 0.9}',
        "trainer.validation_metric=acuracy",
        "trainer.epoch=3",
        "input_features.text.encoder.num_filter=3",
        'output_features.party.loss={"type": "focal"}',
    )
    found = checks.definition_problems(completed(config))
    told = [problem.removeprefix("Ludwig refuses the definition: ").partition(" ")[0] for problem in found]
    assert sorted(told[:2]) == ["input_features.0.encoder.dropout:", "trainer.epochs:"]
    assert told[2:] == [
        "User-specified",
        "input_features.text.encoder.num_filter:",
        "trainer.optimizer.momentun:",
        "trainer.epoch:",
        "output_features.party.loss.type:",
    ]


def test_an_encoder_that_there_is_not_leaves_its_keys_alone() -> None:
    complete = completed(filled("text", "input_features.text.encoder.type=parallel_cn", "trainr={}"))
    first, second = complete.problems
    assert "input_features.0.encoder.type: 'parallel_cn' is not one of" in first
    assert second.startswith("trainr: Ludwig knows no such key")
    assert complete.full["input_features"][0]["encoder"]["type"] == "parallel_cnn"


def test_what_ludwig_does_not_take_at_all_is_judged_as_written(prepared: Prepared) -> None:
    complete = completed(filled("text", 'input_features.text.encoder={"type": "auto_transformer"}'))
    assert (complete.whole, len(complete.problems)) == (False, 1)
    assert checks.problems(complete, prepared) == complete.problems
    assert checks.problems(completed(filled("text", "input_features=[]")), prepared)


def test_definition_and_data_are_judged_in_one_error(prepared: Prepared) -> None:
    frame = prepared.frame.copy()
    frame.loc[3, "image"], frame.loc[5, "image"] = "", "images/gone.png"
    frame.loc[frame["party"] == "Red", "split"] = "test"
    frame.loc[frame["split"] == "validation", "split"] = "train"
    config = filled("multimodal_small", "trainer.epoch=3", "input_features.text.column=txt")
    found = checks.problems(completed(config), replace(prepared, frame=frame))
    assert len(found) == 6
    with pytest.raises(InputError) as caught:
        checks.report(found)
    for part in (
        "trainer.epoch: Ludwig knows no such key",
        "1 rows have no image (manifest rows 5)",
        "1 files of column image are gone, images/gone.png the first (manifest rows 7)",
        "feature 'text': the manifest has no column 'txt'; did you mean text?",
        "the validation split has no row",
        "class 'Red' has no row in the training split",
    ):
        assert part in caught.value.message


def test_folds_make_the_manifests_split_irrelevant(prepared: Prepared) -> None:
    whole = replace(prepared, frame=prepared.frame.assign(split="test"))
    assert checks.problems(completed(filled("text")), whole, folds=True) == []
    assert len(checks.problems(completed(filled("text")), whole)) == 5


def test_one_class_is_nothing_to_learn(prepared: Prepared) -> None:
    one = replace(prepared, frame=prepared.frame.assign(party="Red"))
    assert checks.problems(completed(filled("text")), one) == ["there is only one class, ['Red']"]


def test_the_output_must_fit_the_number_of_labels_a_row(prepared: Prepared) -> None:
    several = replace(prepared, label=Label("party", multiple=True))
    sets = completed(filled("text", 'output_features=[{"name": "party", "type": "set", "threshold": 0.0}]'))
    assert checks.problems(sets, several) == []
    assert "one label a row and takes one category output" in checks.problems(sets, prepared)[0]
    assert "several labels a row and takes one set output" in checks.problems(completed(filled("text")), several)[0]


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("input_features.text.column=party", "feature 'text': reads 'party', which is what is to be predicted"),
        ("input_features.text.column=row", "feature 'text': every cell of column 'row' is empty"),
        ("output_features.party.column=group", "output_features.party: must be the label, 'party'"),
    ],
)
def test_a_feature_must_read_what_it_can_learn_from(prepared: Prepared, override: str, complaint: str) -> None:
    (found,) = checks.problems(completed(filled("text", override)), prepared)
    assert complaint in found


def test_a_region_that_was_not_prepared_is_called_so(prepared: Prepared) -> None:
    config = completed(filled("image_small", "input_features.image.column=image_top"))
    (found,) = checks.problems(config, prepared)
    assert found == (
        "feature 'image': the region image_top was not prepared; put regions: [top] into the dataset definition and "
        "prepare again, or add --regions top to prepare"
    )
    frame = prepared.frame.assign(image_left=prepared.frame["image"])
    (found,) = checks.problems(config, replace(prepared, frame=frame))
    assert "put regions: [top, left] into the dataset definition" in found
    assert found.endswith("or add --regions top,left to prepare")
    (found,) = checks.problems(completed(filled("image_small", "input_features.image.column=image_tob")), prepared)
    assert "the manifest has no column 'image_tob'" in found


def test_checking_changes_nothing(prepared: Prepared) -> None:
    config = filled("text")
    before = json.dumps(config)
    checks.problems(completed(config), prepared)
    assert json.dumps(config) == before


def test_rows_that_ludwig_would_drop_are_known_before_training(prepared: Prepared) -> None:
    frame = prepared.frame.copy()
    frame.loc[[1, 4], "text"], frame.loc[2, "text"], frame.loc[:, "row"] = "", "NA", "x"
    frame.loc[3, "row"] = "NA"
    gaps = replace(prepared, frame=frame)
    drop = "input_features.text.preprocessing.missing_value_strategy=drop_row"
    assert checks.problems(completed(filled("text")), gaps) == []
    (found,) = checks.problems(completed(filled("text", drop)), gaps)
    assert found.startswith("feature 'text': 2 rows have no text (manifest rows 3, 6), and its missing_value_strategy")
    (found,) = checks.problems(completed(filled("text", drop, "input_features.text.column=row")), gaps)
    assert found.startswith("feature 'text': 1 rows have no row (manifest rows 5)")


@pytest.mark.parametrize(
    ("dataset", "remedy"),
    [
        ({"source": {"type": "table"}, "columns": {"split": "set"}}, "give the class a training page there"),
        ({"source": {"type": "label_files"}, "columns": None}, "give the class a training page there"),
        ({"source": {"type": "folders"}, "split_words": {"dev": "validation"}}, "give the class a training page there"),
        ({"source": {"type": "table"}, "columns": {"split": ""}}, "prepare with --rare drop or --rare other, or"),
        (None, "prepare with --rare drop or --rare other, or"),
    ],
)
def test_the_remedy_for_a_class_without_a_training_row_is_one_that_works(
    prepared: Prepared, dataset: Any, remedy: str
) -> None:
    frame = prepared.frame.assign(source=prepared.frame["split"].replace("validation", "dev") + "/a.png")
    frame.loc[frame["party"] == "Red", "split"] = "test"
    lost = replace(prepared, frame=frame, facts={**prepared.facts, "dataset": dataset})
    (found,) = checks.problems(completed(filled("text")), lost)
    assert found.startswith("class 'Red' has no row in the training split; ")
    assert remedy in found


def test_one_of_several_labels_without_a_training_row_is_named(tiny_topics: Prepared) -> None:
    frame = tiny_topics.frame.copy()
    frame.loc[frame["split"] == "test", "topics"] += "|Chess"
    frame["topics"] = frame["topics"].str.removeprefix("|")
    lost = replace(tiny_topics, frame=frame, facts={**tiny_topics.facts, "classes": {}})
    request = training.Request("any")
    config = training.filled(definitions.find("topics_filename"), lost.label, request)
    (found,) = checks.problems(completed(config), lost)
    assert found.startswith("class 'Chess' has no row in the training split; ")
