"""Random touches and conversions, as lists that a reader can follow and as arrays."""

import numpy as np

from bayes_attrib.journeys import Conversions, Events, Touches
from bayes_attrib.journeys.events import TICKS_PER_DAY

HOUR = TICKS_PER_DAY // 24


def random_events(seed, *, n_customers=3000, n_points=5, mean_touches=4.0, mean_conversions=1.2):
    """Draw events on whole hours, so that many of them fall together."""
    rng = np.random.default_rng(seed)
    n_touches = rng.poisson(mean_touches, n_customers)
    n_conversions = rng.poisson(mean_conversions, n_customers)
    customer = np.repeat(np.arange(n_customers), n_touches)
    converted = np.repeat(np.arange(n_customers), n_conversions)
    shuffled = rng.permutation(len(customer))
    touches = Touches(
        customer[shuffled].astype(np.int32),
        rng.integers(0, 60 * 24, len(customer)) * HOUR,
        rng.integers(0, n_points, len(customer)).astype(np.int32),
    )
    conversions = Conversions(
        converted.astype(np.int32),
        rng.integers(0, 60 * 24, len(converted)) * HOUR,
        np.round(rng.gamma(2.0, 30.0, len(converted)), 2),
    )
    points = tuple(f"C{i}" for i in range(n_points))
    return Events(points, n_customers, touches, conversions)


def plain_journeys(events, look_back_days, *, reuse=False):
    """Cut journeys customer by customer: (touches with ages, conversions, value), null ones too."""
    touched = {c: [] for c in range(events.n_customers)}
    rows = zip(
        events.touches.customer.tolist(),
        events.touches.time.tolist(),
        events.touches.touchpoint.tolist(),
        strict=True,
    )
    for customer, time, point in rows:
        touched[customer].append((time, point))
    bought = {c: {} for c in range(events.n_customers)}
    for customer, time, value in zip(
        events.conversions.customer.tolist(),
        events.conversions.time.tolist(),
        events.conversions.value.tolist(),
        strict=True,
    ):
        count, worth = bought[customer].get(time, (0, 0.0))
        bought[customer][time] = (count + 1, worth + value)
    window = look_back_days * TICKS_PER_DAY
    found = []
    for customer in range(events.n_customers):
        path = sorted(touched[customer], key=lambda touch: touch[0])
        previous = None
        for time in sorted(bought[customer]):
            count, worth = bought[customer][time]
            inside = [
                (point, (time - when) / TICKS_PER_DAY)
                for when, point in path
                if time - window <= when <= time and (reuse or previous is None or when > previous)
            ]
            found.append((inside, count, worth))
            previous = time
        rest = [(when, point) for when, point in path if previous is None or when > previous]
        if rest:
            end = rest[-1][0]
            inside = [(p, (end - t) / TICKS_PER_DAY) for t, p in rest if t >= end - window]
            found.append((inside, 0, 0.0))
    return found


def as_plain(journeys):
    """Return the same form from arrays."""
    found = []
    for i in range(len(journeys)):
        here = slice(journeys.starts[i], journeys.starts[i + 1])
        touches = zip(journeys.touch[here].tolist(), journeys.age_days[here].tolist(), strict=True)
        found.append((list(touches), int(journeys.conversions[i]), float(journeys.value[i])))
    return found
