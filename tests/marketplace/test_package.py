import re
import zipfile
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from marketplace.build import ROOT, build, packaged_files
from marketplace.rules import check
from provider import PLUGIN_VERSION

KINDS = ("to fill in", "to fill in")  # repo and contact, which only the publisher knows


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("package") / "out")


def changed(package: Path, target: Path, **files: bytes | None) -> Path:
    """The package with some files replaced, added, or (None) removed. `__` stands for `/`, `_dot_` for `.`."""
    given = {name.replace("__", "/").replace("_dot_", "."): content for name, content in files.items()}
    with zipfile.ZipFile(package) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            if name not in given:
                new.writestr(name, old.read(name))
        for name, content in given.items():
            if content is not None:
                new.writestr(name, content)
    return target


def test_the_package_passes_the_marketplaces_rules_but_for_the_publishers_entries(package: Path) -> None:
    assert tuple(finding.kind for finding in check(package)) == KINDS


def test_the_package_holds_runtime_files_only() -> None:
    folders = {path.parts[0] for path in packaged_files() if len(path.parts) > 1}
    assert folders == {"_assets", "endpoints", "mapper", "payloads", "policy", "provider"}
    assert {path.name for path in packaged_files() if len(path.parts) == 1} == {
        ".env.example",
        "CHANGELOG.md",
        "LICENSE",
        "PRIVACY.md",
        "README.md",
        "SECURITY.md",
        "main.py",
        "manifest.yaml",
        "requirements.txt",
    }


def test_the_same_files_give_the_same_package(package: Path, tmp_path: Path) -> None:
    assert build(ROOT, tmp_path / "again").read_bytes() == package.read_bytes()


@pytest.mark.parametrize(
    ("file", "content", "finding"),
    [
        ("PRIVACY_dot_md", None, "PRIVACY.md is missing"),
        ("README_dot_md", b"", "README.md is missing"),
        ("notes_dot_md", b"sk-" + b"a" * 24, "looks like a secret"),
        ("tests__x_dot_py", b"", "does not belong"),
        ("_dot_env", b"", "does not belong"),
        ("requirements_dot_txt", b"dify_plugin>=0.8\n", "0.9.0 or newer"),
        ("requirements_dot_txt", b"dify_plugin>=0.10,<1\nhttpx\n", "no lower bound"),
        ("requirements_dot_txt", b"x @ https://x.example/x.zip\n", "only names and versions"),
        ("_assets__icon_dot_svg", b"<png>", "icon must be a drawing"),
    ],
)
def test_a_breach_of_a_rule_is_found(
    package: Path, tmp_path: Path, file: str, content: bytes | None, finding: str
) -> None:
    if file == "README_dot_md" or content is None:
        found = check(changed(package, tmp_path / "x.difypkg", **{file: b" "}))
    else:
        found = check(changed(package, tmp_path / "x.difypkg", **{file: content}))
    assert any(finding in each.text for each in found if each.kind == "error")


def test_a_bad_manifest_is_found(package: Path, tmp_path: Path) -> None:
    manifest = yaml.safe_load((ROOT / "manifest.yaml").read_text())
    manifest |= {"author": "dify-fans", "version": "1.0", "tags": ["nonsense"], "repo": "https://github.com/x/y"}
    text = yaml.safe_dump(manifest, allow_unicode=True).encode()
    errors = [each.text for each in check(changed(package, tmp_path / "x.difypkg", manifest_dot_yaml=text))]
    for part in ("author must not contain", "version must be", "tags must be", "must name the repository"):
        assert any(part in error for error in errors)


def test_the_version_is_the_same_everywhere() -> None:
    version = yaml.safe_load((ROOT / "manifest.yaml").read_text())["version"]
    assert version == PLUGIN_VERSION
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text()
    assert f"**Version:** {version}" in (ROOT / "README.md").read_text()


def test_every_runtime_dependency_says_why_its_bounds_are_what_they_are() -> None:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    for above, line in pairwise(lines):
        if line and not line.startswith("#"):
            assert above.startswith("# "), line
            assert re.search(r">=.*,<", line), line
