"""Working copies: what a person sees, whatever the file is."""

import os
import shutil
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from leaflet_tool.prepare import copies, images
from leaflet_tool.prepare.images import Copy, Task, upright, working_copy
from leaflet_tool.prepare.store import Store

UNDO = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
"""The transpositions that a reader of each EXIF orientation takes back."""


def task(source: Path, target: Path, max_side: int = 1600, **how: int) -> Task:
    return Task(source, target, max_side, 90, **{"max_pixels": 100_000_000} | how)


def copied(image: Image.Image, folder: Path, name: str, max_side: int = 1600, **how: object) -> Image.Image:
    """The working copy of `image` saved as `name`."""
    image.save(folder / name, **how)
    assert working_copy(task(folder / name, folder / "copy.jpg", max_side)).reason == ""
    return Image.open(folder / "copy.jpg")


def corner() -> Image.Image:
    """A white picture, wider than high, with a red corner at the top left."""
    image = Image.new("RGB", (80, 40), "white")
    image.paste((255, 0, 0), (0, 0, 20, 20))
    return image


def is_upright(copy: Image.Image) -> bool:
    red, white = copy.getpixel((8, 8)), copy.getpixel((70, 30))
    return copy.size == (80, 40) and red[0] > 200 > 100 > red[1] and min(white) > 240


def test_large_images_shrink_and_small_ones_stay(tmp_path: Path) -> None:
    assert copied(Image.new("RGB", (3000, 1500)), tmp_path, "a.jpg", 800).size == (800, 400)
    assert copied(Image.new("RGB", (40, 30)), tmp_path, "b.png", 800).size == (40, 30)
    assert copied(Image.new("RGB", (1, 5000)), tmp_path, "c.png", 800).size == (1, 800)


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "avif", "heic"])
def test_all_exif_turns_become_upright(tmp_path: Path, suffix: str, turn: int) -> None:
    stored = corner().transpose(Image.Transpose(UNDO[turn])) if turn > 1 else corner()
    exif = Image.Exif()
    exif[0x0112] = turn
    how = {"lossless": True} if suffix == "webp" else {"quality": 95} if suffix in ("avif", "heic") else {}
    stored.save(tmp_path / f"a.{suffix}", exif=exif.tobytes(), **how)
    made = working_copy(task(tmp_path / f"a.{suffix}", tmp_path / "copy.jpg"))
    copy = Image.open(tmp_path / "copy.jpg")
    assert is_upright(copy)
    assert (made.width, made.height) == (80, 40)
    assert 0x0112 not in copy.getexif()


