"""The review as a web application: its addresses, and what a form that comes back means."""

import logging
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import Depends, FastAPI, Form, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException as StatusError
from starlette.types import ASGIApp

from leaflet_tool.errors import LeafletError, UsageError
from leaflet_tool.manifest import split_labels
from leaflet_tool.prepare.section import nearest
from leaflet_tool.results.decisions import Entry, OvertakenError
from leaflet_tool.results.findings import read_facts
from leaflet_tool.results.page import templates
from leaflet_tool.results.review import Review, opened
from leaflet_tool.results.review_export import counts
from leaflet_tool.results.review_findings import Finding, Selection
from leaflet_tool.results.verdicts import WRONG
from leaflet_tool.storage import locked
from leaflet_tool.web import shown
from leaflet_tool.web.guard import Guard
from leaflet_tool.web.links import Links
from leaflet_tool.web.pictures import picture
from leaflet_tool.web.serving import Address, listen
from leaflet_tool.web.serving import serve as answer

log = logging.getLogger(__name__)

HERE = Path(__file__).parent
STATIC = {"review.css": "text/css", "review.js": "text/javascript", "review.svg": "image/svg+xml"}
LONGEST = 40
"""Letters of a reviewer's name."""
UNFIT = set("/\\|?#%")
NAMES = f"a name has 1 to {LONGEST} letters, and none of {' '.join(sorted(UNFIT))}"
SEE_OTHER, CONFLICT, UNPROCESSABLE, UNAVAILABLE = 303, 409, 422, 503
DECIDE = Literal["keep", "accept", "change", "several", "unclear"]
Chosen = Annotated[Selection, Depends()]
"""The findings that an address asks for."""


class RefusedError(Exception):
    """A decision that cannot be recorded as it was sent; the words say why."""


