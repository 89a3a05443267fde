"""Fitted marketing mix models in, tables for a split below the channel out.

No package of mix models is imported: their files are read.
"""

from bayes_attrib.mmm.delivery_table import DeliveryTable, read_delivery
from bayes_attrib.mmm.meridian import read_meridian
from bayes_attrib.mmm.mix_model import MixModel
from bayes_attrib.mmm.pymc_marketing import read_pymc_marketing
from bayes_attrib.mmm.robyn import RobynOptions, read_robyn
from bayes_attrib.mmm.spec_text import spec_text
from bayes_attrib.mmm.tables import ImportTables, Negative, import_tables

__all__ = [
    "DeliveryTable",
    "ImportTables",
    "MixModel",
    "Negative",
    "RobynOptions",
    "import_tables",
    "read_delivery",
    "read_meridian",
    "read_pymc_marketing",
    "read_robyn",
    "spec_text",
]
