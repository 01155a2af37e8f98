"""Medians, quartiles and ratios, written out."""

import statistics


def spread(values, digits, unit):
    """The median, and the quartiles where there are any."""
    return f"{statistics.median(values):.{digits}f}{quartiles(values, digits)}{unit}"


def milliseconds(seconds):
    return spread([value * 1e3 for value in seconds], 1 if statistics.median(seconds) >= 0.01 else 2, " ms")


def mebibytes(kibibytes):
    return spread([value / 1024 for value in kibibytes], 1, " MiB")


def ratio(over, under):
    """Of the medians; and of the rounds, of which the quartiles are."""
    return statistics.median(over) / statistics.median(under), [one / other for one, other in zip(over, under)]


def quartiles(values, digits):
    if len(values) < 2:
        return ""
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return f" ({low:.{digits}f}–{high:.{digits}f})"
