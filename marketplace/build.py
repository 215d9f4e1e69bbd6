"""The `.difypkg`: a plain zip of the runtime files, the same bytes for the same files."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pathspec
import yaml

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
_SAME_TIME = (1980, 1, 1, 0, 0, 0)  # zip's earliest: file times must not change the package


def packaged_files(root: Path = ROOT) -> list[Path]:
    """The files that go into the package, relative to `root`: all that `.difyignore` does not exclude."""
    ignored = pathspec.GitIgnoreSpec.from_lines((root / ".difyignore").read_text().splitlines())
    files = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return sorted(path for path in files if not ignored.match_file(path))


def build(root: Path = ROOT, target: Path = BUILD) -> Path:
    """Writes `<name>-<version>.difypkg` into `target`."""
    manifest = yaml.safe_load((root / "manifest.yaml").read_text())
    target.mkdir(exist_ok=True)
    package = target / f"{manifest['name']}-{manifest['version']}.difypkg"
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in packaged_files(root):
            entry = zipfile.ZipInfo(path.as_posix(), _SAME_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, (root / path).read_bytes())
    return package
