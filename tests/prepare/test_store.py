"""The store where its disk is full."""

from pathlib import Path

import pytest

from leaflet_tool.errors import InputError
from leaflet_tool.prepare.store import Store


def test_a_full_disk_asks_for_space_and_not_for_the_file(tmp_path: Path) -> None:
    with Store(tmp_path / "store.sqlite") as store:
        store.put("kept", "yes")
        store._database.execute("PRAGMA max_page_count = 4")
        with pytest.raises(InputError, match="database or disk is full") as error:
            store.put_all({f"key{number}": "much" * 500 for number in range(100)})
        assert error.value.hint == "free some space; what was finished is kept"
        assert store.keys() == ["kept"]
