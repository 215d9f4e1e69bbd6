"""`make package`: builds the package, checks it by the marketplace's rules, installs it and runs a trace through it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from marketplace.build import ROOT, build
from marketplace.rules import check
from marketplace.trial import RUNTIMES, install, run_one_trace


def main() -> int:
    """0 where nothing but the publisher's own entries is left to do."""
    package = build()
    _say(f"{package.relative_to(ROOT)}: {package.stat().st_size:,} bytes")
    findings = check(package)
    for finding in findings:
        _say(f"  {finding.kind}: {finding.text}")
    if any(finding.kind == "error" for finding in findings):
        return 1
    with tempfile.TemporaryDirectory() as folder:
        plugin = Path(folder)
        python = install(package, plugin)
        _say("installed from its own requirements.txt into a fresh environment")
        for runtime in RUNTIMES:
            arrived = run_one_trace(plugin, python, runtime)
            _say(f"one trace through it ({runtime.__name__.lower()}): {arrived} observations arrived")
            if not arrived:
                return 1
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
