"""One thing to look for in a text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

MARK = "[masked: {}]"
_MARKED = re.compile(r"\[masked: \w+\]")


@dataclass(frozen=True, slots=True)
class Pattern:
    """`kind` is what a masked value is said to be; `regex` finds candidates, `accept` makes sure of them.

    Where `regex` has a group `value`, only that is masked. `hint`: no match without this substring in the text;
    `digits`: none without digits. Both only spare time.
    """

    kind: str
    regex: re.Pattern[str]
    accept: Callable[[str], bool] | None = None
    hint: str | None = None
    digits: bool = False

    def mask(self, text: str) -> str:
        """`text` with every occurrence replaced by a mark that says what it was."""
        if (self.hint is not None and self.hint not in text) or (self.digits and not any(map(str.isdigit, text))):
            return text
        return self.regex.sub(self._replace, text)

    def _replace(self, match: re.Match[str]) -> str:
        group = "value" if "value" in self.regex.groupindex else 0
        value = match[group]
        if _MARKED.search(value) or (self.accept is not None and not self.accept(value)):
            return match[0]
        begin, end = match.start(group) - match.start(), match.end(group) - match.start()
        return match[0][:begin] + MARK.format(self.kind) + match[0][end:]
