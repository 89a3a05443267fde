"""Tidy long tables of a run, for warehouses and notebooks."""

from bayes_attrib.report.exports.grains import draws_stream, shares_stream
from bayes_attrib.report.exports.sink import FORMATS, WrittenTable, write_stream
from bayes_attrib.report.exports.stream import Stream
from bayes_attrib.report.exports.tables import attribution_stream, cells_stream

__all__ = [
    "FORMATS",
    "Stream",
    "WrittenTable",
    "attribution_stream",
    "cells_stream",
    "draws_stream",
    "shares_stream",
    "write_stream",
]
