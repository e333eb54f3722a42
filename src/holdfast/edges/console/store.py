"""SQL of browsers' state, a sealed row for each under the hash of its cookie, and of attempts to sign in."""

from __future__ import annotations

from typing import Final

from holdfast.kit.db import statement

BROWSER: Final = statement(
    "console.browser",
    "SELECT sealed FROM console_browser WHERE hash = :hash AND expires_us > :now",
)
HAS_BROWSER: Final = statement(
    "console.has_browser", "SELECT 1 FROM console_browser WHERE hash = :hash"
)
# No row comes back when the key is taken.
ADD_BROWSER: Final = statement(
    "console.add_browser",
    """INSERT INTO console_browser (hash, sealed, expires_us) VALUES (:hash, :sealed, :expires_us)
       ON CONFLICT (hash) DO NOTHING RETURNING expires_us""",
)
KEEP_BROWSER: Final = statement(
    "console.keep_browser",
    """UPDATE console_browser SET sealed = :sealed, expires_us = :expires_us
       WHERE hash = :hash AND expires_us > 0 RETURNING expires_us""",
)
# The worker takes the row away; the console removes nothing.
FORGET_BROWSER: Final = statement(
    "console.forget_browser",
    "UPDATE console_browser SET sealed = :nothing, expires_us = 0 WHERE hash = :hash",
)
CLEAR_BROWSERS: Final = statement(
    "console.clear_browsers",
    """DELETE FROM console_browser WHERE hash IN
        (SELECT hash FROM console_browser WHERE expires_us < :before LIMIT :most)
    RETURNING expires_us""",
)
# A window begins with its first attempt. No row comes back when it is full: the attempt is refused, and not counted.
TAKE_ATTEMPT: Final = statement(
    "console.take_attempt",
    """INSERT INTO console_attempt (about, until_us, count) VALUES (:about, :until_us, 1)
       ON CONFLICT (about) DO UPDATE SET
           count = CASE WHEN console_attempt.until_us <= :now THEN 1 ELSE console_attempt.count + 1 END,
           until_us = CASE WHEN console_attempt.until_us <= :now THEN :until_us ELSE console_attempt.until_us END
       WHERE console_attempt.until_us <= :now OR console_attempt.count < :most
       RETURNING count""",
)
ATTEMPT_UNTIL: Final = statement(
    "console.attempt_until", "SELECT until_us FROM console_attempt WHERE about = :about"
)
CLEAR_ATTEMPTS: Final = statement(
    "console.clear_attempts",
    """DELETE FROM console_attempt WHERE about IN
        (SELECT about FROM console_attempt WHERE until_us < :before LIMIT :most)
    RETURNING until_us""",
)
# No row comes back for an interval that is not newer than the newest of which a code was used.
TAKE_CODE: Final = statement(
    "console.take_code",
    """INSERT INTO console_code (factor, step) VALUES (:factor, :step)
       ON CONFLICT (factor) DO UPDATE SET step = :step WHERE console_code.step < :step RETURNING step""",
)
