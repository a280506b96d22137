"""Addresses of the review's pages: the token, the reviewer and the selection are in every one of them."""

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from leaflet_tool.results.review_findings import Finding, Selection

ALL = Selection()


@dataclass(frozen=True)
class Links:
    """Where a reviewer's pages are, with a selection of findings."""

    token: str
    reviewer: str = ""
    selection: Selection = ALL

    @property
    def root(self) -> str:
        """Where a reviewer says who they are."""
        return f"/{self.token}/"

    def static(self, name: str) -> str:
        return f"{self.root}static/{quote(name)}"

    def image(self, page: str) -> str:
        return f"{self.root}image?{urlencode({'page': page})}"

    def as_(self, reviewer: str) -> str:
        return f"{self.root}as/{quote(reviewer, safe='')}/"

    @property
    def home(self) -> str:
        """The next finding to decide, whichever it is."""
        return self._with("")

    def finding(self, finding: Finding, **more: object) -> str:
        return self._with(f"finding/{quote(finding.name, safe='')}", **more)

    def skip(self, finding: Finding) -> str:
        """The next finding to decide after this one."""
        return self._with("", after=finding.name)

    @property
    def undo(self) -> str:
        return self._with("undo")

    def overview(self, **more: object) -> str:
        return self._with("overview", **more)

    def select(self, selection: Selection) -> "Links":
        """The same with another selection."""
        return Links(self.token, self.reviewer, selection)

    def _with(self, path: str, **more: object) -> str:
        chosen = {name: value for name, value in vars(self.selection).items() if value != getattr(ALL, name)}
        query = urlencode({**chosen, **{name: value for name, value in more.items() if value}})
        return f"{self.as_(self.reviewer)}{path}" + (f"?{query}" if query else "")
