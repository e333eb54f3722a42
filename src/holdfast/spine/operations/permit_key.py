"""Another key for permits in the place of the present one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.kit.clock import rfc3339
from holdfast.kit.errors import Conflict
from holdfast.kit.process import LockFile
from holdfast.spine.administration.scene import administer, tell_in
from holdfast.spine.timekeeping import all_logs
from holdfast.vocabulary.acts import Act
from holdfast.vocabulary.leaves import LeafType

if TYPE_CHECKING:
    from holdfast.kit.db import Work
    from holdfast.spine.actions.permit_keys import PermitKeys
    from holdfast.spine.house import House


def rotate_permit_key(house: House) -> PermitKeys:
    """Make another key for permits; return the keys as they stand then.

    The leaf is written first, to every log: targets of all clients check permits by this key. If the machine fails
    before the file is replaced, a leaf names a key that never comes, and the present one goes on; to rotate again is
    all there is to do.

    Raises what :func:`administer` raises, and :class:`Conflict` (``rotation_pending``) while an earlier rotation is not
    over, or is being done by another process.
    """
    lock = LockFile(house.permit_key_file.lock_path)
    try:
        lock.acquire()
    except Conflict:
        raise Conflict(
            "the key for permits is being rotated by another process", code="rotation_pending"
        ) from None
    try:
        keys = house.transact(tell_rotation(house))
        house.permit_key_file.replace(keys)
    finally:
        lock.release()
    return keys


def tell_rotation(house: House) -> Work[PermitKeys]:
    """Judge a rotation and write its leaves; return the keys that are to be written to the file then."""
    scene = yield from administer(house, Act.PERMIT_KEY_ROTATE)
    present = house.permit_keys()
    over_us = present.settled_us(scene.now_us)
    if over_us:
        raise Conflict(
            f"the last rotation of the key for permits is over at {rfc3339(over_us)}, and not before",
            remedy="Until then a target may tell what became of a permit by the old key. Rotate again afterwards.",
            code="rotation_pending",
        )
    keys = present.rotated(scene.now_us)
    old, new = keys.held
    yield from tell_in(
        scene,
        LeafType.PERMIT_KEY_ROTATED,
        (yield from all_logs()),
        old=old.key.id,
        new=new.key.id,
        signs_from=rfc3339(new.from_us),
    )
    return keys
