"""What is wrong with a search is known before any trial: paths, ranges, values, metric and goal."""

from typing import Any

import pytest

from leaflet_tool.manifest import Label
from leaflet_tool.models import definitions, search_checks, search_space
from leaflet_tool.models.search_space import SearchSpace
from leaflet_tool.resources import shipped

SLOTS = definitions.slots(Label("party"))
RANGE = {"space": "uniform", "lower": 0.1, "upper": 0.3}


def config_of(name: str, *overrides: str) -> dict[str, Any]:
    return definitions.override(definitions.fill(definitions.find(name).content, SLOTS), overrides)


def problems(parameters: dict[str, Any], *overrides: str, goal: str = "minimize", metric: str = "loss") -> list[str]:
    return search_checks.problems(SearchSpace(goal, metric, parameters), config_of("text_tfidf", *overrides))


@pytest.mark.parametrize("name", sorted(path.stem for path in (shipped("ludwig_configs") / "search").glob("*.yaml")))
def test_nothing_is_wrong_with_a_shipped_space(name: str) -> None:
    space = search_space.filled(search_space.find(name, definitions.find(name)), SLOTS)
    assert search_checks.problems(space, config_of(name)) == []


def test_every_path_that_cannot_be_varied_is_named_in_one_report() -> None:
    messages = {
        "trainer.lerning_rate": "the definition has no trainer.lerning_rate; did you mean learning_rate?",
        "input_features.txt.encoder.type": "the definition has no input_features.txt; did you mean text?",
        "trainer.learning_rate.start": "the definition has no trainer.learning_rate.start",
        "trainer.epochs": "must be the same in all trials",
        "preprocessing.sample_ratio": "must be the same in all trials",
        "output_features.party.loss.weight": "losses of different kinds can't be compared",
        "trainer.gradient_clipping.clipglobalnorm": "does not spell out trainer.gradient_clipping",
    }
    found = problems(dict.fromkeys(messages, RANGE))
    assert len(found) == len(messages)
    for problem, (path, message) in zip(found, messages.items(), strict=True):
        assert problem.startswith(f"{path}: ")
        assert message in problem


def test_every_domain_that_ray_would_refuse_or_misread_is_named_in_one_report() -> None:
    domains: dict[str, tuple[Any, str]] = {
        "trainer.learning_rate": ({"space": "logunifrm", "lower": 1, "upper": 2}, "did you mean loguniform?"),
        "trainer.batch_size": ({"space": "uniform", "lower": 1}, "uniform needs upper"),
        "trainer.eval_batch_size": ({**RANGE, "low": 1}, "uniform has no low; did you mean lower?"),
        "trainer.early_stop": ({"space": "randint", "lower": 2, "upper": 1}, "lower 2 must be less than upper 1"),
        "trainer.regularization_lambda": ({**RANGE, "lower": "1e-3"}, "lower must be a number, not '1e-3'"),
        "trainer.gradient_clipping": ({"space": "loguniform", "lower": 0, "upper": 1}, "lower bound greater than 0"),
        "trainer.regularization_type": ({"space": "choice", "categories": []}, "must be a list with something in it"),
        "trainer.should_shuffle": ({"space": "grid_search", "values": 3}, "must be a list with something in it"),
    }
    found = problems({path: domain for path, (domain, _) in domains.items()})
    assert len(found) == len(domains)
    for problem, (path, (_, message)) in zip(found, domains.items(), strict=True):
        assert problem.startswith(f"{path}: ")
        assert message in problem


def test_a_value_that_ludwig_refuses_is_found_without_a_trial() -> None:
    kinds = {"space": "choice", "categories": ["concat", "conact"]}
    (problem,) = problems({"combiner.type": kinds, "trainer.batch_size": {"space": "choice", "categories": [8, 16]}})
    assert problem.startswith('combiner.type="conact", trainer.batch_size=16: Ludwig refuses the definition')


def test_a_section_that_a_trial_would_merge_and_set_would_replace_is_refused() -> None:
    sections = {"space": "choice", "categories": [{"type": "sublinear_tf_idf"}]}
    overrides = ('input_features.text.encoder={"type": "parallel_cnn", "num_filters": 8}',)
    (problem,) = problems({"input_features.text.encoder": sections}, *overrides)
    assert "vary single keys" in problem


@pytest.mark.parametrize(
    ("goal", "metric", "message"),
    [
        ("maximize", "loss", "goal: loss is to minimize, not to maximize"),
        ("minimize", "accuracy_micro", "goal: accuracy_micro is to maximize"),
        ("maximize", "acuracy", "metric: Ludwig reports no 'acuracy' here; did you mean accuracy?"),
        ("minimize", "jaccard", "metric: Ludwig reports no 'jaccard' here"),
    ],
)
def test_a_metric_must_be_reported_and_go_the_right_way(goal: str, metric: str, message: str) -> None:
    (problem,) = problems({"trainer.learning_rate": RANGE}, goal=goal, metric=metric)
    assert problem.startswith(message)


def test_early_stopping_needs_one_evaluation_an_epoch() -> None:
    (problem,) = problems({"trainer.learning_rate": RANGE}, "trainer.checkpoints_per_epoch=2")
    assert problem.startswith("trainer.checkpoints_per_epoch: must be 0 in a search")
