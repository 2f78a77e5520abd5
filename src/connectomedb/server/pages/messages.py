"""What a page says after a form was sent: by `?done=WORD`, so that nobody can make a page say other words."""

from collections.abc import Mapping

MESSAGES: Mapping[str, str] = {
    "terms": "You accepted the data-use terms. The project is open to you now.",
    "signed-out": "You are signed out.",
    "ended": "Your session has ended. Sign in again.",
    "token-ended": "The token is ended, and with it every session that it opened.",
    "keys-ended": "Your S3 keys are ended.",
    "password": "Your password is changed. All other sessions are ended.",
    "group-saved": "The group is kept. Python and cdb cohort know it by the same name.",
    "group-deleted": "The group is deleted.",
    "key-kept": "The subject key is kept.",
    "key-deleted": "The subject key is deleted.",
    "user-made": "The user is made.",
    "user-changed": "The user is changed.",
    "granted": "The grant is changed.",
    "member": "The project's people are changed.",
    "nothing": "Nothing differs from what was there.",
}
"""Word → sentence."""
