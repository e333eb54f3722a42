"""Use cases: checking, testing and publishing a contract; explaining a decision."""
