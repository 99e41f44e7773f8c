"""Fixtures of the tests of data."""

import pytest


@pytest.fixture
def table(tmp_path):
    """Writes rows of text and label as CSV, without quotes; gives the path."""

    def write(name, rows):
        path = tmp_path / name
        path.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows))
        return str(path)

    return write
