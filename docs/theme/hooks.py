"""Hooks of MkDocs that add generated pages and rewrite the links to source files.

MkDocs calls the functions by their names. Four kinds of pages are added to those of `docs/`:
Markdown files of other folders, one page per command (`commands.py`), the Python interface
(`python_api.py`), and the notebooks.
"""

import json
import posixpath
import re
import shutil
import sys
import tempfile
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

sys.path.append(str(Path(__file__).parent))
import commands
import python_api

ROOT = Path(__file__).parents[2]
OUTSIDE = {
    "ARCHITECTURE.md": "architecture.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "deploy/README.md": "deploy.md",
}
"""Pages of the site that lie outside of `docs/`, by their path from the root."""

STAND_INS = {
    "textrnn/__init__.py": "api/index.md",
    "textrnn/layers/cells": "api/cells.md",
    "textrnn/cli/commands": "commands/index.md",
}
"""Sources that pages link to, and the pages of the site that are made from them."""

_LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<path>[^)#:\s]+)(?P<anchor>#[^)]*)?\)")
_SOURCES = Path(tempfile.mkdtemp(prefix="textrnn-docs-"))


@event_priority(100)  # Before mkdocstrings looks for the package.
def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Adds made pages to the navigation; mkdocstrings gets the package as it is installed."""
    package = _SOURCES / "textrnn"
    shutil.copytree(ROOT / "textrnn", package, dirs_exist_ok=True)
    for name in ("export", "runtime", "training"):  # As setup.py installs them.
        shutil.copytree(ROOT / name, package / name, dirs_exist_ok=True)
    config.plugins["mkdocstrings"].config.handlers["python"]["paths"] = [str(_SOURCES)]
    (reference,) = (part["Reference"] for part in config.nav or [] if "Reference" in part)
    (tutorials,) = (part["Tutorials"] for part in config.nav or [] if "Tutorials" in part)
    tutorials.append({"Notebooks": ["notebooks.md", *notebooks()]})
    reference[:0] = [
        {"Commands": [name for name in commands.pages() if name != "settings.md"]},
        {"Settings": "settings.md"},
        {"Python": list(python_api.pages())},
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that are not in `docs/`."""
    for path, name in OUTSIDE.items():
        files.append(File.generated(config, name, abs_src_path=str(ROOT / path)))
    made = {**commands.pages(), **python_api.pages(), **notebooks()}
    for name, content in made.items():
        files.append(File.generated(config, name, content=content))
    return files


def notebooks() -> dict[str, str]:
    """Returns the notebooks of `examples/` as Markdown, by their path in the site."""
    made = {}
    for path in sorted((ROOT / "examples").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        made[f"notebooks/{path.stem}.md"] = "\n\n".join(
            "".join(cell["source"])
            if cell["cell_type"] == "markdown"
            else f"```python\n{''.join(cell['source'])}\n```"
            for cell in cells
        )
    return made


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turns links to files of the repository into links to pages, or into plain code."""
    if page.file.generated_by and page.file.abs_src_path is None:
        return markdown
    folder = Path(str(page.file.abs_src_path)).parent

    def replaced(link: re.Match[str]) -> str:
        target = (folder / link["path"]).resolve()
        if target.is_relative_to(config.docs_dir):
            name = target.relative_to(config.docs_dir).as_posix()
        elif target.is_relative_to(ROOT):
            path = target.relative_to(ROOT)
            name = {**OUTSIDE, **STAND_INS}.get(path.as_posix(), "")
            if path.suffix == ".ipynb":
                name = f"notebooks/{path.stem}.md"
        else:
            return link[0]
        if name:
            path = posixpath.relpath(name, posixpath.dirname(page.file.src_uri))
            text = title_of(target) if link["text"].endswith(".md") else link["text"]
            return f"[{text}]({path}{link['anchor'] or ''})"
        return f"`{link['text'].strip('`')}`" if target.exists() else link[0]

    return _LINK.sub(replaced, markdown)


def title_of(path: Path) -> str:
    """Returns the title of a page, its first heading."""
    return path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lets code in sentences and tables break after signs, but not within an option."""

    def breakable(code: re.Match[str]) -> str:
        text = re.sub(r"(?<![\w-])--[\w-]+", r'<span class="option">\g<0></span>', code[1])
        text = re.sub(r"(?<=[a-z])[._/(=,](?=[a-z*])", r"\g<0><wbr>", text)
        return f"<code>{text}</code>"

    return re.sub(r"(?<!</span>)<code>([^<]*)</code>", breakable, html)


def on_shutdown() -> None:
    """Removes the copy of the package."""
    shutil.rmtree(_SOURCES, ignore_errors=True)
