"""What is printed beside the words: a candidate, a street, the result of the last election, the party's sign."""

import math
import random

from PIL import Image, ImageColor, ImageDraw, ImageFilter

from leaflet_tool.prepare.sample.settings import Party
from leaflet_tool.prepare.sample.sheet import Box, Colour, Sheet, mix

SKIN = [(241, 205, 178), (224, 178, 140), (198, 146, 106), (141, 92, 60), (96, 62, 42)]
HAIR = [(40, 30, 25), (92, 60, 35), (165, 120, 70), (150, 150, 150), (215, 210, 200), (120, 45, 25)]
CLOTHES = [(40, 44, 58), (70, 70, 74), (30, 30, 32), (92, 74, 60), (60, 80, 96), (120, 52, 60), (210, 206, 198)]
SKY = [(150, 190, 225), (190, 205, 215), (205, 205, 205), (235, 215, 190)]
GRASS = [(95, 135, 75), (120, 140, 85), (130, 125, 110), (105, 105, 108)]
WALLS = [(170, 110, 85), (190, 175, 150), (140, 120, 110), (205, 200, 190)]


def portrait(width: int, height: int, rosette: Colour, rng: random.Random) -> Image.Image:
    """A head and shoulders before a soft background, with a rosette in the leaflet's colour."""
    image = _backdrop(width, height, rng)
    draw = ImageDraw.Draw(image)
    centre, unit = width * rng.uniform(0.42, 0.58), min(width, height)
    skin, hair, clothes = rng.choice(SKIN), rng.choice(HAIR), rng.choice(CLOTHES)
    head = (centre - unit * 0.17, height * 0.2, centre + unit * 0.17, height * 0.2 + unit * 0.43)
    chin = head[3]
    if rng.random() < 0.5:
        side, crown = unit * 0.06, head[1] - unit * 0.07
        draw.ellipse((head[0] - side, crown, head[2] + side, chin + unit * 0.12), fill=hair)
    draw.ellipse((centre - unit * 0.42, chin + unit * 0.03, centre + unit * 0.42, height * 1.6), fill=clothes)
    collar = [(centre + side * unit * 0.1, chin - unit * 0.02) for side in (-1, 1)]
    draw.polygon([*collar, (centre, chin + unit * 0.25)], fill=(240, 240, 238))
    draw.rectangle((centre - unit * 0.07, chin - unit * 0.12, centre + unit * 0.07, chin + unit * 0.06), fill=skin)
    draw.ellipse((head[0] - 2, head[1] - unit * 0.05, head[2] + 2, chin - unit * 0.12), fill=hair)
    draw.ellipse((head[0], head[1] + unit * 0.05, head[2], chin), fill=skin)
    _face(draw, centre, head[1], unit, mix(skin, (60, 20, 20), 0.6))
    badge = (centre + unit * 0.2, chin + unit * 0.16)
    draw.circle(badge, unit * 0.065, fill=rosette)
    draw.circle(badge, unit * 0.03, fill=mix(rosette, (255, 255, 255), 0.75))
    return image.filter(ImageFilter.GaussianBlur(1.2))


