"""The buffer, model-checked: writers, drainers, kills, storage faults and lost answers, interleaved call by call.

The real code runs in greenlets; every call of the storage and of Langfuse hands control to a scheduler that
hypothesis drives: whose call comes next, whose fails, and who is killed where it stands.
"""

import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from greenlet import greenlet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provider.buffer import KEPT_DAYS, MAX_DEAD, Buffer, Item, StorageFailed, Writer
from provider.errors import Refused, TryAgain

NOW = 1_793_000_000.0
DAY = 86_400.0


@dataclass
class Registers:
    """Dify's plugin storage; `before` is called with each call's name and key, and may raise."""

    values: dict[str, bytes] = field(default_factory=dict)
    before: Callable[[str], None] = lambda _call: None
    fails_after_writing: bool = False

    def get(self, key: str) -> bytes | None:
        self.before("get")
        return self.values.get(key)

    def set(self, key: str, value: bytes) -> None:
        self.before("set")
        self.values[key] = value
        if self.fails_after_writing:  # as Dify's does when it is full
            raise StorageFailed

    def delete(self, key: str) -> None:
        self.before("delete")
        self.values.pop(key, None)

    def exist(self, key: str) -> bool:
        self.before("exist")
        return key in self.values


def item(name: str, at: float = NOW) -> Item:
    return Item(name.encode(), trace_id=name, spans=1, stored_at=at, reason="unavailable")


def buffer(storage: Registers, at: Callable[[], float] = lambda: NOW, prefix: str = "e:") -> Buffer:
    return Buffer(storage, prefix, Writer(), at)


def drained(of: Buffer) -> list[str]:
    got: list[str] = []
    of.drain(lambda each: got.append(each.body.decode()), lambda: False)
    return got


def test_what_was_stored_is_delivered_once_by_any_process() -> None:
    storage = Registers()
    first, second = buffer(storage), buffer(storage)
    for name in "abc":
        first.store(item(name))
    second.store(item("d"))
    assert sorted(drained(buffer(storage))) == ["a", "b", "c", "d"]
    assert drained(buffer(storage)) == []


def test_when_langfuse_is_still_away_everything_stays() -> None:
    storage = Registers()
    buffer(storage).store(item("a"))

    def away(_item: Item) -> None:
        raise TryAgain("unavailable", "")

    assert buffer(storage).drain(away, lambda: False) == 0
    assert drained(buffer(storage)) == ["a"]


def test_what_langfuse_refuses_is_listed_and_replayed_or_dropped() -> None:
    storage = Registers()
    made = buffer(storage)
    made.store(item("a"))

    def refuse(_item: Item) -> None:
        raise Refused("rejected", "")

    made.drain(refuse, lambda: False)
    assert [(each.trace_id, each.reason) for _, each in made.status().dead] == [("a", "rejected")]
    assert drained(made) == []
    assert made.replay() == 1
    assert drained(made) == ["a"]
    made.store(item("b"))
    made.drain(refuse, lambda: False)
    assert made.drop() == 1
    assert made.status().dead == ()


def test_dead_letters_are_bounded() -> None:
    made = buffer(Registers())

    def refuse(_item: Item) -> None:
        raise Refused("rejected", "")

    for number in range(MAX_DEAD + 3):
        made.store(item(str(number), NOW + number))
    made.drain(refuse, lambda: False)
    dead = made.status().dead
    assert len(dead) == MAX_DEAD
    assert {"0", "1", "2"}.isdisjoint(each.trace_id for _, each in dead)


def test_the_status_tells_count_size_age_and_reason() -> None:
    made = buffer(Registers())
    made.store(item("abc", NOW - 60))
    made.store(item("de"))
    status = made.status()
    assert (status.count, status.bytes, status.oldest, status.last_reason) == (2, 5, NOW - 60, "unavailable")


def test_a_full_storage_promises_nothing_and_harms_nothing() -> None:
    storage = Registers()
    made = buffer(storage)
    made.store(item("a"))
    storage.fails_after_writing = True
    with pytest.raises(StorageFailed):
        made.store(item("b"))
    storage.fails_after_writing = False
    made.store(item("c"))
    assert {"a", "c"} <= set(drained(buffer(storage)))


def test_an_item_that_is_too_large_for_a_register_is_refused() -> None:
    import os

    with pytest.raises(StorageFailed):
        buffer(Registers()).store(Item(os.urandom(2_400_000), "t", 1, NOW, "x"))


def test_items_of_earlier_days_are_found_and_old_markers_go() -> None:
    storage = Registers()
    buffer(storage, lambda: NOW).store(item("a"))
    later = NOW + (KEPT_DAYS - 1) * DAY
    assert drained(buffer(storage, lambda: later)) == ["a"]
    assert storage.values == {}


def test_two_endpoints_never_see_each_others_items() -> None:
    storage = Registers()
    buffer(storage, prefix="one:").store(item("a"))
    assert drained(buffer(storage, prefix="two:")) == []
    assert drained(buffer(storage, prefix="one:")) == ["a"]


type Actor = tuple[Writer, Callable[[], None]]


