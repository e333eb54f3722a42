"""HTTP without a framework: problem details."""
