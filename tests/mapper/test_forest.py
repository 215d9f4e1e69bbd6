from mapper.forest import parents_first


def test_parents_come_before_their_children() -> None:
    placed = parents_first({"c": "b", "b": "a", "a": None, "d": "a"})
    assert placed == {"a": None, "b": "a", "c": "b", "d": "a"}
    assert list(placed).index("a") < list(placed).index("b") < list(placed).index("c")


def test_an_unknown_parent_is_none() -> None:
    assert parents_first({"a": "stranger"}) == {"a": None}


def test_a_circle_is_cut_open_at_its_first_member() -> None:
    assert parents_first({"a": "c", "b": "a", "c": "b"}) == {"a": None, "b": "a", "c": "b"}
    assert parents_first({"a": "a"}) == {"a": None}


def test_a_chain_of_100_000_is_no_problem() -> None:
    chain: dict[str, str | None] = {str(index): str(index - 1) for index in range(100_000)}
    assert len(parents_first(chain)) == 100_000
