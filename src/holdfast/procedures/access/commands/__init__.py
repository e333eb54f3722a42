"""``holdfast employer …``, ``person …`` and ``token …``."""
