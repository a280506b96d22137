"""The review's pages over HTTP: who is let in, what is shown and recorded, and what is never given out."""

import html
import re
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from PIL import Image

from leaflet_tool.manifest import read_prepared, write_manifest
from leaflet_tool.results import findings as table
from leaflet_tool.results.review import Review
from leaflet_tool.web.marked import marked
from leaflet_tool.web.review_app import application, named
from leaflet_tool.web.serving import Address, listen
from tests.results.pages import Page
from tests.reviews import finding, party_audit, subject_audit, write_audit

ADDRESS = Address(8123, "secret-of-this-test")
HOSTILE = "<script>alert('x')</script><img src=x onerror=alert(1)> \"climate\" & '"
type Open = Callable[[Path], "Browser"]


class Browser(TestClient):
    """A client that asks as our own page does, for anna's pages."""

    def __init__(self, review: Review) -> None:
        headers = {"Origin": ADDRESS.origin}
        super().__init__(application(review, ADDRESS), base_url=ADDRESS.origin, headers=headers)
        self.review = review

    def path(self, rest: str, reviewer: str = "anna") -> str:
        return f"/{ADDRESS.token}/as/{reviewer}/{rest}"

    def show(self, rank: int, reviewer: str = "anna") -> Response:
        return self.get(self.path(f"finding/{self.review.findings[rank - 1].name}", reviewer))

    def decide(self, rank: int, decision: str, reviewer: str = "anna", **form: object) -> Response:
        """The form of the page as it stands, sent with a decision."""
        page = self.show(rank, reviewer)
        base, once = (field(page.text, name) for name in ("base", "once"))
        data = {"base": base, "once": once, "decision": decision, **form}
        return self.post(self.path(f"finding/{self.review.findings[rank - 1].name}", reviewer), data=data)


def field(text: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    assert found
    return html.unescape(found[1])


@pytest.fixture
def open_audit() -> Iterator[Open]:
    opened: list[Review] = []

    def open_audit(audit: Path) -> Browser:
        opened.append(Review(audit))
        return Browser(opened[-1])

    yield open_audit
    for review in opened:
        review.close()


@pytest.fixture
def browser(tiny_prepared: Path, tmp_path: Path, open_audit: Open) -> Browser:
    return open_audit(party_audit(tmp_path / "audit", tiny_prepared))


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8123", "127.0.0.1", "127.0.0.1:80", "[::1]:8123", ""])
def test_a_foreign_host_gets_nothing(browser: Browser, host: str) -> None:
    for path in (browser.path(""), f"/{ADDRESS.token}/", "/"):
        found = browser.get(path, headers={"Host": host}, follow_redirects=False)
        assert (found.status_code, found.content) == (421, b"")


def test_both_names_of_this_machine_are_known(browser: Browser) -> None:
    for host in ("127.0.0.1:8123", "localhost:8123"):
        assert browser.get(f"/{ADDRESS.token}/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/as/anna/",
        "/wrong/as/anna/",
        "/secret-of-this-tes/",
        "/secret-of-this-testt/",
        "//",
        "*",
        "//secret-of-this-test/",
        "/static/review.js",
    ],
)
def test_without_the_token_there_is_nothing(browser: Browser, path: str) -> None:
    found = browser.get(path, follow_redirects=False)
    assert (found.status_code, found.content) == (404, b"")
    sent = browser.post(path, data={"decision": "keep"}, follow_redirects=False)
    assert (sent.status_code, sent.content) == (404, b"")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9", "https://127.0.0.1:8123", ""])
def test_only_our_own_page_may_decide(browser: Browser, origin: str) -> None:
    name = browser.review.findings[0].name
    data = {"decision": "keep", "base": 0, "once": "a-form-of-ours"}
    sent = browser.post(browser.path(f"finding/{name}"), data=data, headers={"Origin": origin})
    assert (sent.status_code, sent.content) == (403, b"")
    del browser.headers["Origin"]
    assert browser.post(browser.path(f"finding/{name}"), data=data).status_code == 403
    assert browser.review.decisions.live() == []


def test_behind_the_token_too_what_is_not_there_is_a_status_and_nothing_else(browser: Browser) -> None:
    for path in ("nothing", "static/guard.py", "as/anna/finding/nothing", "as/anna/overview?state=never"):
        found = browser.get(f"/{ADDRESS.token}/{path}")
        assert found.is_client_error and not found.content, path
    sent = browser.post(f"/{ADDRESS.token}/", data={"as": "anna"})
    assert (sent.status_code, sent.content) == (405, b"")


