"""What is asked of every page: it stands alone, and it can be read without eyes."""

from collections import Counter
from html.parser import HTMLParser


class Page(HTMLParser):
    """A page's elements with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def stands_alone(page: Page) -> None:
    """Nothing is loaded from elsewhere, and nothing may be."""
    given = [
        value or ""
        for _, attributes in page.elements
        for name, value in attributes.items()
        if name in ("src", "href", "srcset", "action", "data", "poster", "background")
    ]
    assert given and all(value.startswith(("data:image/", "#")) for value in given)
    assert not page.all("link") and not page.all("iframe") and "url(" not in page.text and "@import" not in page.text
    (policy,) = (meta for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert (policy["content"] or "").startswith("default-src 'none'")


def without_eyes(page: Page) -> None:
    """Landmarks, names of regions, heads of tables and alternatives of pictures are there."""
    assert page.all("html") == [{"lang": "en"}]
    counts = Counter(tag for tag, _ in page.elements)
    assert (counts["h1"], counts["main"], counts["header"], counts["footer"], counts["nav"]) == (1, 1, 1, 1, 1)
    assert all(image.get("alt") for image in page.all("img"))
    assert {head.get("scope") for head in page.all("th")} == {"row", "col"}
    assert counts["caption"] == counts["table"]
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [(link["href"] or "").removeprefix("#") for link in page.all("a")]
    assert links and set(links) <= set(ids)
    assert all(section.get("aria-labelledby") in ids for section in page.all("section"))
