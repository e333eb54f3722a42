"""What must be true before the house serves, asked by start-up and by ``holdfast doctor``.

``catalogue`` names the house's own checks; procedures declare theirs in their manifests. Each check is a function from
:class:`~holdfast.kit.config.Settings` to findings: none means that all is well.
"""
