"""From amounts of cells to amounts of days, hours or other slots, by a profile of delivery."""

from bayes_attrib.attribution.downscaling.assign import SOURCES, Assigned, assign_profiles
from bayes_attrib.attribution.downscaling.blocks import (
    SlotDraws,
    SlotSummaries,
    slot_draws,
    slot_summaries,
)
from bayes_attrib.attribution.downscaling.known import RunCells
from bayes_attrib.attribution.downscaling.options import ProfileOptions
from bayes_attrib.attribution.downscaling.profile_table import ProfileTable, read_profile
from bayes_attrib.attribution.downscaling.profiles import Profiles
from bayes_attrib.attribution.downscaling.rounded_slots import round_slots
from bayes_attrib.attribution.downscaling.split import SplitLaw

__all__ = [
    "SOURCES",
    "Assigned",
    "ProfileOptions",
    "ProfileTable",
    "Profiles",
    "RunCells",
    "SlotDraws",
    "SlotSummaries",
    "SplitLaw",
    "assign_profiles",
    "read_profile",
    "round_slots",
    "slot_draws",
    "slot_summaries",
]