def application(review: Review, address: Address) -> ASGIApp:
    """The guarded application of one review."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    pages = Pages(review, address.token)
    app.add_exception_handler(StatusError, _nothing)
    app.add_exception_handler(RequestValidationError, _nothing)
    app.add_exception_handler(LeafletError, pages.failed)
    prefix = f"/{address.token}"
    route: dict[str, Any] = {"response_class": HTMLResponse, "response_model": None}
    app.get(f"{prefix}/", **route)(pages.who)
    app.get(f"{prefix}/static/{{name}}", **route)(pages.static)
    app.get(f"{prefix}/image", **route)(pages.image)
    app.get(f"{prefix}/as/{{reviewer}}/", **route)(pages.following)
    app.get(f"{prefix}/as/{{reviewer}}/overview", **route)(pages.overview)
    app.get(f"{prefix}/as/{{reviewer}}/finding/{{name}}", **route)(pages.finding)
    app.post(f"{prefix}/as/{{reviewer}}/finding/{{name}}", **route)(pages.decide)
    app.post(f"{prefix}/as/{{reviewer}}/undo", **route)(pages.undo)
    return Guard(app, address.token, address.hosts)


def _nothing(_: Request, error: Exception) -> Response:
    """A status and nothing else: whoever asks for what is not there learns no more."""
    return Response(status_code=getattr(error, "status_code", UNPROCESSABLE))


def serve(audit: Path, data: Path | None, port: int, reviewer: str, told: Callable[[str], None]) -> dict[str, Any]:
    """Serves a review until Ctrl-C, its address `told` once it can be asked; returns how far it is then."""
    if reviewer and not named(reviewer):
        raise UsageError(f"{reviewer!r} cannot be a reviewer's name", hint=NAMES)
    read_facts(audit)  # where no audit is, nothing is locked
    with locked(audit), opened(audit, data) as review:
        listening, address = listen(audit, port)
        with listening:
            told(address.origin + Links(address.token).as_(named(reviewer)) if reviewer else address.url)
            answer(application(review, address), listening)
        return counts(review)


class Pages:
    """The answers; each method is one address."""

    def __init__(self, review: Review, token: str) -> None:
        self.review, self.token = review, token
        self._templates = templates(HERE / "templates")

    def _html(self, template: str, status: int = 200, **context: Any) -> HTMLResponse:
        return HTMLResponse(self._templates.get_template(template).render(context), status)

    def _links(self, reviewer: str, selection: Selection) -> Links:
        known = {name.casefold(): name for name in self.review.reviewers()}
        name = named(reviewer)
        if not name:
            raise HTTPException(404)
        return Links(self.token, known.get(name.casefold(), name), selection)

    def failed(self, request: Request, error: Exception) -> Response:
        """Says why nothing can be read or recorded now, such as a full disk, and asks to try again."""
        assert isinstance(error, LeafletError)  # noqa: S101 - what this is the handler of
        log.error("%s", error.message)
        problem = f"Nothing was recorded: {error.message}" if request.method == "POST" else error.message
        again = f"{quote(request.url.path.removesuffix('undo'))}?{request.url.query}"
        context = {"links": Links(self.token), "problem": problem, "hint": error.hint, "again": again}
        return self._html("failed.html", UNAVAILABLE, **context)

    def who(self, name: Annotated[str, Query(alias="as")] = "") -> Response:
        """Asks who reviews, once; `?as=anna` says so."""
        links, given = Links(self.token), named(name)
        if given:
            return RedirectResponse(links.as_(given), SEE_OTHER)
        problem = f"{NAMES.capitalize()}." if name else ""
        context: dict[str, Any] = {"links": links, "audit": self.review.audit.resolve().name, "problem": problem}
        context |= {"typed": name, "reviewers": self.review.reviewers(), "total": len(self.review.findings)}
        return self._html("who.html", **context)

    def static(self, name: str) -> Response:
        """A file of this package."""
        if name not in STATIC:
            raise HTTPException(404)
        return FileResponse(HERE / "static" / name, media_type=STATIC[name], headers={"Cache-Control": "no-cache"})

    def image(self, page: str = "") -> Response:
        """The working copy of a page."""
        found = picture(self.review.prepared.folder, self.review.pages, page)
        if found is None:
            raise HTTPException(404)
        path, kind = found
        return FileResponse(path, media_type=kind, headers={"Cache-Control": "private, max-age=3600"})

    def following(self, reviewer: str, selection: Chosen, after: str = "") -> Response:
        """Goes to the next finding to decide, or to the overview where none is left."""
        return self._on(self._links(reviewer, selection), self.review.by_name.get(after))

    def _on(self, links: Links, after: Finding | None, **more: object) -> RedirectResponse:
        found = self.review.offered(after, links.selection, links.reviewer)
        return RedirectResponse(links.finding(found, **more) if found else links.overview(**more), SEE_OTHER)

    def overview(self, reviewer: str, selection: Chosen, start: int = 0, done: int = 0) -> Response:
        """The list of findings and how far the review is."""
        links = self._links(reviewer, selection)
        return self._html("overview.html", **shown.overview_page(self.review, links, max(0, start), done=done))

    def finding(self, reviewer: str, name: str, selection: Chosen, done: int = 0) -> Response:
        """One finding."""
        links, found = self._links(reviewer, selection), self._known(name)
        self.review.watch(found, links.reviewer)
        return self._html("finding.html", **shown.finding_page(self.review, links, found, done=done))

    def _known(self, name: str) -> Finding:
        if name not in self.review.by_name:
            raise HTTPException(404)
        return self.review.by_name[name]

    def decide(
        self,
        reviewer: str,
        name: str,
        selection: Chosen,
        decision: Annotated[DECIDE, Form()],
        base: Annotated[int, Form()],
        once: Annotated[str, Form(min_length=8, max_length=64)],
        label: Annotated[str, Form()] = "",
        labels: Annotated[list[str] | None, Form()] = None,
        new: Annotated[bool, Form()] = False,
    ) -> Response:
        """Records a decision, then goes to the next finding."""
        links, found = self._links(reviewer, selection), self._known(name)
        typed = [*(labels or []), *([label] if decision == "change" and not self.review.multiple else label.split("|"))]
        try:
            chosen = split_labels(found.suggested) if decision == "accept" else self._classes(typed, new)
            entry = self._recorded(links.reviewer, found, decision, chosen, once, base)
        except (RefusedError, OvertakenError) as error:
            status = UNPROCESSABLE if isinstance(error, RefusedError) else CONFLICT
            told: dict[str, Any] = {"problem": str(error) or self._meanwhile(found, links), "typed": label}
            if decision in ("change", "several") and status == UNPROCESSABLE:
                told |= {"open_panel": decision, "ticked": labels or []}
            return self._html("finding.html", status, **shown.finding_page(self.review, links, found, **told))
        return self._on(links, found, done=entry.number)

    def _recorded(
        self, reviewer: str, finding: Finding, decision: DECIDE, chosen: Sequence[str], once: str, base: int
    ) -> Entry:
        """The entry in the log; a RefusedError where nothing is suggested, or a page that needs a label gets none."""
        if decision == "accept" and not chosen:
            raise RefusedError("There is no suggestion to accept.")
        if decision == "change" and not chosen and not self.review.multiple:
            raise RefusedError("Which class is it?")
        settled, label = self.review.settled(decision, chosen, finding)
        new = settled in WRONG and not self.review.known_classes.issuperset(split_labels(label))
        subject = self.review.subject(finding)
        return self.review.decisions.record(reviewer, settled, label, subject, once=once, base=base, new=new)

    def _classes(self, typed: Sequence[str], new: bool) -> list[str]:
        """Labels as the archive spells them; a RefusedError for one it has not, unless it is meant to be new."""
        known = self.review.classes
        spelt = {name.casefold(): name for name in known}
        chosen = []
        for text in filter(None, map(str.strip, typed)):
            label = text if text in known else spelt.get(text.casefold(), "")
            if not label:
                label = self._new(text, new)
            chosen.append(label)
        return list(dict.fromkeys(chosen))

    def _new(self, text: str, new: bool) -> str:
        if "|" in text or any(unicodedata.category(letter) == "Cc" for letter in text):
            raise RefusedError("A class is one line, without |.")
        if taxonomy := self.review.prepared.taxonomy:
            raise RefusedError(f"The taxonomy has no “{text}”. {_meant(text, taxonomy.parents)}".strip())
        if not new:
            near = _meant(text, self.review.classes)
            raise RefusedError(f"There is no class “{text}”. {near} Tick “new class” if it is meant to be one.")
        return text

    def _meanwhile(self, finding: Finding, links: Links) -> str:
        mine = self.review.verdicts()[finding.name].get(links.reviewer)
        said = f": {shown.says(mine)}" if mine else " and taken it back"
        return f"Nothing was recorded: you have decided this finding in another window{said}. Decide again if need be."

    def undo(self, reviewer: str, selection: Chosen, number: Annotated[int, Form(lt=2**63)]) -> Response:
        """Takes the reviewer's own decision back and shows its finding again."""
        links = self._links(reviewer, selection)
        entry = self.review.decisions.withdraw(number, links.reviewer)
        if entry is None:
            raise HTTPException(404)
        found = self.review.by_name.get(entry.subject.finding)
        return RedirectResponse(links.finding(found) if found else links.overview(), SEE_OTHER)


def named(text: str) -> str:
    """A reviewer's name without blanks at its ends; empty where it cannot be one."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    fit = 0 < len(name) <= LONGEST and name.isprintable() and not UNFIT & {*name} and name.strip(".")
    return name if fit else ""


def _meant(text: str, known: Iterable[str]) -> str:
    near = nearest(text, known)
    return f"Did you mean “{near}”?" if near else ""