@dataclass
class World:
    """Actors that take turns at every call; Langfuse remembers what it accepted."""

    choose: Callable[[int], int]
    storage: Registers = field(default_factory=Registers)
    accepted: Counter[str] = field(default_factory=Counter)
    promised: list[str] = field(default_factory=list)
    clock: float = NOW
    faults: int = 6
    jumps: int = 0
    """The clock may jump so often, by up to a day: a store that takes two days is outside the invariants."""

    rarity: int = 40
    """One call in so many is a fault, as many a jump of the clock."""

    scheduler: Any = None
    healthy: bool = False

    def __post_init__(self) -> None:
        self.storage.before = self.turn
        self.scheduler = greenlet.getcurrent()

    def turn(self, call: str) -> None:
        """Hands control over; the scheduler's answer may be a fault."""
        if self.healthy:
            return
        if self.scheduler.switch(call) == "fault":
            raise StorageFailed

    def deliver(self, each: Item) -> None:
        name = each.body.decode()
        if self.healthy:
            self.accepted[name] += 1
            return
        answer = self.scheduler.switch("post")
        if answer == "fault":
            raise TryAgain("unavailable", "")
        self.accepted[name] += 1
        if answer == "lost":
            raise TryAgain("timeout", "")

    def process(self) -> Writer:
        """A process's memory, with a lock that its greenlets wait for in turns."""
        return Writer(lock=TurnLock(self))

    def writer(self, process: Writer, name: str) -> Actor:
        def run() -> None:
            try:
                Buffer(self.storage, "e:", process, lambda: self.clock).store(item(name, self.clock))
            except StorageFailed:
                return
            self.promised.append(name)

        return process, run

    def drainer(self, process: Writer) -> Actor:
        def run() -> None:
            with suppress(StorageFailed):
                Buffer(self.storage, "e:", process, lambda: self.clock).drain(self.deliver, lambda: False)

        return process, run

    def run(self, actors: list[Actor]) -> None:
        """Until every actor has ended, or was killed with its process."""
        waiting = [(process, greenlet(run), "start") for process, run in actors]
        while waiting:
            process, actor, call = waiting.pop(self.choose(len(waiting)))
            for _ in range(1 + self.choose((1, 40, 400)[self.choose(3)])):  # one call, or a run of them
                what = self.choose(self.rarity)
                if what == 0 and self.faults:
                    self.faults -= 1
                    waiting = [each for each in waiting if each[0] is not process]
                    break  # SIGKILL: none of its greenlets is ever resumed
                if what == 1 and self.jumps:
                    self.jumps -= 1
                    self.clock += self.choose(3) * DAY / 2
                answer = "go"
                if what in {2, 3} and self.faults:
                    self.faults -= 1
                    answer = "lost" if what == 3 and call == "post" else "fault"
                said = actor.switch() if call == "start" else actor.switch(answer)
                if actor.dead:
                    break
                call = said
            else:
                waiting.append((process, actor, call))


@dataclass
class TurnLock:
    """Between the greenlets of one process: who finds it taken lets others go on."""

    world: World
    is_taken: bool = False

    def __enter__(self) -> None:
        while self.is_taken:
            self.world.scheduler.switch("lock")
        self.is_taken = True

    def __exit__(self, *_error: object) -> None:
        self.is_taken = False


@given(
    st.integers(0, 2**64), st.sampled_from([30, 300, 5_000]), st.integers(1, 5), st.integers(1, 3), st.integers(0, 3)
)
@settings(max_examples=3_000, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_no_schedule_loses_what_was_promised(seed: int, rarity: int, items: int, processes: int, drainers: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a schedule, repeatable
    world = World(chance.randrange, rarity=rarity)
    owners = [world.process() for _ in range(processes)]
    phases = chance.randrange(1, 4)
    for phase in range(phases):  # days apart, with what the processes remember; in each, everybody at once
        world.jumps = 1
        actors = [world.writer(owners[n % processes], f"item {n}") for n in range(items) if n % phases == phase]
        actors += [world.drainer(owners[n % processes] if n % 2 else world.process()) for n in range(drainers)]
        world.run(actors)
        world.clock += chance.randrange(7) * DAY / 2
    # Everything is well again, leases are over, and somebody drains.
    world.healthy = True
    world.clock += 3 * DAY
    for _ in range(2):
        world.drainer(world.process())[1]()
        world.clock += 60
    assert set(world.promised) <= set(world.accepted), "promised, and lost"
    assert set(world.accepted) <= {f"item {n}" for n in range(items)}, "delivered what nobody stored"
    assert drained(Buffer(world.storage, "e:", Writer(), lambda: world.clock)) == []


@given(st.integers(0, 2**64), st.integers(1, 5))
@settings(max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_without_faults_and_with_one_drainer_everything_is_delivered_once(seed: int, items: int) -> None:
    world = World(random.Random(seed).randrange, faults=0)  # noqa: S311 - a schedule, repeatable
    process = world.process()
    for number in range(items):
        world.run([world.writer(process, f"item {number}")])
    world.run([world.drainer(world.process())])
    world.healthy = True
    world.clock += 60
    world.drainer(world.process())[1]()
    assert world.accepted == Counter({f"item {number}": 1 for number in range(items)})
