"""The same name lands in the same split, whatever else there is."""

from __future__ import annotations

from zoo.data.formats.splits import hold_out, place


def held(names: list[str]) -> set[str]:
    return set(hold_out(names, name=str, group=lambda name: name[0])[1])


def test_places_are_fixed_for_ever_and_even() -> None:
    assert place("cat/1.jpg") == 0.38784836223743413
    places = [place(f"{number}.jpg") for number in range(10_000)]
    assert 0.49 < sum(places) / len(places) < 0.51
    assert 900 < sum(where < 0.1 for where in places) < 1100


def test_adding_names_moves_none() -> None:
    few = [f"{letter}/{number}" for letter in "ab" for number in range(200)]
    more = few + [f"c/{number}" for number in range(200)] + [f"a/{number}" for number in range(200, 300)]
    assert held(few) == held(more) & set(few)
    assert 20 < len(held(few)) < 60


def test_no_group_is_held_out_whole() -> None:
    low = next(f"x{number}" for number in range(1000) if place(f"x{number}") < 0.1)
    others = [f"y{number}" for number in range(50)]
    kept, out = hold_out([low, *others], name=str, group=lambda name: name[0])
    assert low in kept and out


def test_few_items_still_leave_something_to_validate_on() -> None:
    names = [name for name in (f"a{number}" for number in range(100)) if place(name) > 0.1][:3]
    kept, out = hold_out(names, name=str, group=lambda name: name[0])
    assert len(kept) == 2 and out == [min(names, key=place)]


def test_a_single_item_is_kept() -> None:
    assert hold_out(["a"], name=str, group=lambda name: name[0]) == (["a"], [])
