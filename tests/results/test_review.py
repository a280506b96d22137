"""The log of a review, who says what of a finding, what is offered next, and the table that is exported."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from leaflet_tool.errors import InputError
from leaflet_tool.manifest import ID, read_prepared, read_table, write_manifest
from leaflet_tool.results import findings as table
from leaflet_tool.results.decisions import Decisions, Entry, OvertakenError, Subject
from leaflet_tool.results.review import Review
from leaflet_tool.results.review_export import export, words
from leaflet_tool.results.review_findings import Finding, Selection
from tests.reviews import finding, party_audit, subject_audit, write_audit

SUBJECT = Subject("f1", "label", "Green", ("a", "b"))


@pytest.fixture
def audit(tiny_prepared: Path, tmp_path: Path) -> Path:
    return party_audit(tmp_path / "audit", tiny_prepared)


@pytest.fixture
def review(audit: Path) -> Iterator[Review]:
    found = Review(audit)
    yield found
    found.close()


def decide(review: Review, reviewer: str, rank: int, decision: str, *label: str, new: bool = False) -> Entry:
    """A decision as the page records it."""
    found = review.findings[rank - 1]
    settled, cell = review.settled(decision, label, found)
    once = f"{reviewer}{rank}{len(review.decisions.live())}"
    base = review.base(found, reviewer)
    return review.decisions.record(reviewer, settled, cell, review.subject(found), once=once, base=base, new=new)


def said(review: Review, rank: int) -> dict[str, tuple[str, str]]:
    verdicts = review.verdicts()[review.findings[rank - 1].name]
    return {name: (verdict.decision, verdict.label) for name, verdict in verdicts.items()}


def ranks(found: list[Finding]) -> list[int]:
    return [one.rank for one in found]


def test_a_decision_is_there_for_whoever_opens_the_log_next(tmp_path: Path) -> None:
    log = Decisions(tmp_path / "log.sqlite")
    written = log.record("anna", "change", "Red", SUBJECT, once="once1", base=0)
    assert log._database.execute("PRAGMA synchronous").fetchone() == (2,)
    assert log._database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other = Decisions(tmp_path / "log.sqlite")
    assert other.live() == [written]
    other.record("bert", "keep", "Green", SUBJECT, once="once2", base=0)
    assert [entry.reviewer for entry in log.live()] == ["anna", "bert"]


def test_what_is_sent_twice_is_recorded_once_and_another_window_is_told(tmp_path: Path) -> None:
    log = Decisions(tmp_path / "log.sqlite")
    first = log.record("anna", "change", "Red", SUBJECT, once="once1", base=0)
    assert log.record("anna", "change", "Red", SUBJECT, once="once1", base=0) == first
    with pytest.raises(OvertakenError):
        log.record("anna", "keep", "Green", SUBJECT, once="once2", base=0)
    second = log.record("anna", "keep", "Green", SUBJECT, once="once3", base=first.number)
    assert log.live() == [first, second]
    assert log.withdraw(second.number, "bert") is None
    assert log.withdraw(second.number, "anna") == second
    assert log.live() == [first]


def test_threads_neither_lose_nor_double_a_decision(tmp_path: Path) -> None:
    log = Decisions(tmp_path / "log.sqlite")

    def work(reviewer: str) -> None:
        for number in range(15):
            subject = Subject(f"f{number}", "label", "Green", (f"p{number}",))
            for _ in range(2):
                log.record(reviewer, "keep", "Green", subject, once=f"{reviewer}-{number}", base=0)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("anna", "bert", "carl")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entries = log.live()
    assert len(entries) == 45
    assert len({(entry.reviewer, entry.subject.finding) for entry in entries}) == 45


def test_a_log_that_is_none_is_told_by_name(tmp_path: Path) -> None:
    (tmp_path / "log.sqlite").write_text("this is no database, not at all" * 50)
    with pytest.raises(InputError, match=r"log\.sqlite: file is not a database"):
        Decisions(tmp_path / "log.sqlite")


def test_findings_are_offered_worst_first_and_those_of_others_last(review: Review) -> None:
    everything = Selection()
    assert ranks(review.queue(everything, "anna")) == list(range(1, 9))
    decide(review, "bert", 1, "keep")
    review.watch(review.findings[1], "bert")
    assert ranks(review.queue(everything, "anna")) == [3, 4, 5, 6, 7, 8, 2, 1]
    assert ranks(review.queue(everything, "bert")) == [2, 3, 4, 5, 6, 7, 8]
    review.watch(review.findings[2], "bert")
    assert ranks(review.queue(everything, "anna")) == [2, 4, 5, 6, 7, 8, 3, 1]


def test_skipping_goes_on_by_rank_and_comes_round_again(review: Review) -> None:
    first = review.following(None, Selection(), "anna")
    assert first is not None and first.rank == 1
    second = review.following(first, Selection(), "anna")
    assert second is not None and second.rank == 2
    last = review.following(review.findings[7], Selection(), "anna")
    assert last is not None and last.rank == 1
    for rank in range(1, 9):
        decide(review, "anna", rank, "keep")
    assert review.following(first, Selection(), "anna") is None


def test_selections_by_class_kind_score_and_state(review: Review) -> None:
    def shown(**how: object) -> list[int]:
        return ranks(review.selected(Selection(**how), "anna"))  # type: ignore[arg-type]

    decide(review, "anna", 1, "keep")
    decide(review, "bert", 1, "change", "Green")
    decide(review, "bert", 2, "unclear")
    assert shown(label="Blue", state="all") == [2, 3, 4, 7]
    assert shown(kind="dark") == [8]
    assert shown(score=0.9, state="all") == [1, 2, 3, 4]
    assert shown() == [2, 3, 4, 5, 6, 7, 8]
    assert shown(state="undecided") == [3, 4, 5, 6, 7, 8]
    assert shown(state="decided") == [1, 2]
    assert shown(state="conflict") == [1]


def test_what_labels_amount_to(review: Review, tiny_subjects: Path, tmp_path: Path) -> None:
    one = review.findings[0]
    assert review.settled("change", ["Red"], one) == ("keep", "Red")
    assert review.settled("change", ["Green"], one) == ("change", "Green")
    assert review.settled("several", ["Red", "Green"], one) == ("several", "Red|Green")
    assert review.settled("unclear", [], one) == ("unclear", "Red")
    several = Review(subject_audit(tmp_path / "several", tiny_subjects))
    given = several.findings[0].given.split("|")
    assert len(given) > 1
    assert several.settled("several", given[::-1], several.findings[0]) == ("keep", several.findings[0].given)
    assert several.settled("several", ["Plants"], several.findings[0]) == ("change", "Plants")
    assert several.settled("change", ["Plants", "Nature"], several.findings[0]) == ("several", "Plants|Nature")
    assert several.settled("several", [], several.findings[0]) == ("change", "")


def test_suggestions_begin_with_what_the_runs_say_and_what_the_twins_are(review: Review) -> None:
    twin = next(one for one in review.findings if one.kind == "duplicate")
    assert review.suggestions(twin) == ["Blue", "Red"]
    decide(review, "anna", 1, "change", "Green")
    assert review.suggestions(review.findings[7])[0] == "Green"


def relabelled(prepared: Path, folder: Path, labels: dict[str, str]) -> Path:
    """The prepared folder with other labels on some leaflets."""
    shutil.copytree(prepared, folder)
    found = read_prepared(folder)
    frame = found.frame.assign(party=found.frame["group"].map(labels).fillna(found.frame["party"]))
    write_manifest(frame, folder / "manifest.csv", found.label)
    return folder


def test_a_later_audit_takes_over_what_was_decided(tiny_prepared: Path, tmp_path: Path, audit: Path) -> None:
    review = Review(audit)
    decide(review, "anna", 1, "change", "Green")
    decide(review, "bert", 1, "keep")
    decide(review, "anna", 2, "keep")
    decide(review, "anna", 3, "unclear")
    review.close()
    after = relabelled(tiny_prepared, tmp_path / "after", {"red0": "Green"})
    frame = read_prepared(after).frame
    rows = [
        finding(frame, "party", "red0", **{table.SUGGESTED: "Red"}),
        finding(frame, "party", "red1", **{table.PAGES: "red1p2", table.SUGGESTED: "Blue"}),
        finding(frame, "party", "blue2", **{table.KIND: "outlier"}),
        finding(frame, "party", "green9", **{table.SUGGESTED: "Blue"}),
    ]
    later = Review(write_audit(audit, after, rows))
    assert said(later, 1) == {"anna": ("keep", "Green")}
    assert said(later, 2) == {"anna": ("keep", "Red")}
    assert said(later, 3) == {"anna": ("unclear", "Blue")}
    assert said(later, 4) == {}
    assert ranks(later.queue(Selection(), "anna")) == [4]
    # a change that was applied is no finding that was reviewed here
    assert later.worth()["reviewed"] == 2
    decide(later, "anna", 1, "change", "Blue")
    assert said(later, 1)["anna"] == ("change", "Blue")
    later.close()


def test_a_page_that_was_not_decided_on_leaves_a_finding_open(tiny_prepared: Path, audit: Path) -> None:
    frame = read_prepared(tiny_prepared).frame
    one = finding(frame, "party", "red0", **{table.PAGES: "red0p1"})
    review = Review(write_audit(audit, tiny_prepared, [one]))
    decide(review, "anna", 1, "keep")
    review.close()
    both = Review(write_audit(audit, tiny_prepared, [finding(frame, "party", "red0")]))
    assert said(both, 1) == {}
    both.close()


def test_what_is_said_of_a_label_counts_for_its_pages_and_not_the_other_way_round(
    tiny_prepared: Path, tmp_path: Path
) -> None:
    frame = read_prepared(tiny_prepared).frame
    told = [
        finding(frame, "party", "red0", **{table.PAGES: "red0p1"}),
        finding(frame, "party", "red0", **{table.PAGES: "red0p1", table.KIND: "dark"}),
        finding(frame, "party", "red1"),
        finding(frame, "party", "red1", **{table.PAGES: "red1p1", table.KIND: "blurred"}),
    ]
    review = Review(write_audit(tmp_path / "audit", tiny_prepared, told))
    decide(review, "anna", 2, "keep")
    assert ranks(review.queue(Selection(), "anna")) == [1, 3, 4]
    decide(review, "anna", 3, "change", "Green")
    assert ranks(review.queue(Selection(), "anna")) == [1]
    assert said(review, 4) == {"anna": ("change", "Green")}
    worth = review.worth()
    assert (worth["reviewed"], worth["found"], worth["remaining"]) == (2, 1, 1)
    review.close()


def test_the_export_is_what_was_decided(review: Review, tmp_path: Path) -> None:
    decide(review, "anna", 1, "change", "Green")
    decide(review, "bert", 1, "change", "Green")
    decide(review, "anna", 2, "keep")
    decide(review, "bert", 2, "change", "Blue")
    decide(review, "anna", 3, "several", "Blue", "Red")
    decide(review, "bert", 4, "unclear")
    decide(review, "anna", 5, "change", "Purple", new=True)
    told = export(review, tmp_path / "out.csv")
    rows = read_table(tmp_path / "out.csv")
    assert list(rows) == [
        *("id", "source", "row", "label_before", "label", "decision", "reviewers", "decided", "finding", "new_class"),
    ]
    told_of = rows.groupby("finding", sort=False)[
        ["label_before", "label", "decision", "reviewers", "new_class"]
    ].first()
    assert told_of.values.tolist() == [
        ["Red", "Green", "change", "anna|bert", ""],
        ["Red", "Red", "conflict", "anna|bert", ""],
        ["Blue", "Blue|Red", "several", "anna", ""],
        ["Green", "Green", "unclear", "bert", ""],
        ["Green", "Purple", "change", "anna", "yes"],
    ]
    assert rows[ID].tolist()[:2] == ["red0p1", "red0p2"]
    assert rows["source"].tolist()[:2] == ["Red/0_1.png", "Red/0_2.png"]
    assert rows["decided"].str.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00").all()
    assert told["decisions"] == {"keep": 0, "change": 2, "several": 1, "unclear": 1, "conflict": 1}
    assert (told["findings"], told["decided"], told["pages"], told["changed_pages"]) == (8, 5, 10, 6)
    assert told["conflicts"][0]["says"] == {"anna": "keep", "bert": "change to Blue"}
    assert told["reviewers"] == {"anna": 4, "bert": 3}
    assert told["worth"]["found"] == 3
    shown = words(told)
    assert "decided 5 of 8 findings: change 2, several 1, unclear 1, conflict 1" in shown
    assert "conflict, left out: finding 2 (red1p1, red1p2): anna says keep, bert says change to Blue" in shown
    assert "3 wrong labels in 4 findings reviewed: 75 in a hundred" in shown


def test_a_changed_mind_and_an_undone_decision_count_as_they_stand(review: Review, tmp_path: Path) -> None:
    decide(review, "anna", 1, "change", "Green")
    decide(review, "anna", 1, "change", "Blue")
    gone = decide(review, "anna", 2, "change", "Blue")
    review.decisions.withdraw(gone.number, "anna")
    last = decide(review, "anna", 1, "keep")
    export(review, tmp_path / "out.csv")
    assert read_table(tmp_path / "out.csv")["decision"].tolist() == ["keep", "keep"]
    review.decisions.withdraw(last.number, "anna")
    export(review, tmp_path / "out.csv")
    assert read_table(tmp_path / "out.csv")["label"].tolist() == ["Blue", "Blue"]


def test_a_page_that_is_all_right_does_not_take_back_its_new_label(tiny_prepared: Path, tmp_path: Path) -> None:
    frame = read_prepared(tiny_prepared).frame
    told = [
        finding(frame, "party", "red0"),
        finding(frame, "party", "red0", **{table.KIND: "dark", table.PAGES: "red0p1"}),
    ]
    review = Review(write_audit(tmp_path / "audit", tiny_prepared, told))
    decide(review, "anna", 1, "change", "Green")
    decide(review, "anna", 2, "keep")
    export(review, tmp_path / "out.csv")
    assert read_table(tmp_path / "out.csv")["label"].tolist() == ["Green", "Green"]


def test_what_was_decided_in_earlier_audits_is_exported_again(tiny_prepared: Path, audit: Path, tmp_path: Path) -> None:
    review = Review(audit)
    decide(review, "anna", 1, "change", "Green")
    review.close()
    later = Review(write_audit(audit, tiny_prepared, []))
    told = export(later, tmp_path / "out.csv")
    assert (told["of_earlier_audits"], told["findings"], told["changed_pages"]) == (1, 0, 2)
    assert read_table(tmp_path / "out.csv")["label"].tolist() == ["Green", "Green"]
    later.close()


def test_an_audit_whose_data_is_gone_asks_where_it_is(tiny_prepared: Path, audit: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(tiny_prepared, tmp_path / "moved")
    write_audit(audit, moved, [])
    shutil.move(moved, tmp_path / "elsewhere")
    with pytest.raises(InputError, match="which was audited, is not there"):
        Review(audit)
    Review(audit, tmp_path / "elsewhere").close()
