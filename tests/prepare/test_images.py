"""Working copies: what a person sees, whatever the file is."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leaflet_tool.prepare.images import SUFFIXES, Task, working_copy
from leaflet_tool.storage import sha256


def copied(image: Image.Image, folder: Path, name: str, max_side: int = 1600, **how: object) -> Image.Image:
    """The working copy of `image` saved as `name`."""
    image.save(folder / name, **how)
    assert working_copy(Task(folder / name, folder / "copy.jpg", max_side, 90)).reason == ""
    return Image.open(folder / "copy.jpg")


def test_large_images_shrink_and_small_ones_stay(tmp_path: Path) -> None:
    assert copied(Image.new("RGB", (3000, 1500)), tmp_path, "a.jpg", 800).size == (800, 400)
    assert copied(Image.new("RGB", (40, 30)), tmp_path, "b.png", 800).size == (40, 30)
    assert copied(Image.new("RGB", (1, 5000)), tmp_path, "c.png", 800).size == (1, 800)


@pytest.mark.parametrize("turn", range(1, 9))
def test_all_exif_turns_become_upright(tmp_path: Path, turn: int) -> None:
    upright = Image.new("RGB", (80, 40), "white")
    upright.paste((255, 0, 0), (0, 0, 20, 20))
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the transpositions that a reader of tag `turn` takes back
    stored = upright.transpose(Image.Transpose(undo[turn])) if turn > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = turn
    copy = copied(stored, tmp_path, "a.jpg", exif=exif)
    assert copy.size == (80, 40)
    assert copy.getpixel((8, 8))[0] > 200 > 100 > copy.getpixel((8, 8))[1]
    assert min(copy.getpixel((70, 30))) > 240
    assert 0x0112 not in copy.getexif()


def test_modes(tmp_path: Path) -> None:
    grey = np.full((20, 20), 0x8000, np.uint16)
    grey[0, 0] = 0xFFFF
    assert abs(copied(Image.fromarray(grey), tmp_path, "16.png").getpixel((12, 12))[0] - 128) <= 2
    twelve = np.full((20, 20), 0x0800, np.uint16)
    assert abs(copied(Image.fromarray(twelve), tmp_path, "12.tif").getpixel((12, 12))[0] - 128) <= 2
    assert min(copied(Image.new("RGBA", (9, 9), (0, 0, 0, 0)), tmp_path, "clear.png").getpixel((4, 4))) > 250
    clear = Image.new("P", (9, 9))
    clear.putpalette([0, 0, 0, 255, 0, 0])
    assert min(copied(clear, tmp_path, "palette.png", transparency=0).getpixel((4, 4))) > 250
    assert min(copied(Image.new("CMYK", (9, 9)), tmp_path, "cmyk.jpg").getpixel((4, 4))) > 250
    assert max(copied(Image.new("1", (9, 9)), tmp_path, "bits.png").getpixel((4, 4))) < 5
    assert copied(Image.new("LA", (9, 9), (77, 255)), tmp_path, "la.png").mode == "RGB"


def test_unreadable_files_give_a_reason_and_no_copy(tmp_path: Path) -> None:
    Image.effect_noise((200, 200), 80).save(tmp_path / "whole.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:4000])
    (tmp_path / "zero.jpg").write_bytes(b"")
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "post.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n")
    for name in ("cut.jpg", "zero.jpg", "text.png", "post.png", "absent.png"):
        reason = working_copy(Task(tmp_path / name, tmp_path / "out" / "copy.jpg", 100, 90)).reason
        assert reason.startswith("unreadable image: ")
        assert str(tmp_path) not in reason
    assert not (tmp_path / "out").exists()


def test_bombs_are_not_opened(tmp_path: Path) -> None:
    Image.new("1", (12000, 12000)).save(tmp_path / "bomb.png")
    copy = working_copy(Task(tmp_path / "bomb.png", tmp_path / "copy.jpg", 100, 90))
    assert (copy.digest, copy.reason) == ("", "unreadable image: too many pixels")


def test_a_copy_is_the_same_bytes_each_time(tmp_path: Path) -> None:
    Image.effect_noise((300, 200), 80).convert("RGB").save(tmp_path / "a.png")
    copies = []
    for name in ("1.jpg", "2.jpg"):
        assert working_copy(Task(tmp_path / "a.png", tmp_path / name, 100, 90)).digest == sha256(tmp_path / name)
        copies.append((tmp_path / name).read_bytes())
    assert copies[0] == copies[1]


def test_suffixes_are_of_images() -> None:
    assert {".jpg", ".jpeg", ".png", ".tif", ".webp"} <= SUFFIXES
    assert not SUFFIXES & {".eps", ".ps", ".pdf", ".txt"}
