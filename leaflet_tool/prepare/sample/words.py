"""What a leaflet says: party, candidate and place, and the words of each of its pages."""

import random
from dataclasses import dataclass

from leaflet_tool.prepare.sample.settings import Party, World


@dataclass(frozen=True)
class Page:
    """One page's words; `brand` is empty where the page does not tell the party."""

    number: int
    brand: str
    headline: str
    slogan: str
    paragraphs: list[str]
    points: list[str]
    call: str
    imprint: str


@dataclass(frozen=True)
class Leaflet:
    """One leaflet before it is printed; `rivals` are the other parties, in an order of chance."""

    party: Party
    rivals: list[Party]
    pages: list[Page]


def write_leaflet(world: World, rng: random.Random) -> Leaflet:
    """A leaflet of one to three pages by a party drawn by its share."""
    party = rng.choices(world.parties, [party.share for party in world.parties])[0]
    others = [other for other in world.parties if other is not party]
    rivals = rng.sample(others, len(others))
    speaker = Speaker(world, party, rivals, rng)
    told = rng.random() >= world.odds.unnamed_leaflet
    count = rng.choices(range(1, len(world.odds.pages) + 1), world.odds.pages)[0]
    pages = [speaker.page(number, told) for number in range(1, count + 1)]
    return Leaflet(party, rivals, pages)


class Speaker:
    """One candidate, who fills sentences with the own name and town and the party's favourite words."""

    def __init__(self, world: World, party: Party, rivals: list[Party], rng: random.Random) -> None:
        self.words, self.odds, self.party, self.rivals, self.rng = world.words, world.odds, party, rivals, rng
        self.town, self.day = rng.choice(self.words.towns), rng.choice(self.words.days)
        self.candidate, self.agent = self._person(), self._person()

    def page(self, number: int, told: bool) -> Page:
        """The words of one page; a page of a leaflet that tells its party may still not tell it itself."""
        told = told and self.rng.random() >= self.odds.unnamed_page
        points = self.rng.randint(3, 4)
        sentences = self._sentences(points + self.rng.randint(5, 8))
        return Page(
            number=number,
            brand=self.party.name if told else "",
            headline=self._one(self.words.headlines, self.words.named_headlines if told else []),
            slogan=self._slogan(told),
            paragraphs=self._paragraphs(number, told, sentences[points:]),
            points=sentences[:points],
            call=self._one(self.words.calls, self.words.named_calls if told else []),
            imprint=self._imprint(told),
        )

    def _one(self, plain: list[str], named: list[str]) -> str:
        """A sentence out of `plain`, or as likely out of `named` where there are any."""
        return self.fill(self.rng.choice(named if named and self.rng.random() < 0.5 else plain))

    def _slogan(self, told: bool) -> str:
        own = told and self.rng.random() < self.odds.own_slogan
        return self.rng.choice(self.party.slogans if own else self.words.slogans)

    def _paragraphs(self, number: int, told: bool, sentences: list[str]) -> list[str]:
        """Paragraphs of three sentences; the first page opens with the candidate, the later ones close with thanks."""
        if self.rng.random() < (self.odds.rival_named if told else self.odds.rival_named_alone):
            sentences = [*sentences[:2], self.fill(self.rng.choice(self.words.rivals)), *sentences[2:]]
        if number == 1:
            sentences = [self.fill(self.rng.choice(self.words.openings)), *sentences]
        else:
            sentences = [*sentences, self.fill(self.rng.choice(self.words.closings))]
        return [" ".join(sentences[start : start + 3]) for start in range(0, len(sentences), 3)]

    def _sentences(self, count: int) -> list[str]:
        """Different sentences, on themes of which the party's own are the likelier."""
        chosen: list[str] = []
        while len(chosen) < count:
            sentence = self.rng.choice(self.words.themes[self._theme()])
            if sentence not in chosen:
                chosen.append(sentence)
        return [self.fill(sentence) for sentence in chosen]

    def _theme(self) -> str:
        own = self.rng.random() < self.odds.own_theme
        return self.rng.choice(self.party.themes if own else list(self.words.themes))

    def _imprint(self, told: bool) -> str:
        return self.fill(self.words.imprint, of_party=f" ({self.party.name})" if told else "")

    def _person(self) -> str:
        return f"{self.rng.choice(self.words.first_names)} {self.rng.choice(self.words.last_names)}"

    def fill(self, sentence: str, of_party: str = "") -> str:
        """`sentence` with its slots filled, its first letter made large."""
        rival = self.rng.choice(self.rivals)
        own_people = self.rng.random() < self.odds.own_people_word
        filled = sentence.format(
            town=self.town,
            day=self.day,
            candidate=self.candidate,
            agent=self.agent,
            name=self.party.name,
            short=self.party.short,
            of_party=of_party,
            rival=rival.name,
            rival_short=rival.short,
            people=self.rng.choice(self.party.people if own_people else self.words.people),
            road=self.rng.choice(self.words.roads),
            number=10 * self.rng.randint(4, 90),
            years=self.rng.randint(3, 40),
            house=self.rng.randint(1, 120),
        )
        return filled[:1].upper() + filled[1:]
