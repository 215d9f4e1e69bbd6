"""`make soak`: mixed traffic with faults, for about ten minutes. Memory stays flat, and both ends count the same.

Every payload is sent until it is accepted, as a patient sender would; at the end the stand-in must hold exactly what
was accepted.
"""

import argparse
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from demo.conversation import Conversation
from demo.langfuse import stand_in
from demo.plugin_daemon import Local
from tests.conftest import Plugin
from tests.runtime.fuzz import rss_kb

FAULTS = (
    {"status": 500},
    {"status": 429, "headers": {"Retry-After": "1"}},
    {"reset": True},
    {"status": 503, "delay": 0.2},
)
OBSERVATIONS = 28
MAX_GROWTH_KB = 60_000
SENDERS = 4
ROUND = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    seconds = parser.parse_args().seconds
    chance = random.Random(7)  # noqa: S311 - the same traffic in every run
    begun = time.monotonic()
    accepted = 0
    sizes: list[int] = []
    with stand_in() as langfuse, Local(langfuse.settings()) as runtime, ThreadPoolExecutor(SENDERS) as pool:
        plugin = Plugin(runtime, langfuse)

        def send(number: int) -> int:
            conversation = Conversation(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number))
            for envelope in conversation.envelopes():
                for _ in range(50):
                    if plugin.post("/traces", envelope).status == 200:
                        break
                    time.sleep(0.2)
                else:
                    raise AssertionError("never accepted")
            return OBSERVATIONS

        number = 0
        while time.monotonic() - begun < seconds:
            langfuse.reset()
            langfuse.fail(*chance.choices(FAULTS, k=20))
            sent = sum(pool.map(send, range(number, number + ROUND)))
            number += ROUND
            stored = len(langfuse.all_observations())
            assert stored == sent, f"{sent} accepted, {stored} stored"
            accepted += sent
            sizes.append(rss_kb(runtime.pid))
            sys.stdout.write(f"{time.monotonic() - begun:6.0f} s  {accepted:8} observations  {sizes[-1] // 1024} MiB\n")
            sys.stdout.flush()
    # The bounded memories fill up in the first third.
    growth = sizes[-1] - sizes[len(sizes) // 3]
    assert growth < MAX_GROWTH_KB, f"memory grew by {growth} kB"
    sys.stdout.write(f"{accepted} observations accepted and stored, memory grew by {growth} kB\n")


if __name__ == "__main__":
    main()
