"""Tables in, one frozen :class:`AggregateData` out."""

from bayes_attrib.inputs.aggregate_data import AggregateData, Grouping
from bayes_attrib.inputs.read import TablesRead, read_tables
from bayes_attrib.inputs.repair import Repair, RepairRecord
from bayes_attrib.inputs.source import DataSource, SourceFile

__all__ = [
    "AggregateData",
    "DataSource",
    "Grouping",
    "Repair",
    "RepairRecord",
    "SourceFile",
    "TablesRead",
    "read_tables",
]
