"""The thirteen procedures by which an outsourcer protects customer data, each a folder (DESIGN §1).

They never import each other. They meet through four ports of ``holdfast.vocabulary.manifest``: facts that decisions
ask, signals and leaves of what happened, controls with their evidence, and checks for start-up and ``holdfast doctor``.
"""
