"""Batches: each block is in one, and one is about a second of work whatever a block takes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fastmomentum.execution.batching import Batcher, Stretches


def count(blocks: Stretches) -> int:
    return sum(map(len, blocks))


def all_of(batcher: Batcher, cores: int, seconds_a_block: float) -> list[Stretches]:
    taken = []
    blocks = batcher.begin(cores)
    while blocks:
        taken.append(blocks)
        batcher.learn(count(blocks), count(blocks) * seconds_a_block)
        blocks = batcher.take()
    return taken


@given(
    blocks=st.sets(st.integers(0, 300), min_size=1),
    cores=st.integers(1, 1000),
    seconds=st.floats(0, 3),
    returned=st.data(),
)
def test_each_block_is_given_once(
    blocks: set[int], cores: int, seconds: float, returned: st.DataObject
) -> None:
    batcher = Batcher(iter(sorted(blocks)), len(blocks))
    done = []
    while taken := batcher.begin(cores):
        while taken:
            numbers = [block for stretch in taken for block in stretch]
            n = returned.draw(st.integers(1, len(numbers)))
            done += numbers[:n]
            batcher.give_back(tuple(range(block, block + 1) for block in numbers[n:]))
            batcher.learn(n, seconds)
            if returned.draw(st.booleans()):
                batcher.pause()
            taken = batcher.take()
    assert sorted(done) == sorted(blocks)


def test_a_task_takes_about_a_second() -> None:
    taken = all_of(Batcher(iter(range(100_000)), 100_000), cores=8, seconds_a_block=0.01)
    assert count(taken[0]) == 1  # nothing is known yet
    assert {count(blocks) for blocks in taken[1:500]} <= {99, 100}
    assert count(taken[-2]) == 12  # and in the end all cores have something
    assert len(taken) < 1050


def test_little_is_given_out_before_the_pace_is_known() -> None:
    for cores, samples in ((2, 2), (6400, 200)):
        batcher = Batcher(iter(range(10**6)), 10**6)
        for _ in range(2):  # who took them may be refused
            taken = [batcher.begin(cores), *iter(batcher.take, ())]
            assert [count(blocks) for blocks in taken] == [1] * samples
        batcher.learn(1, 0.02)
        assert count(batcher.begin(cores)) > 20


def test_blocks_that_take_long_go_alone() -> None:
    taken = all_of(Batcher(iter(range(100)), 100), cores=4, seconds_a_block=5.0)
    assert [count(blocks) for blocks in taken] == [1] * 100


def test_on_thousands_of_cores_tasks_are_longer() -> None:
    batcher = Batcher(iter(range(10**6)), 10**6)
    taken = all_of(batcher, cores=6400, seconds_a_block=0.5)
    assert batcher.seconds == 32.0
    assert max(map(count, taken)) == 64


def test_gaps_are_kept_and_need_no_list_of_numbers() -> None:
    batcher = Batcher(iter([0, 3, 4, 5, 9, *range(20, 1000)]), 985)
    batcher.learn(1, 0.1)
    assert batcher.begin(1) == (range(0, 1), range(3, 6), range(9, 10), range(20, 25))
