"""A review in a real browser: by keyboard, by two at once, without scripts, on a phone, and through a killed server."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect, sync_playwright

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import read_prepared, read_table, write_manifest
from leaflet_tool.results import findings as table
from leaflet_tool.results.review import Review
from leaflet_tool.results.review_export import export
from leaflet_tool.web.review_app import application
from leaflet_tool.web.serving import listen
from tests.reviews import finding, party_audit, subject_audit, write_audit

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
PATIENCE = 20_000
"""Milliseconds that a step may take on a busy machine."""
type Visit = Callable[..., Page]

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no browser is installed")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Visit]:
    """`visit(address, …)` opens a page in a context of its own; whatever goes wrong in its scripts fails the test."""
    contexts, wrong = [], []

    def visit(address: str, width: int = 1280, height: int = 800, **how: Any) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": height}, **how)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: (wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.goto(address)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert wrong == []


@contextmanager
def served(audit: Path) -> Iterator[tuple[str, Review]]:
    """The review served by a thread of this process, and where."""
    review = Review(audit)
    listening, address = listen(audit, 0)
    server = uvicorn.Server(uvicorn.Config(application(review, address), log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield address.url, review
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
        review.close()


def at(page: Page, rank: int) -> None:
    """Waits for the page of a finding, and for its script unless there is none."""
    expect(page.locator(".crumbs")).to_contain_text(f"Finding {rank} of")
    expect(page.locator("#page")).not_to_have_attribute("aria-busy", "true")
    if page.evaluate("matchMedia('(scripting: enabled)').matches"):
        expect(page.locator("html.js")).to_have_count(1)


def press(page: Page, key: str, rank: int) -> None:
    """A key, and the finding that comes after it."""
    page.keyboard.press(key)
    at(page, rank)


def decided(review: Review) -> list[tuple[str, str, str]]:
    return [(entry.subject.pages[0], entry.decision, entry.label) for entry in review.decisions.live()]


def test_a_review_by_keyboard_alone(visit: Visit, tiny_prepared: Path, tmp_path: Path) -> None:
    with served(party_audit(tmp_path / "audit", tiny_prepared)) as (address, review):
        page = visit(address)
        page.keyboard.type("anna")
        press(page, "Enter", 1)
        expect(page.locator("#title")).to_have_text("Red, or rather Green?")
        page.keyboard.press("ArrowRight")
        expect(page.locator(".leaf.shown")).to_have_attribute("id", "leaf2")
        page.keyboard.press("+")
        expect(page.locator("#zoom")).to_have_text("150 %")
        page.keyboard.press("0")
        expect(page.locator("#zoom")).to_have_text("fit")
        press(page, "a", 2)
        expect(page.locator(".notice")).to_contain_text("Recorded: finding 1: change to Green")
        expect(page.locator("#live")).to_contain_text("Recorded: finding 1: change to Green")
        press(page, "z", 1)
        press(page, "Enter", 2)  # accepts as well
        page.keyboard.press("c")
        page.keyboard.type("gre")
        press(page, "Enter", 3)
        press(page, "2", 4)  # the second suggestion
        page.keyboard.press("m")
        expect(page.locator("#several")).to_have_attribute("open", "")
        press(page, "Enter", 5)
        press(page, "s", 6)
        press(page, "u", 7)
        press(page, "k", 8)
        press(page, "k", 5)  # the skipped one comes again
        page.keyboard.press("k")
        expect(page.locator("#title")).to_have_text("Nothing is left to decide here")
        assert decided(review) == [
            ("red0p1", "change", "Green"),
            ("red1p1", "change", "Green"),
            ("blue2p1", "change", "Green"),
            ("green3p1", "several", "Green|Blue"),
            ("green5p1", "unclear", "Green"),
            ("blue6p1", "keep", "Blue"),
            ("red7p1", "keep", "Red"),
            ("green4p1", "keep", "Green"),
        ]
        export(review, tmp_path / "out.csv")
    rows = read_table(tmp_path / "out.csv").drop_duplicates("finding")
    assert dict(zip(rows["id"], zip(rows["decision"], rows["label"], strict=True), strict=True)) == {
        "red0p1": ("change", "Green"),
        "red1p1": ("change", "Green"),
        "blue2p1": ("change", "Green"),
        "green3p1": ("several", "Green|Blue"),
        "green5p1": ("unclear", "Green"),
        "blue6p1": ("keep", "Blue"),
        "red7p1": ("keep", "Red"),
        "green4p1": ("keep", "Green"),
    }


def test_a_set_of_labels_by_keyboard(visit: Visit, tiny_subjects: Path, tmp_path: Path) -> None:
    with served(subject_audit(tmp_path / "audit", tiny_subjects)) as (address, review):
        page = visit(f"{address}as/anna/")
        at(page, 1)
        names = page.locator("#several .ticks bdi").all_text_contents()
        page.keyboard.press("c")
        for place, name in enumerate(names[:9], start=1):
            if (name in ("Plants", "Nature")) != page.locator(f'[data-tick="{place}"]').is_checked():
                page.keyboard.press(str(place))
        press(page, "Enter", 2)
        page.keyboard.press("m")
        page.locator("#more").focus()
        page.keyboard.type("poli")
        page.keyboard.down("Enter")
        page.keyboard.down("Enter")  # held down, it does not send the form as well
        page.keyboard.up("Enter")
        expect(page.locator('input[value="Politics"]')).to_be_checked()
        at(page, 2)
        press(page, "Enter", 3)
        first, second = (set(label.split("|")) for _, _, label in decided(review))
    assert first == {"Plants", "Nature"}
    assert "Politics" in second


def test_two_reviewers_at_once_do_not_get_the_same_finding(visit: Visit, tiny_prepared: Path, tmp_path: Path) -> None:
    with served(party_audit(tmp_path / "audit", tiny_prepared)) as (address, review):
        pages = {name: visit(f"{address}?as={name}") for name in ("anna", "bert")}
        at(pages["anna"], 1)
        at(pages["bert"], 2)
        for turn in range(1, 5):
            for name, page in pages.items():
                page.keyboard.press("k" if name == "anna" else "u")
                page.locator(".progress b", has_text=str(2 * turn - (name == "anna"))).wait_for()
                expect(page.locator("#page")).not_to_have_attribute("aria-busy", "true")
        first = review.decisions.live()
        assert [entry.reviewer for entry in first] == ["anna", "bert"] * 4
        assert len({entry.subject.finding for entry in first}) == 8
        # what the other has decided is offered last, and shown as such
        pages["anna"].goto(f"{address}as/anna/")
        at(pages["anna"], 2)
        expect(pages["anna"].locator(".said")).to_contain_text("bert: unclear")
        pages["anna"].keyboard.press("k")
        expect(pages["anna"].locator(".notice")).to_contain_text("Recorded: finding 2: keep")
        pages["bert"].goto(f"{address}as/bert/overview?state=conflict")
        expect(pages["bert"].locator("tr.conflict")).to_contain_text("conflict")
        assert len(review.decisions.live()) == 9


@contextmanager
def process(audit: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The review as a user starts it, and its address."""
    command = [
        sys.executable,
        "-m",
        "leaflet_tool.cli.main",
        "--json",
        "review",
        str(audit),
        "--no-browser",
        "--as",
        "anna",
    ]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    try:
        assert server.stdout
        lines = iter(server.stdout.readline, "")
        told = ""
        for line in lines:
            told += line
            if line == "}\n":
                break
        yield server, json.loads(told)["address"]
    finally:
        server.kill()
        server.communicate()


