"""Something is known about each block of code of the documentation: it is run, parsed, or not run.

`pytest -n 0 -s tests/docs/test_blocks.py` prints the counts, and why blocks are not run.
"""

from collections import Counter

from doc_blocks import PAGES, PYTHON_PAGES, ROOT, RUN_PAGES, blocks_of, commands, status

BLOCKS = [block for page in PAGES for block in blocks_of(page)]


def test_each_block_is_run_or_parsed_or_marked_as_not_run():
    found = {block.place: status(block) for block in BLOCKS}
    kinds = Counter((block.language, found[block.place].kind) for block in BLOCKS)
    for (language, kind), count in sorted(kinds.items()):
        print(f"{language:8} {kind:8} {count}")
    for place, (kind, reasons) in found.items():
        if kind == "not run":
            print(place, *reasons, sep="\n    ")
    assert {place: reasons for place, (kind, reasons) in found.items() if not kind} == {}
    assert kinds["sh", "parsed"] > 40


def test_each_fence_of_a_page_belongs_to_a_block():
    for page in PAGES:
        fences = [line for line in page.read_text("utf-8").splitlines() if line.startswith("```")]
        assert len(fences) == 2 * len(blocks_of(page)), page


def test_the_tests_that_run_pages_name_them():
    for page, test in RUN_PAGES.items():
        text = (ROOT / "tests" / "docs" / test).read_text(encoding="utf-8")
        assert page.removesuffix(".md") in text
    assert all((ROOT / page).is_file() for page in PYTHON_PAGES)


def test_a_block_of_the_shell_is_divided_into_commands():
    text = "a -b 'c d' \\\n  e   # f\nX=1 g && h > i | j < k &\n# l\nm \"n\no\";\n"
    assert [*commands(text)] == [["a", "-b", "c d", "e"], ["g"], ["h"], ["j"], ["m", "n\no"]]
