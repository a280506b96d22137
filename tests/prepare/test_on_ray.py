"""Pages read on a real Ray cluster of several nodes on this machine, one of which is killed."""

import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pytest
import ray
from ray import cloudpickle
from ray.cluster_utils import Cluster

from leaflet_tool.errors import InputError, MissingError
from leaflet_tool.prepare import ocr_cache, on_ray
from leaflet_tool.prepare.dataset import load, overridden
from leaflet_tool.prepare.images import page_digest
from leaflet_tool.prepare.ocr import tesseract_version
from leaflet_tool.prepare.reading import Page, Reading
from leaflet_tool.prepare.readings import read_pages
from leaflet_tool.prepare.recipe import prepare
from tests.prepare import fake_tesseract
from tests.prepare.fake_tesseract import VERSION

FAKE = """
parent = lambda process: pathlib.Path(f"/proc/{{process}}/stat").read_text().rpartition(")")[2].split()[1]
worker = parent(os.getppid())
on_ray = b"ray::" in pathlib.Path(f"/proc/{{worker}}/cmdline").read_bytes()

def read(image):
    content = image.read_bytes()
    with open("{notes}", "a") as notes:
        print(parent(worker), file=notes)
    if content.endswith(b"\\0") and on_ray:
        os.kill(int(worker), signal.SIGKILL)
    time.sleep(0.1)
    return "90\\t" + hashlib.sha256(content).hexdigest()
"""
"""A Tesseract that reads a page's digest, notes by which raylet it was run, and kills Ray's worker over a dark page."""
NODE: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 100 * 1024**2, "include_dashboard": False}
FOLDERS = overridden(load("class_folders"), {"ocr.orientation": "none"})


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("notes") / "calls"


