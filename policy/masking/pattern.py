"""One thing to look for in a text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

MARK = "[masked: {}]"
_MARKED = re.compile(r"\[masked: \w+\]")


_NUMBER = re.compile(r"\d(?:[ /().-]{0,2}\d){6}")  # seven digits that may belong together


class Text:
    """A text, and what is looked at before any pattern is tried: most texts hold nothing, most patterns are slow."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lowered = text.lower()

    @cached_property
    def has_number(self) -> bool:
        """Whether there is a number long enough for anybody's."""
        return _NUMBER.search(self.text) is not None

    def has_any(self, words: tuple[str, ...]) -> bool:
        """Whether one of `words` (lower case) is in the text."""
        return any(map(self.lowered.__contains__, words))


@dataclass(frozen=True, slots=True)
class Pattern:
    """`kind` is what a masked value is said to be; `regex` finds candidates, `accept` makes sure of them.

    Where `regex` has a group `value`, only that is masked. `words`: no match in a text without one of these (lower
    case); `number`: none without a long number. Both only spare time.
    """

    kind: str
    regex: re.Pattern[str]
    accept: Callable[[str], bool] | None = None
    words: tuple[str, ...] = ()
    number: bool = False

    def mask(self, given: Text) -> str:
        """The text with every occurrence replaced by a mark that says what it was."""
        if self.number and not given.has_number:
            return given.text
        if self.words and not given.has_any(self.words):
            return given.text
        return self.regex.sub(self._replace, given.text)

    def _replace(self, match: re.Match[str]) -> str:
        group = "value" if "value" in self.regex.groupindex else 0
        value = match[group]
        if _MARKED.search(value) or (self.accept is not None and not self.accept(value)):
            return match[0]
        begin, end = match.start(group) - match.start(), match.end(group) - match.start()
        return match[0][:begin] + MARK.format(self.kind) + match[0][end:]