@pytest.mark.parametrize("kind", ["Landscape", "Portrait"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_turned_photographs_look_like_the_reference(shared_data: Path, tmp_path: Path, kind: str, turn: int) -> None:
    pictures = []
    for number in (1, turn):
        source = shared_data / "hostile" / "exif" / f"{kind}_{number}.jpg"
        assert working_copy(task(source, tmp_path / "copy.jpg", 300)).reason == ""
        pictures.append(np.asarray(Image.open(tmp_path / "copy.jpg").convert("L"), dtype=float))
    assert pictures[0].shape == pictures[1].shape
    likeness = np.corrcoef(pictures[0].ravel(), pictures[1].ravel())[0, 1]
    assert likeness > 0.97  # a number is written in the middle of each
    assert np.corrcoef(pictures[0].ravel(), pictures[1][::-1].ravel())[0, 1] < 0.9


def test_a_turn_is_taken_clockwise_on_top_of_exif(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    corner().transpose(Image.Transpose(UNDO[6])).save(tmp_path / "a.png", exif=exif)
    made = working_copy(task(tmp_path / "a.png", tmp_path / "copy.jpg", turn=90))
    copy = Image.open(tmp_path / "copy.jpg")
    assert copy.size == (made.width, made.height) == (40, 80)
    assert copy.getpixel((32, 8))[1] < 100 < 200 < copy.getpixel((8, 8))[1]


def test_broken_metadata_does_not_spoil_the_picture(tmp_path: Path) -> None:
    corner().save(tmp_path / "a.jpg", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    assert working_copy(task(tmp_path / "a.jpg", tmp_path / "copy.jpg")).reason == ""
    assert is_upright(Image.open(tmp_path / "copy.jpg"))


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
    assert copied(Image.new("LA", (9, 9), (77, 128)), tmp_path, "la.png").getpixel((4, 4)) == (166, 166, 166)
    assert copied(Image.new("RGB", (9, 9)), tmp_path, "key.png", transparency=(0, 0, 0)).getpixel((4, 4)) > (
        250,
        250,
        250,
    )


@pytest.mark.parametrize("values", [(0.0, 0.5, 1.0), (0.0, 127.5, 255.0), (-3.0, 0.0, 3.0), (0.0, 0.6, 1.2)])
def test_floats_of_any_range_show_black_grey_and_white(tmp_path: Path, values: tuple[float, ...]) -> None:
    levels = np.repeat(np.float32(values), 20)[:, None].repeat(20, axis=1)
    levels[0, 0] = np.nan
    copy = copied(Image.fromarray(levels), tmp_path, "floats.tif")
    assert [copy.getpixel((10, row))[0] // 10 for row in (10, 30, 50)] == [0, 12, 25]


def test_a_tiff_whose_white_is_zero_is_not_shown_as_a_negative(tmp_path: Path) -> None:
    levels = Image.fromarray(np.full((20, 20), 0xFFFF, np.uint16))
    assert max(copied(levels, tmp_path, "negative.tif", tiffinfo={262: 0}).getpixel((9, 9))) < 5


def test_lab_and_colour_profiles_look_right(tmp_path: Path) -> None:
    lab = ImageCms.profileToProfile(
        Image.new("RGB", (20, 20), (200, 60, 40)),
        ImageCms.createProfile("sRGB"),
        ImageCms.createProfile("LAB"),
        outputMode="LAB",
    )
    copy = copied(lab, tmp_path, "lab.tif")
    assert max(abs(a - b) for a, b in zip(copy.getpixel((9, 9)), (200, 60, 40), strict=True)) <= 4
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    other = copied(Image.new("RGB", (20, 20), (200, 60, 40)), tmp_path, "odd.png", icc_profile=profile)
    assert other.mode == "RGB"  # a profile that cannot be used is passed over
    broken = copied(Image.new("RGB", (20, 20), (200, 60, 40)), tmp_path, "broken.png", icc_profile=b"nonsense")
    assert max(abs(a - b) for a, b in zip(broken.getpixel((9, 9)), (200, 60, 40), strict=True)) <= 4


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "I;16", "CMYK"])
def test_huge_pictures_are_made_smaller_in_bands(tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leaflet_tool.prepare.rgb.BAND", 5000)
    picture = Image.linear_gradient("L").resize((500, 700))
    picture = picture.point(lambda level: level * 257, "I").convert("I;16") if mode == "I;16" else picture.convert(mode)
    copy = copied(picture, tmp_path, "a.tif", 50)
    assert copy.size == (36, 50)
    rows = [sum(copy.getpixel((18, row))) / 3 for row in range(50)]
    assert rows[0] < 20 and rows[-1] > 235
    assert max(abs(a - b) for a, b in zip(rows, np.linspace(2, 253, 50), strict=True)) < (60 if mode == "1" else 8)


@pytest.fixture
def hostile(tmp_path: Path) -> dict[str, Path]:
    """Files that are no images, or broken ones, by the reason that is expected."""
    Image.effect_noise((200, 200), 80).save(tmp_path / "whole.jpg")
    contents = {
        "image file is truncated": ("cut.jpg", (tmp_path / "whole.jpg").read_bytes()[:4000]),
        "the file is empty": ("zero.jpg", b""),
        "of no known format": ("text.png", b"no image"),
        "broken from its beginning": ("half.png", b"\x89PNG\r\n\x1a\n\0\0"),
        "No such file": ("absent.png", None),
    }
    for name, content in contents.values():
        if content is not None:
            (tmp_path / name).write_bytes(content)
    return {reason: tmp_path / name for reason, (name, _) in contents.items()}


def test_unreadable_files_give_a_reason_and_no_copy(hostile: dict[str, Path], tmp_path: Path) -> None:
    for words, path in hostile.items():
        reason = working_copy(task(path, tmp_path / "out" / "copy.jpg", 100)).reason
        assert reason.startswith("unreadable image: ")
        assert words in reason
        assert str(tmp_path) not in reason
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "head", "words"),
    [
        ("a.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "PostScript, which would start an"),
        ("a.jpg", b"%!PS-Adobe-3.0\n", "PostScript, which would start an interpreter"),
        ("a.png", b"\xc5\xd0\xd3\xc6" + bytes(28), "PostScript, which would start an interpreter"),
        ("a.psd", b"8BPS\0\1", "PSD"),
        ("a.jpg", b"8BPS\0\1", "PSD"),
        ("a.dds", b"DDS ", "DDS"),
        ("a.tga", bytes(18), "TGA"),
        ("a.dng", b"II*\0\x08\0\0\0\0\0", "camera raw"),
    ],
)
def test_other_formats_are_named_and_not_opened(tmp_path: Path, name: str, head: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(head)
    reason = working_copy(task(tmp_path / name, tmp_path / "copy.jpg")).reason
    assert reason.startswith(f"format not read: {words}")


def test_the_bytes_count_and_not_the_suffix(tmp_path: Path) -> None:
    corner().save(tmp_path / "a.png")
    for name in ("a.jpg", "a.psd", "a.pdf", "a"):
        shutil.copy(tmp_path / "a.png", tmp_path / name)
        assert working_copy(task(tmp_path / name, tmp_path / "copy.jpg")).reason == ""


def test_animated_files_give_their_first_picture(tmp_path: Path) -> None:
    later = Image.new("RGB", (80, 40), "blue")
    for name in ("a.gif", "a.png", "a.webp"):
        assert is_upright(copied(corner(), tmp_path, name, save_all=True, append_images=[later], duration=100))


def bilevel(width: int, height: int) -> bytes:
    """A white PNG of any size, a few bytes for a row."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress((b"\0" + b"\xff" * ((width + 7) // 8)) * height, 9)
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_the_limit_on_pixels_is_the_one_that_counts(tmp_path: Path) -> None:
    (tmp_path / "bomb.png").write_bytes(bilevel(20000, 10000))
    bomb = task(tmp_path / "bomb.png", tmp_path / "copy.jpg", 100)
    assert working_copy(bomb) == Copy(reason="unreadable image: more than 100,000,000 pixels")
    allowed = task(tmp_path / "bomb.png", tmp_path / "copy.jpg", 100, max_pixels=200_000_000)
    assert working_copy(allowed).reason == ""  # though Pillow would warn at half as many
    with pytest.raises(images.TooManyPixelsError):
        upright(tmp_path / "bomb.png", 100)


def test_a_copy_is_the_same_bytes_each_time(tmp_path: Path) -> None:
    Image.effect_noise((300, 200), 80).convert("RGB").save(tmp_path / "a.png")
    shutil.copy(tmp_path / "a.png", tmp_path / "b.jpg")
    digests = [working_copy(task(tmp_path / name, tmp_path / f"{name}.jpg", 100)).digest for name in ("a.png", "b.jpg")]
    assert digests[0] == digests[1]
    assert (tmp_path / "a.png.jpg").read_bytes() == (tmp_path / "b.jpg.jpg").read_bytes()


def test_the_digest_is_of_the_file_and_the_page(tmp_path: Path) -> None:
    pages = [Image.new("L", (30, 20), shade) for shade in (0, 255)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    made = [working_copy(task(tmp_path / "a.tif", tmp_path / "copy.jpg", frame=frame)) for frame in (0, 1)]
    assert made[0].digest != made[1].digest
    assert [copy.brightness for copy in made] == [0, 255]
    pages[1].save(tmp_path / "a.tif", save_all=True, append_images=pages[:1])
    assert working_copy(task(tmp_path / "a.tif", tmp_path / "copy.jpg")).digest != made[0].digest


def test_a_page_that_is_not_there_is_said(tmp_path: Path) -> None:
    Image.new("L", (30, 20)).save(tmp_path / "a.tif")
    assert "outside sequence" in working_copy(task(tmp_path / "a.tif", tmp_path / "copy.jpg", frame=3)).reason


def test_a_full_disk_is_no_fault_of_the_image(tmp_path: Path) -> None:
    Image.effect_noise((300, 200), 80).save(tmp_path / "a.png")
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError, match="file"):
        working_copy(task(tmp_path / "a.png", tmp_path / "file" / "copy.jpg"))


def test_pages_of_a_pdf_are_drawn_at_the_wanted_size_with_their_text(tmp_path: Path, pdf: Callable[..., Path]) -> None:
    path = pdf(tmp_path / "a.pdf", "Vote Green", "")
    first, second = (working_copy(task(path, tmp_path / f"{frame}.jpg", 600, frame=frame)) for frame in (0, 1))
    assert (first.width, first.height, first.layer) == (600, 400, "Vote Green")
    assert second.layer == ""
    assert Image.open(tmp_path / "1.jpg").getpixel((20, 390)) < (50, 50, 50)
    assert min(Image.open(tmp_path / "1.jpg").getpixel((300, 100))) > 240
    assert first.digest != second.digest
    page, size = upright(path.read_bytes(), 900, turn=90)
    assert page.size == size == (600, 900)


def test_a_broken_pdf_costs_itself_only(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.4 and no more")
    assert working_copy(task(tmp_path / "a.pdf", tmp_path / "copy.jpg")).reason.startswith("unreadable image: ")


def slow_or_greedy(given: Task) -> Copy:
    """Stands in for decoders that hang, crash or take too much."""
    match given.source.stem:
        case "hang":
            given.target.with_name(".half.part").write_bytes(b"half")
            time.sleep(600)
        case "crash":
            os.abort()
        case "greedy":
            len(bytes(2000 * 1000**2))
    return working_copy(given)


def test_copies_are_made_within_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "working_copy", slow_or_greedy)
    monkeypatch.setattr(copies, "SECONDS", 3)
    names = ["good", "hang", "crash", "greedy", "fine"]
    for name in names:
        corner().save(tmp_path / f"{name}.png")
    (tmp_path / "out").mkdir()
    tasks = [task(tmp_path / f"{name}.png", tmp_path / "out" / f"{name}.jpg") for name in names]
    with Store(tmp_path / "store.sqlite") as store:
        made = copies.make(tasks, store, workers=2)
        again = copies.make(tasks[:1] + tasks[4:], store, workers=2)
    assert [copy.reason for copy in made] == [
        "",
        "unreadable image: took more than 3 s",
        "unreadable image: crashed its reader",
        "unreadable image: needs more than 1000 MB",
        "",
    ]
    assert again == [made[0], made[4]]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["fine.jpg", "good.jpg"]


def test_a_lower_limit_on_pixels_counts_for_copies_that_are_there(tmp_path: Path) -> None:
    corner().save(tmp_path / "a.png")
    with Store(tmp_path / "store.sqlite") as store:
        assert copies.make([task(tmp_path / "a.png", tmp_path / "a.jpg")], store)[0].reason == ""
        lower = task(tmp_path / "a.png", tmp_path / "a.jpg", max_pixels=3000)
        assert copies.make([lower], store)[0].reason == "unreadable image: more than 3,000 pixels"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is looked up as Linux tells it")
def test_huge_files_are_not_read_into_memory(tmp_path: Path) -> None:
    code = (
        "import re, sys; from pathlib import Path; from leaflet_tool.prepare.images import Task, working_copy\n"
        "path, out = map(Path, sys.argv[1:])\n"
        "print(working_copy(Task(path, out, 100, 90, 10**8)).reason)\n"
        "print(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])\n"
    )
    Image.effect_noise((300, 200), 80).save(tmp_path / "a.tif")
    with (tmp_path / "a.tif").open("r+b") as file:
        file.truncate(2 * 10**9)
    command = [sys.executable, "-c", code, tmp_path / "a.tif", tmp_path / "copy.jpg"]
    reason, kilobytes = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")[:2]
    assert reason == ""
    assert int(kilobytes) < 400_000