def test_a_form_of_megabytes_is_refused(browser: Browser) -> None:
    name = browser.review.findings[0].name
    data = {"decision": "keep", "base": 0, "once": "a-form-of-ours", "label": "x" * 300_000}
    assert browser.post(browser.path(f"finding/{name}"), data=data).status_code == 413


def test_every_answer_forbids_what_pages_of_ours_do_not_need(browser: Browser) -> None:
    for path in (browser.path("overview"), "/nothing", f"/{ADDRESS.token}/static/review.js"):
        headers = browser.get(path).headers
        policy = dict(rule.strip().split(" ", 1) for rule in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["img-src"] == "'self'"
        assert (policy["frame-ancestors"], policy["base-uri"]) == ("'none'", "'none'")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("rest", ["overview", "finding/{}", "?state=all"])
def test_pages_load_nothing_from_elsewhere_and_hold_no_script(browser: Browser, rest: str) -> None:
    page = Page(browser.get(browser.path(rest.format(browser.review.findings[3].name))).text)
    for _, attributes in page.elements:
        for name, value in attributes.items():
            assert not name.startswith("on") and name != "style"
            if name in ("src", "href", "action", "srcset", "data", "poster"):
                assert (value or "").startswith((f"/{ADDRESS.token}/", "#")), value
    assert [script.get("src") for script in page.all("script")] == [f"/{ADDRESS.token}/static/review.js"]
    assert not page.all("style") and not page.all("iframe")


@pytest.mark.parametrize("rest", ["overview", "finding/{}"])
def test_pages_can_be_read_without_eyes(browser: Browser, rest: str) -> None:
    page = Page(browser.get(browser.path(rest.format(browser.review.findings[3].name))).text)
    assert page.all("html") == [{"lang": "en"}]
    assert (len(page.all("main")), len(page.all("h1")), len(page.all("header"))) == (1, 1, 1)
    assert all(nav.get("aria-label") for nav in page.all("nav"))
    assert all(image.get("alt") for image in page.all("img"))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    named_by = [section.get("aria-label") or section.get("aria-labelledby") in ids for section in page.all("section")]
    assert all(named_by)
    wanted = {label["for"] for label in page.all("label") if "for" in label}
    assert wanted <= set(ids)
    assert all(p.get("tabindex") == "0" for p in page.all("p") if p.get("class") == "ocr"), "it scrolls"
    assert [p for p in page.all("p") if p.get("aria-live") == "polite" and p.get("role") == "status"]


def test_images_are_those_of_the_manifest_and_nothing_else(
    tiny_prepared: Path, tmp_path: Path, open_audit: Open
) -> None:
    folder = tmp_path / "prepared"
    shutil.copytree(tiny_prepared, folder)
    secret = tmp_path / "secret.png"
    Image.new("RGB", (5, 5)).save(secret)
    (folder / "images" / "link.png").symlink_to(secret)
    (folder / "images" / "words.png").write_text("no image")
    (folder / "images" / "round.png").symlink_to("round.png")
    (folder / "images" / "sound.webp").write_bytes(b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0")
    found = read_prepared(folder)
    cells = {
        "red0p1": "../secret.png",
        "red0p2": str(secret),
        "red1p1": "images/link.png",
        "red1p2": "images/words.png",
        "red2p1": "prepare.json",
        "red2p2": "images/../../secret.png",
        "red3p1": "images/gone.png",
        "red3p2": "images/round.png",
        "red5p1": f"images/{'x' * 300}.png",
        "red5p2": "images",
        "red6p1": "images/sound.webp",
    }
    frame = found.frame.assign(image=found.frame["id"].map(cells).fillna(found.frame["image"]))
    write_manifest(frame, folder / "manifest.csv", found.label)
    browser = open_audit(write_audit(tmp_path / "audit", folder, [finding(frame, "party", "red0")]))
    ask = f"/{ADDRESS.token}/image"
    for page in (*cells, "", "nothing", "../secret.png", str(secret), "images/red4p1.png", "red4p1\0"):
        answer = browser.get(ask, params={"page": page})
        assert (answer.status_code, answer.content) == (404, b""), page
    good = browser.get(ask, params={"page": "red4p1"})
    assert good.content == (folder / "images" / "red4p1.png").read_bytes()
    assert good.headers["content-type"] == "image/png"
    for path in (
        "../static/review.js",
        "static/..%2f..%2fguard.py",
        "static/%2e%2e/guard.py",
        "static/guard.py",
        "image/red4p1",
    ):
        assert browser.get(f"/{ADDRESS.token}/{path}").status_code == 404


def test_a_variant_shows_the_images_of_its_base(tiny_prepared: Path, tmp_path: Path, open_audit: Open) -> None:
    folder = tmp_path / "variant"
    shutil.copytree(tiny_prepared, folder, ignore=shutil.ignore_patterns("images"))
    (folder / "images").symlink_to(tiny_prepared / "images", target_is_directory=True)
    browser = open_audit(party_audit(tmp_path / "audit", folder))
    answer = browser.get(f"/{ADDRESS.token}/image", params={"page": "red0p1"})
    assert answer.content == (tiny_prepared / "images" / "red0p1.png").read_bytes()


def test_texts_names_and_labels_with_markup_are_shown_as_text(
    tiny_prepared: Path, tmp_path: Path, open_audit: Open
) -> None:
    folder = tmp_path / "prepared"
    shutil.copytree(tiny_prepared, folder)
    found = read_prepared(folder)
    mine = found.frame["group"] == "red0"
    frame = found.frame.assign(
        text=found.frame["text"].mask(mine, HOSTILE),
        source=found.frame["source"].mask(mine, HOSTILE),
        party=found.frame["party"].mask(mine, HOSTILE),
        group=found.frame["group"].mask(mine, HOSTILE),
    )
    write_manifest(frame, folder / "manifest.csv", found.label)
    cells = {
        table.SUGGESTED: "<b>x</b>",
        table.WORDS: "climate|<script>",
        table.REASON: HOSTILE,
        table.AGREEMENT: HOSTILE,
    }
    browser = open_audit(write_audit(tmp_path / "audit", folder, [finding(frame, "party", HOSTILE, **cells)]))
    shown = browser.show(1)
    browser.decide(1, "change", "Änne", label=HOSTILE.replace("|", ""), new="1")
    pages = [shown, browser.get(browser.path("overview?state=all")), browser.get(f"/{ADDRESS.token}/?as=<u>%7c")]
    for answer in pages:
        page = Page(answer.text)
        assert not page.all("i") and not page.all("u") and len(page.all("script")) == 1
        assert not [image for image in page.all("img") if image.get("src") == "x"]
    page = Page(shown.text)
    assert HOSTILE in page.text
    assert "<mark>climate</mark>" in shown.text
    assert "<mark>&lt;script&gt;</mark>" in shown.text


def test_marks_are_of_whole_words_in_any_case() -> None:
    text = "Climate climates CLIMATE, rail\nwind <b>"
    told = "<mark>Climate</mark> climates <mark>CLIMATE</mark>, <mark>rail\nwind</mark> &lt;b&gt;"
    assert marked(text, ["climate", "rail wind", ""]) == told
    assert marked("a.b axb", ["a.b"]) == "<mark>a.b</mark> axb"
    assert marked("<i>", []) == "&lt;i&gt;"
    assert marked("a b", ["", " "]) == "a b"


def test_a_decision_is_said_recorded_and_the_next_finding_comes(browser: Browser) -> None:
    done = browser.decide(1, "accept")
    assert done.status_code == 200
    assert "Recorded: finding 1: change to Green" in done.text
    assert "Finding 2 of 8" in done.text
    (entry,) = browser.review.decisions.live()
    assert (entry.reviewer, entry.decision, entry.label) == ("anna", "change", "Green")
    assert entry.subject.sources == ("Red/0_1.png", "Red/0_2.png")


@pytest.mark.parametrize(
    ("form", "status", "told"),
    [
        ({"decision": "change", "label": " green "}, 200, "change to Green"),
        ({"decision": "change", "label": "Gren"}, 422, "There is no class “Gren”. Did you mean “Green”?"),
        ({"decision": "change", "label": "Purple", "new": "1"}, 200, "change to Purple"),
        ({"decision": "change", "label": "Pur|ple", "new": "1"}, 422, "A class is one line"),
        ({"decision": "change"}, 422, "Which class is it?"),
        ({"decision": "change", "label": "Red"}, 200, "Recorded: finding 1: keep"),
        ({"decision": "several", "labels": ["Red", "Green"], "label": "Blue"}, 200, "several: Red, Green, Blue"),
        ({"decision": "unclear"}, 200, "Recorded: finding 1: unclear"),
        ({"decision": "delete"}, 422, ""),
    ],
)
def test_what_a_form_may_say(browser: Browser, form: dict[str, object], status: int, told: str) -> None:
    answer = browser.decide(1, **form)  # type: ignore[arg-type]
    assert answer.status_code == status
    assert told in html.unescape(answer.text)
    assert len(browser.review.decisions.live()) == (status == 200)


def test_a_page_without_a_suggestion_offers_none(browser: Browser) -> None:
    dark = next(one.rank for one in browser.review.findings if one.kind == "dark")
    assert 'value="accept"' not in browser.show(dark).text
    assert browser.decide(dark, "accept").status_code == 422


def test_a_form_that_is_sent_again_counts_once_and_a_stale_one_not_at_all(browser: Browser) -> None:
    page = browser.show(1)
    data = {"base": field(page.text, "base"), "once": field(page.text, "once"), "decision": "keep"}
    path = browser.path(f"finding/{browser.review.findings[0].name}")
    first, again = browser.post(path, data=data), browser.post(path, data=data)
    assert first.status_code == again.status_code == 200
    assert len(browser.review.decisions.live()) == 1
    stale = browser.post(path, data={**data, "once": "another-window", "decision": "unclear"})
    assert stale.status_code == 409
    assert "you have decided this finding in another window: keep" in stale.text
    assert len(browser.review.decisions.live()) == 1
    assert browser.decide(1, "unclear").status_code == 200


def test_a_decision_that_cannot_be_written_is_told_and_can_be_sent_again(browser: Browser) -> None:
    pages = "PRAGMA max_page_count = {}".format
    browser.review.decisions._database.execute(pages(1))
    refused = browser.decide(1, "change", label="x" * 5000, new="1")
    assert refused.status_code == 503
    told = Page(refused.text).text
    assert "Nothing was recorded: " in told and "review.sqlite: database or disk is full" in told
    assert browser.review.decisions.live() == []
    browser.review.decisions._database.execute(pages(1000))
    assert "Recorded: finding 1: keep" in browser.decide(1, "keep").text


def test_a_log_that_cannot_be_read_is_told(browser: Browser) -> None:
    browser.review.decisions._database.execute("DROP TABLE decisions")
    for path in ("", "overview", f"finding/{browser.review.findings[0].name}"):
        found = browser.get(browser.path(path))
        assert found.status_code == 503
        assert "review.sqlite: no such table" in Page(found.text).text


def test_undo_brings_the_finding_back(browser: Browser) -> None:
    browser.decide(1, "keep")
    number = field(browser.show(2).text, "number")
    undone = browser.post(browser.path("undo"), data={"number": number})
    assert "Finding 1 of 8" in undone.text
    assert browser.review.decisions.live() == []
    assert browser.post(browser.path("undo", "bert"), data={"number": number}).status_code == 404
    assert browser.post(browser.path("undo"), data={"number": 2**63}).status_code == 422


def test_reviewers_see_each_other_and_conflicts_are_listed(browser: Browser) -> None:
    browser.decide(1, "keep")
    shown = browser.show(1, "bert")
    assert "<bdi>anna</bdi></b>: <bdi>keep</bdi>" in shown.text
    # anna looks at the second one now
    assert "Finding 3 of 8" in browser.get(browser.path("", "bert")).text
    browser.decide(1, "accept", "bert")
    assert "Reviewers disagree" in browser.show(1, "bert").text
    listed = Page(browser.get(browser.path("overview?state=conflict")).text)
    assert "1 of 8 match" in listed.text
    assert "conflict" in listed.text and "bert: change to Green" in listed.text.replace("\n", "")


def test_what_one_is_sent_to_is_not_offered_to_another_in_the_meantime(browser: Browser) -> None:
    sent = [
        browser.get(browser.path("", name), follow_redirects=False).headers["location"]
        for name in ("anna", "bert", "carl")
    ]
    assert [address.rpartition("/")[2] for address in sent] == [one.name for one in browser.review.findings[:3]]


def test_names_of_reviewers(browser: Browser) -> None:
    assert (named(" Anna  Maria "), named(""), named("a/b"), named(".."), named("x" * 41)) == (
        "Anna Maria",
        "",
        "",
        "",
        "",
    )
    first = browser.get(f"/{ADDRESS.token}/?as=J%C3%BCrgen", follow_redirects=False)
    assert first.headers["location"] == browser.path("", "J%C3%BCrgen")
    browser.decide(1, "keep", "Jürgen")
    browser.decide(2, "keep", "jürgen")
    assert browser.review.reviewers() == {"Jürgen": 2}
    assert "2 decisions" in browser.get(f"/{ADDRESS.token}/").text


def test_filters_go_along_and_an_empty_selection_says_so(browser: Browser) -> None:
    shown = browser.get(browser.path("?kind=dark"))
    assert "Dark" in shown.text and "kind=dark" in str(shown.url)
    done = browser.post(
        browser.path(f"finding/{browser.review.findings[7].name}?kind=dark"),
        data={"decision": "keep", "base": "0", "once": "only-dark-ones"},
    )
    assert "Nothing is left to decide here" in done.text
    assert "Recorded: finding 8: keep" in done.text
    assert browser.get(browser.path("overview?state=never")).status_code == 422
    assert browser.get(browser.path("finding/nothing")).status_code == 404


def test_an_audit_that_found_nothing_and_a_page_that_is_gone(
    tiny_prepared: Path, tmp_path: Path, open_audit: Open
) -> None:
    nothing = open_audit(write_audit(tmp_path / "nothing", tiny_prepared, []))
    assert "The audit found nothing" in nothing.get(nothing.path("")).text
    frame = read_prepared(tiny_prepared).frame
    one = finding(frame, "party", "red0", **{table.PAGES: "red0p1|gone", table.TWINS: "gone too", table.SOURCES: "a|b"})
    browser = open_audit(write_audit(tmp_path / "gone", tiny_prepared, [one]))
    assert browser.show(1).text.count("This page is no longer in the prepared folder.") == 2
    browser.decide(1, "keep")
    assert browser.review.decisions.live()[0].subject.sources == ("Red/0_1.png", "b")


def test_several_labels_are_edited_as_a_set(tiny_subjects: Path, tmp_path: Path, open_audit: Open) -> None:
    browser = open_audit(subject_audit(tmp_path / "audit", tiny_subjects))
    page = Page(browser.show(1).text)
    ticked = [box["value"] for box in page.all("input") if box.get("name") == "labels" and "checked" in box]
    assert set(ticked) == {*browser.review.findings[0].given.split("|"), "Society", "Sports"}
    browser.decide(1, "several", labels=["Plants", "Nature"])
    browser.decide(2, "several", labels=[])
    refused = browser.decide(3, "several", labels=["Plants"], label="Trees", new="1")
    assert refused.status_code == 422
    assert "The taxonomy has no “Trees”" in refused.text
    browser.decide(3, "accept")
    told = [(entry.decision, entry.label) for entry in browser.review.decisions.live()]
    assert told == [("several", "Plants|Nature"), ("change", ""), ("several", "Nature|Plants")]


def test_a_set_that_was_refused_is_still_ticked(tiny_subjects: Path, tmp_path: Path, open_audit: Open) -> None:
    browser = open_audit(subject_audit(tmp_path / "audit", tiny_subjects))
    before = {box["value"] for box in Page(browser.show(1).text).all("input") if box.get("name") == "labels"}
    refused = browser.decide(1, "several", labels=["Plants", "Politics"], label="Polititcs")
    assert refused.status_code == 422
    boxes = [box for box in Page(refused.text).all("input") if box.get("name") == "labels"]
    assert {box["value"] for box in boxes if "checked" in box} == {"Plants", "Politics"}
    assert {box["value"] for box in boxes} >= before


def test_no_suggestion_is_no_empty_set_of_labels(tiny_subjects: Path, tmp_path: Path, open_audit: Open) -> None:
    frame = read_prepared(tiny_subjects).frame
    browser = open_audit(write_audit(tmp_path / "audit", tiny_subjects, [finding(frame, "subjects", "leaflet01")]))
    refused = browser.decide(1, "accept")
    assert refused.status_code == 422
    assert "There is no suggestion to accept." in refused.text
    assert browser.review.decisions.live() == []


def test_pages_that_are_texts_alone(tiny_topics: object, tmp_path: Path, open_audit: Open) -> None:
    folder = tiny_topics.folder  # type: ignore[attr-defined]
    frame = read_prepared(folder).frame
    one = finding(frame, "topics", frame["group"].iloc[0], **{table.WORDS: "owl", table.SUGGESTED: "History"})
    shown = open_audit(write_audit(tmp_path / "audit", folder, [one])).show(1)
    assert "<mark>owl</mark>" in shown.text
    assert not Page(shown.text).all("img")


def test_the_secret_and_the_port_are_the_owners_and_last(tmp_path: Path) -> None:
    first, address = listen(tmp_path, 0)
    first.close()
    again, same = listen(tmp_path, 0)
    assert same == address
    other, elsewhere = listen(tmp_path, 0)
    assert (elsewhere.token, elsewhere.port != same.port) == (address.token, True)
    assert len(address.token) >= 32
    assert stat.S_IMODE((tmp_path / ".review.json").stat().st_mode) == 0o600
    assert again.getsockname()[0] == "127.0.0.1"
    again.close()
    other.close()
