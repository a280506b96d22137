"""Whole files or none."""

import errno
import json
import os
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from leaflet_tool import storage
from leaflet_tool.errors import InputError

LARGEST = 16 * 1024 * 1024


@contextmanager
def no_room() -> Iterator[None]:
    """Lets no file grow beyond LARGEST bytes: the system then fails a write as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_is_replaced_when_all_went_well(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "text.txt"
    storage.write_text(path, "old\n")
    storage.write_text(path, "née\r\n")
    assert path.read_bytes() == "née\r\n".encode()
    assert [each.name for each in path.parent.iterdir()] == ["text.txt"]


def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    storage.write_text(path, "old")
    with pytest.raises(KeyboardInterrupt), storage.replacing(path) as file:
        file.write("half of the new")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["text.txt"]  # noqa: PTH208


def test_a_full_disk_leaves_the_old_file_and_is_told_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    storage.write_text(path, "old")
    with no_room(), pytest.raises(OSError) as caught:
        storage.write_text(path, "x" * (LARGEST + 1))
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(path))
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["text.txt"]  # noqa: PTH208


def test_a_killed_writer_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    storage.write_text(path, "old")
    script = (
        "import os, signal, sys; from pathlib import Path; from leaflet_tool.storage import replacing\n"
        "with replacing(Path(sys.argv[1])) as file:\n"
        "    file.write('half'); file.flush(); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, path], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert path.read_text() == "old"


def test_written_files_have_the_permissions_the_user_asked_for(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        storage.write_text(tmp_path / "text.txt", "")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "text.txt").stat().st_mode) == 0o640


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    storage.write_text(tmp_path / "link.txt", "new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"


def test_a_device_is_written_to_and_not_replaced() -> None:
    storage.write_text(Path("/dev/null"), "gone")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_device_is_told_by_its_name() -> None:
    with pytest.raises(OSError) as caught:
        storage.write_text(Path("/dev/full"), "text")
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, "/dev/full")
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)


def test_a_folder_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError) as caught:
        storage.write_text(tmp_path / "folder", "text")
    assert caught.value.filename == str(tmp_path / "folder")
    assert os.listdir(tmp_path) == ["folder"]  # noqa: PTH208


def test_json_is_read_as_written_and_errors_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    with pytest.raises(InputError, match=r"facts\.json is missing"):
        storage.read_json(path)
    storage.write_json(path, {"Grüne": [1, None]})
    assert storage.read_json(path) == json.loads(path.read_text()) == {"Grüne": [1, None]}
    for content in (b"{", b"\xff\xfe", b""):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"facts\.json is not readable as JSON"):
            storage.read_json(path)


def test_a_digest_is_that_of_sha256sum(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert storage.sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_folder_is_held_by_one_process_until_it_ends(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from leaflet_tool.storage import locked\n"
        "with locked(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, tmp_path / "folder"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout and holder.stdout.readline() == "held\n"
        with pytest.raises(InputError, match="in use by another leaflet-tool"), storage.locked(tmp_path / "folder"):
            pass
        holder.kill()
    with storage.locked(tmp_path / "folder"):
        pass
