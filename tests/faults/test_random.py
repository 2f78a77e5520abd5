"""A few hundred faults drawn from a seed: nothing wrong ever lands, and each run after them completes.

`CONNECTOMEDB_FAULTS` asks for more of them, `CONNECTOMEDB_FAULT_SEED` for others. Which request gets which fault
also hangs on the order in which threads ask, so a seed repeats the mixture rather than the moment.
"""

import os
import random
from pathlib import Path

import pytest
from tests.faults.faults import (
    PASS,
    Answer,
    Chunked,
    Cut,
    Delay,
    Drip,
    Fault,
    Flip,
    Headed,
    Lie,
    More,
    Request,
    Rule,
    Shift,
    Stall,
    Trail,
    Whole,
    s3_error,
)
from tests.faults.proxy import Proxy
from tests.faults.site import SMALL, Published, Site

FAULTS = int(os.environ.get("CONNECTOMEDB_FAULTS", "300"))
SEED = int(os.environ.get("CONNECTOMEDB_FAULT_SEED", "20130214"))
TIMEOUT_S = 0.5
FEWEST_PER_ROUND = 5
"""Hardly ever fewer faults strike in one round."""


def draw(dice: random.Random) -> Fault:
    """Any fault; the ones that cost time are rare."""
    place = int(2 ** dice.uniform(0, 23))
    kinds: list[tuple[int, Fault]] = [
        (4, Cut(place)),
        (4, Cut(place, reset=False)),
        (1, Stall(place)),
        (1, Drip(place)),
        (4, Flip(dice.choice((0.05, 1.0)), seed=dice.randrange(1 << 30))),
        (2, s3_error(503, "SlowDown")),
        (1, s3_error(503, "SlowDown", retry_after_s=1)),
        (2, s3_error(500, "InternalError")),
        (1, s3_error(403, dice.choice(("AccessDenied", "ExpiredToken")))),
        (1, s3_error(404, "NoSuchKey")),
        (2, Answer(200, b"<html>Log in</html>", {"Content-Type": "text/html"})),
        (1, Answer(200)),
        (3, Lie(-dice.randrange(1, 1000))),
        (2, Lie(dice.randrange(1, 1000))),
        (2, Trail()),
        (1, Chunked()),
        (2, More(dice.randrange(1, 100_000))),
        (2, Shift(dice.randrange(1, 1 << 20))),
        (1, Headed({"ETag": None})),
        (1, Headed({"Content-Encoding": "gzip"})),
        (1, Whole()),
        (2, Delay(dice.uniform(0, 0.05))),
    ]
    return dice.choices([fault for _, fault in kinds], [weight for weight, _ in kinds])[0]


def rough(dice: random.Random) -> Rule:
    """A store of which so many replies are spoilt; listings and manifests less often."""
    share = dice.choice((0.1, 0.3, 0.6))

    def rule(request: Request) -> Fault:
        spoilt = dice.random() < (share if request.wants_data else share / 5)
        return draw(dice) if spoilt else PASS

    return rule


@pytest.mark.timeout(max(120, FAULTS))
def test_whatever_happens_no_wrong_file_lands_and_the_next_run_completes(
    published: Published, proxy: Proxy, tmp_path: Path
) -> None:
    print(f"seed {SEED}")
    dice = random.Random(SEED)
    struck = 0
    for number in range(1 + FAULTS // FEWEST_PER_ROUND):
        site = Site(published, proxy, tmp_path / str(number), timeout_s=TIMEOUT_S)
        proxy.rule = rough(dice)
        wanted = dice.choice(("", SMALL))
        site.try_fetch(wanted)
        struck += proxy.struck.total()
        site.recover(wanted)
        if struck >= FAULTS:
            return
    pytest.fail(f"only {struck} faults struck")
