"""The pages of this procedure: the agent's desk, and the lead's floor."""
