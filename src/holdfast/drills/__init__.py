"""A BPO at work, simulated: demo data and the demo that walks one contact through (breach replays come later)."""
