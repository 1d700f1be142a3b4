"""How figures are taken: in turn, and the median of several."""
import statistics


def interleaved(runs, *measures):
    """Runs each measure once a round, in changing order, after one round to warm up; answers their lists of results."""
    results = [[] for _ in measures]
    for run in range(-1, runs):
        order = list(range(len(measures)))
        for i in order if run % 2 else reversed(order):
            value = measures[i]()
            if run >= 0:
                results[i].append(value)
    return results


def median(values):
    return statistics.median(values)


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]