@pytest.fixture(scope="module", autouse=True)
def fake(notes: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The fake is the Tesseract that this process, and all it starts, find."""
    program = fake_tesseract.write(tmp_path_factory.mktemp("bin"), FAKE.format(notes=notes))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        yield


@pytest.fixture(scope="module")
def cluster(fake: None) -> Iterator[Cluster]:
    """Two nodes of one processor each."""
    cluster = Cluster(initialize_head=True, head_node_args=NODE)
    try:
        cluster.add_node(**NODE)
        yield cluster
    finally:
        cluster.shutdown()


Draw = Callable[..., Path]


@pytest.fixture
def drawn(tmp_path: Path, draw: Draw) -> Callable[[int], list[Page]]:
    """So many pages, all different."""

    def pages(count: int) -> list[Page]:
        return [page(draw(tmp_path / "drawn" / f"{n}.png", str(n), size=(100, 100))) for n in range(count)]

    return pages


def page(path: Path, language: str = "eng") -> Page:
    return Page(path, 0, page_digest(path, 0), language, 3, "none")


def on(cluster: Cluster, pages: list[Page], tesseract: str = VERSION) -> list[Reading]:
    return read_pages(pages, tesseract, backend="ray", ray_address=cluster.address)


def forget() -> None:
    shutil.rmtree(ocr_cache.cache_path().parent)


def test_the_manifest_is_that_of_the_local_backend(cluster: Cluster, tmp_path: Path, draw: Draw) -> None:
    for number in range(12):
        draw(tmp_path / "in" / "ab"[number % 2] / f"{number}.png", f"page {number}", size=(300, 200))
    shutil.copy(tmp_path / "in" / "a" / "0.png", tmp_path / "in" / "b" / "copy.png")
    prepare(tmp_path / "in", tmp_path / "local", FOLDERS)
    forget()
    seen: list[int] = []

    def progress[T](items: Any, *, total: int, title: str) -> Iterator[T]:
        for item in items:
            seen.append(total)
            yield item

    address = cluster.address
    prepare(tmp_path / "in", tmp_path / "ray", FOLDERS, backend="ray", ray_address=address, progress=progress)
    manifest = (tmp_path / "ray" / "manifest.csv").read_bytes()
    assert manifest == (tmp_path / "local" / "manifest.csv").read_bytes()
    assert manifest.count(b",read,") == 13
    assert Counter(seen)[12] == 12
    assert ocr_cache.summary(ocr_cache.cache_path()).entries == 12
    assert not ray.is_initialized()
    assert all(node.any_processes_alive() for node in cluster.list_all_nodes())


def test_a_node_that_dies_costs_time_and_no_rows(
    cluster: Cluster, drawn: Callable[[int], list[Page]], notes: Path
) -> None:
    pages = drawn(40)
    here = read_pages(pages, VERSION)
    forget()
    notes.write_text("")
    node = cluster.add_node(**NODE)
    raylet = str(node.all_processes["raylet"][0].process.pid)

    def kill() -> None:
        while raylet not in notes.read_text().split():
            time.sleep(0.02)
        cluster.remove_node(node, allow_graceful=False)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    found = on(cluster, pages)
    killer.join(timeout=30)
    assert not killer.is_alive()
    assert found == here
    assert all(reading.status == "read" for reading in found)
    assert len(notes.read_text().split()) > 40


def test_a_page_that_ends_its_workers_is_failed_and_alone(
    cluster: Cluster,
    drawn: Callable[[int], list[Page]],
    draw: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(on_ray, "RETRIES", 1)
    pages = [*drawn(8), page(draw(tmp_path / "dark.png", colour="black", size=(100, 100)))]
    found = on(cluster, [pages[8], *pages[:8]])
    assert [reading.status for reading in found] == ["failed"] + ["read"] * 8
    assert found[0].problem == "ended its worker on every node"


def test_a_path_that_a_node_does_not_see_is_named(
    cluster: Cluster, tmp_path: Path, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(tmp_path / "page.png", "here")
    monkeypatch.chdir(tmp_path)
    unseen = page(Path("/proc/self/cwd/page.png"))
    with pytest.raises(InputError, match=r"node \S+ does not see /proc/self/cwd/page.png") as caught:
        on(cluster, [unseen])
    assert "a disk that all nodes share" in caught.value.hint


def test_a_path_that_nobody_sees_is_a_failed_page(cluster: Cluster, drawn: Callable[[int], list[Page]]) -> None:
    (first, second) = drawn(2)
    found = on(cluster, [replace(first, digest="other"), second])
    assert [reading.status for reading in found] == ["failed", "read"]
    assert found[0].problem == "it is gone or was changed after it was copied"


def test_another_tesseract_on_a_node_is_an_error(cluster: Cluster, drawn: Callable[[int], list[Page]]) -> None:
    with pytest.raises(InputError, match=r"node \S+ has Tesseract 5.9.9, and where prepare was started it is 5.3.0"):
        on(cluster, drawn(1), "5.3.0")


def test_a_language_that_a_node_lacks_is_an_error(cluster: Cluster, tmp_path: Path, draw: Draw) -> None:
    with pytest.raises(MissingError, match=r"node \S+: Tesseract has no language pack 'cym'") as caught:
        on(cluster, [page(draw(tmp_path / "a.png"), "cym")])
    assert "tesseract-ocr-cym" in caught.value.hint


def test_a_node_without_leaflet_tool_says_so() -> None:
    script = (
        "import pickle, sys\n"
        "sys.modules['leaflet_tool'] = None\n"
        "task, table = pickle.load(sys.stdin.buffer)\n"
        "sys.stdout.buffer.write(task(table)['found'][0].as_py())"
    )
    given = cloudpickle.dumps((on_ray._task(VERSION, "1"), pa.table({"batch": [b""]})))
    done = subprocess.run([sys.executable, "-c", script], input=given, capture_output=True, check=True)
    told = on_ray._told(pickle.loads(done.stdout))  # noqa: S301 - from our own task
    assert isinstance(told, MissingError)
    assert re.match(r"leaflet-tool does not start on node \S+: .*leaflet_tool", told.message)


@pytest.mark.parametrize(("pages", "processors"), [(0, 2), (1, 2), (7, 2), (66, 2), (1000, 3), (40, 64)])
def test_batches_hold_every_page_and_end_small(pages: int, processors: int) -> None:
    made = on_ray.batches(range(pages), processors)
    assert [page for batch in made for page in batch] == [*range(pages)]
    sizes = [len(batch) for batch in made]
    assert sizes == sorted(sizes, reverse=True)
    assert max(sizes, default=0) <= 16
    assert sizes[-processors:] == [1] * min(pages, processors)


def test_a_cluster_that_does_not_answer_is_said_before_anything_is_done(class_folders: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no Ray cluster answers at 127.0.0.1:1"):
        prepare(class_folders, tmp_path / "out", FOLDERS, backend="ray", ray_address="127.0.0.1:1")
    assert not (tmp_path / "out").exists()


def test_ctrl_c_keeps_what_was_read_and_leaves_no_process(tmp_path: Path, draw: Draw, notes: Path) -> None:
    for number in range(100):
        draw(tmp_path / "in" / "ab"[number % 2] / f"{number}.png", str(number), size=(100, 100))
    notes.write_text("")
    command = [sys.executable, "-m", "leaflet_tool.cli.main", "prepare", tmp_path / "in", "--out", tmp_path / "out"]
    flags = ["--orientation", "none", "--backend", "ray", "--workers", "2"]
    with subprocess.Popen([*command, *flags], stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and ocr_cache.summary(ocr_cache.cache_path()).entries == 0:
            time.sleep(0.1)
        started = psutil.Process(process.pid).children(recursive=True)
        names = [child.name() for child in started]
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
    _, alive = psutil.wait_procs(started, timeout=10)
    assert "raylet" in names
    assert alive == []
    assert 0 < ocr_cache.summary(ocr_cache.cache_path()).entries < 100


def test_a_cluster_of_our_own_reads_with_the_real_tesseract_and_leaves_nothing(
    tmp_path: Path, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.environ["PATH"].partition(":")[2]
    if not shutil.which("tesseract", path=real):
        pytest.skip("Tesseract is not installed")
    monkeypatch.setenv("PATH", real)
    monkeypatch.chdir(tmp_path)
    for number, word in enumerate(["Green", "Red", "Blue", "Yellow"]):
        draw(tmp_path / "in" / "ab"[number % 2] / f"{word}.png", f"Vote {word}")
    definition = load("class_folders")
    before = set(psutil.Process().children(recursive=True))
    prepare(Path("in"), Path("ray"), definition, backend="ray", workers=2)
    left = set(psutil.Process().children(recursive=True)) - before
    _, alive = psutil.wait_procs(left, timeout=5)
    assert alive == []
    forget()
    prepare(Path("in"), Path("local"), definition)
    manifest = Path("ray", "manifest.csv").read_text()
    assert manifest == Path("local", "manifest.csv").read_text()
    assert "Vote Yellow" in manifest
    assert tesseract_version("eng") != VERSION