def test_a_killed_server_has_what_the_page_said_and_the_page_finds_the_next_one(
    visit: Visit, tiny_prepared: Path, tmp_path: Path
) -> None:
    audit = party_audit(tmp_path / "audit", tiny_prepared)
    with process(audit) as (server, address):
        page = visit(address)
        at(page, 1)
        press(page, "a", 2)
        expect(page.locator(".notice")).to_contain_text("Recorded: finding 1: change to Green")
        server.send_signal(signal.SIGKILL)
        server.wait()
    with_it = Review(audit)
    assert decided(with_it) == [("red0p1", "change", "Green")]
    with_it.close()
    page.keyboard.press("k")
    expect(page.locator("#trouble")).to_contain_text("Nothing is recorded yet")
    with process(audit) as (server, again):
        assert again == address
        at(page, 3)
        expect(page.locator("#trouble")).to_be_hidden()
        expect(page.locator(".notice")).to_contain_text("Recorded: finding 2: keep")
        server.send_signal(signal.SIGINT)
        _, said = server.communicate(timeout=PATIENCE / 1000)
        assert server.returncode == 0, said
        assert "decided 2 of 8 findings" in said
    command = [sys.executable, "-m", "leaflet_tool.cli.main", "--json", "review", "export", str(audit)]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True
    )
    assert json.loads(done.stdout)["decisions"] == {"keep": 1, "change": 1, "several": 0, "unclear": 0, "conflict": 0}
    rows = read_table(audit / "corrections.csv")
    assert rows[["id", "label", "decision"]].values.tolist() == [
        ["red0p1", "Green", "change"],
        ["red0p2", "Green", "change"],
        ["red1p1", "Red", "keep"],
        ["red1p2", "Red", "keep"],
    ]


