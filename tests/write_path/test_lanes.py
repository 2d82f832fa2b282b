"""Key lanes: no key is ever handed out twice, whatever happens to the processes that hold lanes."""

from __future__ import annotations

from uuid import UUID, uuid4

import psycopg
import pytest

from domain.errors import StorageUnavailable
from domain.keys import LANE_SHIFT, LANES
from infra.postgres.lanes import LeasedKeys

NOW = 1_800_000_000.0


class Wall:
    """A clock that is moved by hand (Unix seconds)."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> float:
        return self.at


def lane_of(key: int) -> int:
    return key >> LANE_SHIFT & LANES - 1


def keys(url: str, wall: Wall, holder: UUID | None = None) -> LeasedKeys:
    return LeasedKeys(url, holder or uuid4(), wall)


def expire(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE key_lanes SET expires_at = now() - interval '1 s' WHERE holder IS NOT NULL")


def test_each_process_has_a_lane_of_its_own(database: str) -> None:
    one, other = keys(database, Wall()), keys(database, Wall())
    handed_out = [source.next_key() for _ in range(300) for source in (one, other)]
    assert len(set(handed_out)) == 600
    assert one.lane != other.lane
    assert {lane_of(key) for key in handed_out} == {one.lane, other.lane}
    assert all(key & 4_095 == 0 for key in handed_out)


def test_a_lane_whose_holder_was_killed_goes_on_above_its_keys(database: str) -> None:
    wall = Wall()
    with psycopg.connect(database) as connection:
        connection.execute("DELETE FROM key_lanes WHERE lane > 0")
    first = keys(database, wall)
    before = [first.next_key() for _ in range(50)]
    with pytest.raises(StorageUnavailable, match="64 key lanes"):
        keys(database, wall).next_key()
    expire(database)
    after = keys(database, wall).next_key()
    assert lane_of(after) == lane_of(before[-1])
    assert after > max(before)


def test_a_holder_that_slept_through_its_lease_cannot_meet_its_successor(database: str) -> None:
    wall = Wall()
    with psycopg.connect(database) as connection:
        connection.execute("DELETE FROM key_lanes WHERE lane > 1")
    sleeper = keys(database, wall)
    handed_out = [sleeper.next_key()]
    expire(database)
    successors = [keys(database, wall), keys(database, wall)]
    handed_out += [successor.next_key() for successor in successors for _ in range(5)]
    assert len({lane_of(key) for key in handed_out}) == 2
    handed_out += [sleeper.next_key() for _ in range(100)]  # below its old ceiling, which nobody else goes below
    assert len(set(handed_out)) == len(handed_out)
    wall.at += 3_600
    with pytest.raises(StorageUnavailable, match="64 key lanes"):
        sleeper.next_key()


def test_a_lane_that_was_given_back_is_taken_again_without_a_jump(database: str) -> None:
    wall = Wall()
    with psycopg.connect(database) as connection:
        connection.execute("DELETE FROM key_lanes WHERE lane > 0")
    first = keys(database, wall)
    last = [first.next_key() for _ in range(10)][-1]
    first.close()
    wall.at += 1
    again = keys(database, wall).next_key()
    assert again > last
    assert again >> 25 == int((wall.at - 1_767_225_600) * 100)


def test_keys_go_on_when_the_clock_steps_back(database: str) -> None:
    wall = Wall()
    source = keys(database, wall)
    handed_out = []
    for step in (0, -3_600, 0, 7_200, -7_200):
        wall.at += step
        handed_out += [source.next_key() for _ in range(200)]
    assert handed_out == sorted(set(handed_out))


def test_more_keys_than_a_ceiling_allows_raise_it(database: str) -> None:
    source = keys(database, Wall())
    handed_out = [source.next_key() for _ in range(300_000)]
    assert len(set(handed_out)) == 300_000
