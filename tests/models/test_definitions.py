"""Every definition that ships, and how definitions are found, filled and overridden."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from ludwig.decoders.registry import get_decoder_cls
from ludwig.encoders.registry import get_encoder_cls
from ludwig.schema.features.loss.loss import get_loss_cls
from ludwig.utils.tokenizers import tokenizer_registry

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import Label
from leaflet_tool.models import checks, definitions, downloads, training
from leaflet_tool.models.completion import completed
from leaflet_tool.resources import shipped

LABEL = Label("party")
NAMES = sorted(path.stem for path in shipped("ludwig_configs").glob("*.yaml"))
TOPICS = [name for name in NAMES if name.startswith("topics_")]
"""The definitions for several labels a row."""


def filled(name: str, *overrides: str) -> dict[str, Any]:
    return training.filled(definitions.find(name), LABEL, training.Request("any", overrides=overrides))


def feature(name: str, column: str) -> dict[str, Any]:
    return next(each for each in filled(name)["input_features"] if each["name"] == column)


def ours(config: dict[str, Any]) -> list[str]:
    """The encoders, tokenizers, decoders and losses of a definition that Ludwig alone does not have."""
    parts = []
    for each in config["input_features"]:
        parts.append(get_encoder_cls(each["type"], each["encoder"]["type"]))
        parts.append(tokenizer_registry.get(each["preprocessing"].get("tokenizer")))
    for each in config["output_features"]:
        if each["type"] == "set":
            parts += [get_decoder_cls("set", each["decoder"]["type"]), get_loss_cls("set", each["loss"]["type"])]
    return [part.__name__ for part in parts if part and part.__module__.startswith("leaflet_tool.")]


def test_the_definitions_that_the_study_needs_ship() -> None:
    wanted = {"image", "image_small", "text", "text_tfidf", "text_pretrained", "multimodal", "multimodal_small"}
    wanted |= {"topics_image", "topics_text", "topics_filename", "topics_multimodal"}
    wanted |= {"document_128", "document_256", "region_top", "region_bottom", "region_left", "region_right"}
    wanted |= {"document_regions"}
    assert wanted <= set(definitions.names()) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_definition_is_complete_and_ludwig_takes_it(name: str) -> None:
    definition, config = definitions.find(name), filled(name)
    assert definition.description.endswith(".")
    assert len(definition.description) <= 120
    assert "${" not in yaml.safe_dump(config)
    complete = completed(config)
    assert checks.definition_problems(complete) == []
    assert bool(definition.needs) == bool(ours(config) or list(downloads.wanted(complete.full)))


@pytest.mark.parametrize("name", NAMES)
def test_definition_names_what_ludwig_would_choose_in_silence(name: str) -> None:
    config = filled(name)
    assert "hyperopt" not in config
    assert config["combiner"]["type"]
    assert {"batch_size", "eval_batch_size", "epochs", "early_stop", "learning_rate"} <= config["trainer"].keys()
    for each in config["input_features"]:
        assert each["encoder"]["type"]
        assert each["preprocessing"]["missing_value_strategy"] in {"drop_row", "fill_with_const"}


def judged(config: dict[str, Any]) -> list[dict[str, Any]]:
    """The outputs, without how they are learned."""
    learned = ("loss", "decoder")
    return [{key: value for key, value in each.items() if key not in learned} for each in config["output_features"]]


@pytest.mark.parametrize("name", TOPICS)
def test_every_probability_of_several_labels_is_handed_out(name: str) -> None:
    (output,) = filled(name)["output_features"]
    settings = {"tokenizer": "space", "missing_value_strategy": "fill_with_const", "fill_value": ""}
    assert (output["type"], output["threshold"], output["preprocessing"]) == ("set", 0.0, settings)
    assert {"decoder", "loss"} <= output.keys()


def test_the_coherent_definition_differs_by_its_output_alone() -> None:
    flat, coherent = filled("topics_text"), filled("topics_text_coherent")
    parts = {"decoder": {"type": "coherent_classifier"}, "loss": {"type": "coherent_bce", "taxonomy": {}}}
    assert coherent == {**flat, "output_features": [{**flat["output_features"][0], **parts}]}


@pytest.mark.parametrize("name", NAMES)
def test_all_definitions_are_judged_alike(name: str) -> None:
    config, reference = filled(name), filled("topics_text" if name in TOPICS else "text")
    assert config["preprocessing"] == reference["preprocessing"] == {"split": {"type": "fixed", "column": "split"}}
    assert judged(config) == judged(reference)
    for key in ("validation_field", "validation_metric"):
        assert config["trainer"][key] == reference["trainer"][key]


@pytest.mark.parametrize("single", ["image", "image_small", "topics_image"])
def test_a_multimodal_definition_differs_from_its_image_definition_by_the_text_alone(single: str) -> None:
    both = single.replace("image", "multimodal")
    assert feature(both, "image") == feature(single, "image")
    assert filled(both)["trainer"] == filled(single)["trainer"]


@pytest.mark.parametrize(
    ("single", "both"),
    [("text", "multimodal"), ("text_tfidf", "multimodal_small"), ("topics_text", "topics_multimodal")],
)
def test_a_multimodal_definition_reads_the_text_as_its_text_definition_does(single: str, both: str) -> None:
    assert feature(both, "text") == feature(single, "text")


def test_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match="no definition called 'mutimodal'") as caught:
        definitions.find("mutimodal")
    assert caught.value.hint == "did you mean multimodal?"


def test_a_path_is_a_definition_as_well(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("# Mine.\n# Needs: much,\n#   and more\n#\ninput_features: []\noutput_features: []\n")
    found = definitions.find(str(path))
    assert (found.name, found.description, found.needs) == ("mine", "Mine.", "much, and more")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: [1", "line 1"),
        ("- a list", "is no model definition"),
        ("input_features: text", "is no model definition"),
        ("", "is no model definition"),
        (None, "is not a file"),
    ],
)
def test_a_file_that_is_no_definition_is_named(tmp_path: Path, text: str | None, complaint: str) -> None:
    path = tmp_path / "bad.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=complaint) as caught:
        definitions.find(str(path))
    assert str(path) in caught.value.message


def test_slots_are_whole_values_replaced_after_parsing() -> None:
    content = {"a": ["${label}", {"b": "${split}"}], "c": 3}
    assert definitions.fill(content, {"label": "no: [1", "split": "s"}) == {"a": ["no: [1", {"b": "s"}], "c": 3}
    assert content["a"][0] == "${label}"


@pytest.mark.parametrize(
    ("content", "complaint", "hint"),
    [
        ({"a": {"b": ["${labl}"]}}, r"a\.b\.0: there is no slot \$\{labl\}", "did you mean label"),
        ({"a": "x_${label}"}, "a: a slot must be the whole value", "write the slot alone"),
        ({"a": "${labl}", "b": ["x${split}"]}, r"a: there is no slot[\s\S]*b\.0: a slot must be", "mend these"),
    ],
)
def test_bad_slots_are_named_by_their_place(content: Any, complaint: str, hint: str) -> None:
    with pytest.raises(InputError, match=complaint) as caught:
        definitions.fill(content, definitions.slots(LABEL))
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("assignment", "place", "value"),
    [
        ("trainer.learning_rate=3e-4", ("trainer", "learning_rate"), 0.0003),
        ("trainer.use_mixed_precision=true", ("trainer", "use_mixed_precision"), True),
        ("trainer.validation_metric=accuracy", ("trainer", "validation_metric"), "accuracy"),
        ('trainer.validation_metric="1"', ("trainer", "validation_metric"), "1"),
        ("trainer.validation_metric=a=b", ("trainer", "validation_metric"), "a=b"),
        ("input_features.text.encoder.dropout=0.5", ("input_features", 0, "encoder", "dropout"), 0.5),
        ("output_features.party.top_k=2", ("output_features", 0, "top_k"), 2),
        ('combiner={"type": "tabnet"}', ("combiner",), {"type": "tabnet"}),
    ],
)
def test_set_puts_a_value_in_its_place(assignment: str, place: tuple[str | int, ...], value: Any) -> None:
    original = filled("text")
    found: Any = definitions.override(original, [assignment])
    for step in place:
        found = found[step]
    assert found == value
    assert original == filled("text")


@pytest.mark.parametrize(
    ("assignment", "complaint", "hint"),
    [
        ("trainr.epochs=1", "the definition has no trainr", "did you mean trainer?"),
        ("input_features.txt.encoder=1", "the definition has no input_features.txt", "did you mean text?"),
        ("input_features.0.encoder.type=rnn", "the definition has no input_features.0", "there are: text"),
        ("trainer.epochs.most=1", "trainer.epochs is a value, it has no keys", "set trainer.epochs itself"),
        ("backend.type=ray", "backend is no part of the definition", "--backend"),
        ('backend={"type": "ray"}', "backend is no part of the definition", "--backend"),
        ("input_features.text=1", "input_features.text is a whole feature", "set one of its keys"),
        ("trainer.epochs", "must be path=value", "give the key, = and its value"),
        ("", "must be path=value", "give the key, = and its value"),
    ],
)
def test_set_on_a_path_that_does_not_exist_is_an_error(assignment: str, complaint: str, hint: str) -> None:
    with pytest.raises(InputError, match=complaint) as caught:
        filled("text", assignment)
    assert hint in caught.value.hint


def test_all_refused_paths_are_named_together() -> None:
    with pytest.raises(InputError) as caught:
        filled("text", "trainr.epochs=1", "trainer.epochs=2", "trainer.epochs", "input_features.txt.type=text")
    assert [line.partition(": ")[0].removeprefix("  - ") for line in caught.value.message.splitlines()[1:]] == [
        "--set trainr.epochs=1",
        "--set trainer.epochs",
        "--set input_features.txt.type=text",
    ]
    assert "did you mean trainer?" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("features", ['["text"]', '[{"type": "text"}]', "[{}]", "[[1]]"])
def test_a_feature_without_a_name_is_not_found_by_one(features: str) -> None:
    with pytest.raises(InputError, match=r"the definition has no input_features\.text") as caught:
        filled("text", f"input_features={features}", "input_features.text.column=page")
    assert "there are: none" in caught.value.hint


def test_epochs_and_backend_come_last() -> None:
    request = training.Request("any", overrides=("trainer.epochs=7",), epochs=3, backend="ray")
    config = training.filled(definitions.find("text"), LABEL, request)
    assert config["trainer"]["epochs"] == 3
    assert config["backend"]["trainer"]["num_workers"] == 1


def test_a_dumped_definition_reads_back_the_same(tmp_path: Path) -> None:
    config = filled("text_tfidf")
    path = tmp_path / "config.yaml"
    path.write_text(definitions.dump(config, "What it is.\nNeeds: something"))
    found = definitions.read(path)
    assert (found.content, found.description, found.needs) == (config, "What it is.", "something")


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("trainer.epochs", True),
        ("trainer.new_key", True),
        ("input_features.text.encoder.type", True),
        ("input_features.image.encoder.type", False),
        ("output_features.${label}.loss", True),
        ("trainer.epochs.more", False),
    ],
)
def test_a_definition_says_whether_it_has_a_place(path: str, there: bool) -> None:
    assert definitions.has(definitions.find("text_tfidf").content, path) is there