def test_what_cannot_be_written_is_said_beside_the_finding_and_sent_again_by_the_next_key(
    visit: Visit, tiny_prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise InputError("review.sqlite: database or disk is full")

    with served(party_audit(tmp_path / "audit", tiny_prepared)) as (address, review):
        page = visit(f"{address}as/anna/")
        at(page, 1)
        with monkeypatch.context() as broken:
            broken.setattr(review.decisions, "record", full)
            page.keyboard.press("k")
            expect(page.locator("#trouble")).to_have_text(
                "Nothing was recorded: review.sqlite: database or disk is full"
            )
            at(page, 1)
        press(page, "k", 2)
        expect(page.locator("#trouble")).to_be_hidden()
        assert decided(review) == [("red0p1", "keep", "Red")]


def test_a_key_that_is_held_down_decides_one_finding(visit: Visit, tiny_prepared: Path, tmp_path: Path) -> None:
    with served(party_audit(tmp_path / "audit", tiny_prepared)) as (address, review):
        page = visit(f"{address}as/anna/")
        at(page, 1)
        for key, rank in (("k", 2), ("Enter", 3)):
            page.keyboard.down(key)
            at(page, rank)
            page.keyboard.down(key)
            page.wait_for_timeout(300)
            at(page, rank)
            page.keyboard.up(key)
        assert [decision for _, decision, _ in decided(review)] == ["keep", "change"]


def test_a_class_that_is_refused_can_be_typed_again_at_once(visit: Visit, tiny_prepared: Path, tmp_path: Path) -> None:
    with served(party_audit(tmp_path / "audit", tiny_prepared)) as (address, review):
        page = visit(f"{address}as/anna/")
        at(page, 1)
        page.keyboard.press("c")
        page.keyboard.type("grx")
        page.keyboard.press("Enter")
        expect(page.locator(".problem")).to_contain_text("There is no class “grx”")
        expect(page.locator("#label")).to_be_focused()
        page.keyboard.type("gre")
        press(page, "Enter", 2)
        assert decided(review) == [("red0p1", "change", "Green")]


def test_the_way_to_the_content_leaves_the_page_as_it_is_and_back_goes_back(
    visit: Visit, tiny_prepared: Path, tmp_path: Path
) -> None:
    with served(party_audit(tmp_path / "audit", tiny_prepared)) as (address, _):
        page = visit(f"{address}as/anna/")
        at(page, 1)
        page.keyboard.press("+")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.locator(".jump").focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**#main")
        page.wait_for_timeout(300)
        assert not [each for each in asked if "/finding/" in each]
        expect(page.locator("#zoom")).to_have_text("150 %")
        press(page, "s", 2)
        page.go_back()
        at(page, 1)


def test_without_scripts_the_forms_work(visit: Visit, tiny_prepared: Path, tmp_path: Path) -> None:
    with served(party_audit(tmp_path / "audit", tiny_prepared)) as (address, review):
        page = visit(address, java_script_enabled=False)
        page.get_by_label("Your name").fill("anna")
        page.get_by_role("button", name="Begin").click()
        page.get_by_role("button", name="Accept Green").click()
        at(page, 2)
        page.get_by_text("Change to another class").click()
        page.get_by_label("Search the classes").fill("green")
        page.get_by_role("button", name="Change", exact=True).click()
        at(page, 3)
        page.get_by_role("link", name="Skip").click()
        at(page, 4)
        page.get_by_text("Shows several").click()
        page.get_by_role("button", name="Shows these").click()
        at(page, 5)
        page.get_by_role("button", name="Undo").click()
        at(page, 4)
        assert decided(review) == [("red0p1", "change", "Green"), ("red1p1", "change", "Green")]


def test_text_with_markup_is_text_and_pages_fit_a_phone(visit: Visit, tiny_prepared: Path, tmp_path: Path) -> None:
    hostile = "<img src=x onerror=alert(1)><script>alert(2)</script>" + "W" * 90
    folder = tmp_path / "prepared"
    shutil.copytree(tiny_prepared, folder)
    found = read_prepared(folder)
    mine = found.frame["group"] == "red0"
    columns = ("text", "source", "party")
    frame = found.frame.assign(**{name: found.frame[name].mask(mine, hostile) for name in columns})
    write_manifest(frame, folder / "manifest.csv", found.label)
    cells = {table.REASON: hostile, table.SUGGESTED: hostile[::-1], table.TWINS: "blue1p1", table.WORDS: hostile}
    audit = write_audit(tmp_path / "audit", folder, [finding(frame, "party", "red0", **cells)])
    with served(audit) as (address, _):
        for width in (360, 800, 1280):
            page = visit(f"{address}as/anna/", width, 740)
            at(page, 1)
            expect(page.locator(".leaf.shown .pane img")).to_be_visible()
            page.keyboard.press("c")
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            page.goto(f"{address}as/anna/overview?state=all")
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert hostile in page.locator("main").inner_text()