def _face(draw: ImageDraw.ImageDraw, centre: float, top: float, unit: int, dark: Colour) -> None:
    for side in (-1, 1):
        eye = (centre + side * unit * 0.07, top + unit * 0.22)
        draw.circle(eye, unit * 0.018, fill=(40, 32, 30))
        draw.line((eye[0] - unit * 0.03, eye[1] - unit * 0.04, eye[0] + unit * 0.03, eye[1] - unit * 0.04), dark, 2)
    draw.line((centre, top + unit * 0.24, centre - unit * 0.015, top + unit * 0.3), dark, 2)
    mouth = (centre - unit * 0.06, top + unit * 0.28, centre + unit * 0.06, top + unit * 0.36)
    draw.arc(mouth, 20, 160, fill=dark, width=max(2, unit // 70))


def _backdrop(width: int, height: int, rng: random.Random) -> Image.Image:
    """Two soft colours above each other, out of focus."""
    sky, ground = rng.choice(SKY), rng.choice(GRASS)
    small = Image.new("RGB", (1, 4))
    small.putdata([sky, mix(sky, ground, 0.3), ground, mix(ground, (0, 0, 0), 0.2)])
    return small.resize((width, height), Image.Resampling.BICUBIC)


def street(width: int, height: int, rng: random.Random) -> Image.Image:
    """Houses below the sky, a road before them."""
    image = _backdrop(width, height, rng)
    draw = ImageDraw.Draw(image)
    left, ground = 0, round(height * 0.78)
    while left < width:
        wide, top = rng.randint(50, 95), round(height * rng.uniform(0.3, 0.5))
        wall = rng.choice(WALLS)
        draw.rectangle((left, top, left + wide, ground), fill=wall)
        roof = [(left - 6, top), (left + wide // 2, top - 34), (left + wide + 6, top)]
        draw.polygon(roof, fill=mix(wall, (50, 30, 30), 0.6))
        for window in range(left + 9, left + wide - 16, 24):
            for storey in range(top + 12, ground - 20, 36):
                draw.rectangle((window, storey, window + 12, storey + 18), fill=(70, 80, 92))
        left += wide + rng.randint(0, 30)
    draw.rectangle((0, ground, width, height), fill=(112, 112, 114))
    draw.line((0, ground + (height - ground) // 2, width, ground + (height - ground) // 2), (220, 220, 220), 3)
    return image.filter(ImageFilter.GaussianBlur(1.0))


def bar_chart(sheet: Sheet, box: Box, parties: list[Party], rng: random.Random) -> None:
    """The last result here: the first three parties with their names, each in its own colour where there is any."""
    left, top, right, bottom = box
    sheet.block(box, mix(sheet.style.main, (255, 255, 255), 0.88), 6)
    wide, floor = (right - left) // 3, bottom - 32
    for number, party in enumerate(parties[:3]):
        share = rng.uniform(0.2, 0.85)
        colour = ImageColor.getrgb(party.colour)[:3] if sheet.style.coloured else (70 + 50 * number,) * 3
        tip = floor - round(share * (floor - top - 40))
        x = left + number * wide
        sheet.block((x + wide // 5, tip, x + wide - wide // 5, floor), colour)
        sheet.write(f"{share * 50:.0f}%", (x, tip - 26), wide, 18, bold=True, centred=True)
        sheet.write(party.short, (x, floor + 6), wide, 14, bold=True, centred=True)


def sign(sheet: Sheet, name: str, centre: tuple[int, int], radius: int, colour: Colour) -> None:
    """The party's sign: one of six shapes around `centre`."""
    SIGNS[name](sheet.draw, centre[0], centre[1], radius, colour)


def _waves(draw: ImageDraw.ImageDraw, x: int, y: int, r: int, colour: Colour) -> None:
    for row in (-0.5, 0.0, 0.5):
        points = [(x + r * step / 10, y + r * (row + 0.18 * math.sin(step * 0.62))) for step in range(-10, 11)]
        draw.line(points, colour, max(4, r // 5), joint="curve")


def _chevrons(draw: ImageDraw.ImageDraw, x: int, y: int, r: int, colour: Colour) -> None:
    for row in (-0.35, 0.25):
        high, low = y + r * (row - 0.3), y + r * (row + 0.35)
        draw.line([(x - r, high), (x, low), (x + r, high)], colour, r // 4)


def _leaf(draw: ImageDraw.ImageDraw, x: int, y: int, r: int, colour: Colour) -> None:
    side = [(x + r * 0.62 * math.sin(math.pi * step / 12), y - r + r * step / 6) for step in range(13)]
    draw.polygon(side + [(2 * x - px, py) for px, py in reversed(side)], fill=colour)
    draw.line((x, y - r * 0.6, x, y + r * 1.2), mix(colour, (255, 255, 255), 0.6), max(2, r // 12))


def _lantern(draw: ImageDraw.ImageDraw, x: int, y: int, r: int, colour: Colour) -> None:
    draw.circle((x, y), r * 0.5, fill=colour)
    for turn in range(8):
        right, down = r * math.cos(turn * math.pi / 4), r * math.sin(turn * math.pi / 4)
        draw.line((x + 0.65 * right, y + 0.65 * down, x + right, y + down), colour, max(3, r // 7))


def _house(draw: ImageDraw.ImageDraw, x: int, y: int, r: int, colour: Colour) -> None:
    draw.polygon([(x - r, y), (x, y - r), (x + r, y)], fill=colour)
    draw.rectangle((x - r * 0.7, y, x + r * 0.7, y + r * 0.85), fill=colour)
    draw.ellipse((x - r * 0.25, y + r * 0.1, x + r * 0.25, y + r * 0.8), fill=mix(colour, (255, 255, 255), 0.8))


def _wheel(draw: ImageDraw.ImageDraw, x: int, y: int, r: int, colour: Colour) -> None:
    draw.circle((x, y), r, outline=colour, width=max(4, r // 6))
    for turn in range(3):
        way = (r * math.cos(turn * math.pi / 3), r * math.sin(turn * math.pi / 3))
        draw.line((x - way[0], y - way[1], x + way[0], y + way[1]), colour, max(3, r // 8))


SIGNS = {
    "waves": _waves,
    "chevrons": _chevrons,
    "leaf": _leaf,
    "lantern": _lantern,
    "house": _house,
    "wheel": _wheel,
}
