"""From a mix model's channel to its campaigns, scored against known truth."""
