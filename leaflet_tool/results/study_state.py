"""How far a row of a study is: at which of the seeds its run was finished, and what became of the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leaflet_tool.models import runs
from leaflet_tool.models.runs import Run
from leaflet_tool.results.study_runs import Job


@dataclass(frozen=True)
class State:
    """A row's runs in words; `lacking` and `problem` are empty where all of them were finished."""

    words: str
    lacking: str
    """The seeds that are not finished, with their states."""
    problem: str
    """Why the first of these failed."""


def finished(jobs: Sequence[Job]) -> dict[int, Run]:
    """The finished runs by their seeds."""
    return {job.seed: run for job in jobs if (run := job.run) and run.state == runs.DONE}


def of(jobs: Sequence[Job]) -> State:
    """The state of a row, given all of its runs."""
    others = [job for job in jobs if job.state != runs.DONE]
    lacking = _told({job.seed: job.state for job in others})
    problem = next((job.problem for job in others if job.problem), "")
    if len(others) == len(jobs) and all(job.state == runs.FAILED for job in jobs):
        return State(f"failed: {problem}", lacking, problem)
    done = f"{len(jobs) - len(others)} of {len(jobs)} seeds"
    whole = _told({job.seed: f"{job.state}: {job.problem}" if job.problem else job.state for job in others})
    return State("; ".join(filter(None, [done, whole])), lacking, problem)


def at(seeds: Sequence[int]) -> str:
    """Seeds in words."""
    return f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"


def _told(words: Mapping[int, str]) -> str:
    """What is said of each seed, those of which the same is said together."""
    seeds: dict[str, list[int]] = {}
    for seed, said in words.items():
        seeds.setdefault(said, []).append(seed)
    return "; ".join(f"{at(each)} {said}" for said, each in seeds.items())
