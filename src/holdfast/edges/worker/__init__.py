"""The worker: sequences and publishes the logs, runs jobs, sweeps what was prepared and never committed."""
