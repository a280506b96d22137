"""Search spaces as files: found, read, filled, counted, and merged into Ludwig's section."""

from dataclasses import replace
from pathlib import Path

import pytest

from leaflet_tool.errors import InputError
from leaflet_tool.models import definitions, search_space
from leaflet_tool.models.search_space import SearchSpace
from leaflet_tool.resources import shipped

GOOD = """# Learning rates.
parameters:
  trainer.learning_rate: {space: loguniform, lower: 0.001, upper: 0.1}
"""


@pytest.fixture
def write(tmp_path: Path):
    def written(text: str, name: str = "mine.yaml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return written


def test_a_file_says_what_it_varies_and_loss_is_minimised_by_default(write) -> None:
    space = search_space.read(write(GOOD))
    assert space.description == "Learning rates."
    assert (space.goal, space.metric) == ("minimize", "loss")
    assert space.parameters == {"trainer.learning_rate": {"space": "loguniform", "lower": 0.001, "upper": 0.1}}


def test_a_written_space_reads_as_it_was(write) -> None:
    space = SearchSpace("maximize", "roc_auc", {"trainer.batch_size": {"space": "choice", "categories": [8]}}, "Sizes.")
    assert search_space.read(write(search_space.dump(space))) == space


@pytest.mark.parametrize("name", sorted(path.stem for path in (shipped("ludwig_configs") / "search").glob("*.yaml")))
def test_each_shipped_space_belongs_to_a_definition_and_describes_itself(name: str) -> None:
    space = search_space.find(None, definitions.find(name))
    assert space.description.endswith(".")


def test_the_space_beside_a_definition_is_found_by_its_name(write) -> None:
    definition = definitions.find("text_tfidf")
    beside = replace(definition, name="own", path=write(GOOD, "own.yaml"))
    write(GOOD.replace("0.001", "0.01"), "search/own.yaml")
    assert search_space.find(None, beside).parameters["trainer.learning_rate"]["lower"] == 0.01


def test_another_space_is_taken_by_name_or_path(write) -> None:
    definition = definitions.find("text_tfidf")
    assert search_space.find("image_small", definition) == search_space.find(None, definitions.find("image_small"))
    assert search_space.find(str(write(GOOD)), definition).description == "Learning rates."


def test_an_unknown_space_is_named_with_the_nearest() -> None:
    with pytest.raises(InputError, match="no search space called 'text_tfdif'") as error:
        search_space.find("text_tfdif", definitions.find("text_tfidf"))
    assert "did you mean text_tfidf?" in error.value.hint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("parameters: {}", "must name at least one"),
        ("- 1", "must have the key parameters"),
        ("paramters: {a: {space: uniform}}", "there is no key 'paramters'; did you mean parameters?"),
        ("goal: best\nparameters: {a: {space: uniform}}", "goal: must be minimize or maximize, not 'best'"),
        ("parameters: {trainer.batch_size: [8, 16]}", "parameters.trainer.batch_size: must say what it is drawn from"),
        ("a: [", "not readable as YAML"),
    ],
)
def test_a_file_of_another_shape_is_refused_by_name(write, text: str, message: str) -> None:
    path = write(text)
    with pytest.raises(InputError) as error:
        search_space.read(path)
    assert message in error.value.message
    assert str(path) in error.value.message


def test_slots_are_filled_in_paths_and_values() -> None:
    domain = {"space": "choice", "categories": ["${label}", "plain"]}
    space = SearchSpace("minimize", "loss", {"output_features.${label}.top_k": domain})
    filled = search_space.filled(space, {"label": "party"})
    assert filled.parameters == {
        "output_features.party.top_k": {"space": "choice", "categories": ["party", "plain"]},
    }


def test_an_unknown_slot_names_its_parameter() -> None:
    space = SearchSpace("minimize", "loss", {"output_features.${lable}.top_k": {"space": "randint"}})
    with pytest.raises(InputError, match=r"output_features\.\$\{lable\}\.top_k.*there is no slot"):
        search_space.filled(space, {"label": "party"})


def test_a_grid_multiplies_the_samples() -> None:
    grid = {"space": "grid_search", "values": [1, 2, 3]}
    space = SearchSpace("minimize", "loss", {"a": grid, "b": {"space": "uniform", "lower": 0, "upper": 1}, "c": grid})
    assert search_space.count(space, 2) == 18


def test_values_become_assignments_that_override_takes() -> None:
    content = {"trainer": {"learning_rate": 1.0}, "input_features": [{"name": "text", "encoder": {}}]}
    values = {"trainer.learning_rate": 1.5e-05, "input_features.text.encoder.type": "no"}
    changed = definitions.override(content, search_space.assignments(values))
    assert changed["trainer"] == {"learning_rate": 1.5e-05}
    assert changed["input_features"] == [{"name": "text", "encoder": {"type": "no"}}]


def test_the_section_searches_at_random_on_validation_and_stops_bad_trials() -> None:
    parameters = {"trainer.batch_size": {"space": "choice", "categories": [8, 16]}}
    space = SearchSpace("minimize", "loss", parameters)
    section = search_space.section(space, "party", epochs=20, samples=6, seconds=60, concurrent=None)
    assert (section["goal"], section["metric"], section["output_feature"]) == ("minimize", "loss", "party")
    assert section["split"] == "validation"
    assert section["parameters"] == parameters
    assert section["search_alg"] == {"type": "variant_generator"}
    executor = section["executor"]
    assert (executor["num_samples"], executor["time_budget_s"]) == (6, 60)
    assert executor["scheduler"]["type"] == "async_hyperband"
    assert executor["scheduler"]["max_t"] == 20


def test_a_short_training_shortens_the_grace_period() -> None:
    space = SearchSpace("minimize", "loss", {"trainer.batch_size": {"space": "choice", "categories": [8]}})
    section = search_space.section(space, "party", epochs=1, samples=1, seconds=60, concurrent=None)
    assert section["executor"]["scheduler"]["grace_period"] == 1
