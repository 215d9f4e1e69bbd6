import time
from dataclasses import dataclass, field


@dataclass
class Clock:
    """Owned by the test: runs with the real one, and jumps where somebody sleeps."""

    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return time.monotonic() + sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
