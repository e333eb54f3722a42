"""What can be asked of Holdfast, one module an operation.

Read :mod:`holdfast.spine.operations.reveal` first: the others go the same way, along :mod:`holdfast.spine.turn`.
"""
