"""Tables in, one frozen :class:`AggregateData` out."""

from bayes_attrib.inputs.aggregate_data import AggregateData, Grouping

__all__ = ["AggregateData", "Grouping"]
