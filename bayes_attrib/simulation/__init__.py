"""Data folders with known truth."""

from bayes_attrib.simulation.scenarios import SCENARIOS, simulate
from bayes_attrib.simulation.tables import Scenario, SimulatedTables
from bayes_attrib.simulation.write import write_tables

__all__ = ["SCENARIOS", "Scenario", "SimulatedTables", "simulate", "write_tables"]
