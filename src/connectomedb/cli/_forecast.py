"""Says what plans come to, before anything is fetched."""

from typing import TYPE_CHECKING

from connectomedb.mirror.actions import Act
from connectomedb.transfer.sizes import format_size

if TYPE_CHECKING:
    from connectomedb.mirror.outlook import Amount, Outlook

NOWHERE = "nowhere"
_MOST_NOTES = 5


def sentences(outlook: "Outlook") -> list[str]:
    """The totals for people: what is done, from where, whether it fits, how long it takes."""
    acts = outlook.acts
    lines = [
        f"{_amount(outlook.total)}: {_amount(acts[Act.KEEP])} here, {_amount(acts[Act.CHECK])} to check, "
        f"{_amount(acts[Act.FETCH])} to fetch"
    ]
    lines += [f"from {name or NOWHERE}: {_amount(amount)}" for name, amount in outlook.sources.items()]
    if acts[Act.FETCH].files:
        room = outlook.room
        free = "unknown" if room.free is None else format_size(room.free)
        verdict = "it fits" if room.fits else "it does not fit"
        lines.append(
            f"{format_size(room.needed)} needed in {room.folder}; {free} free, {format_size(room.reserve)} of it kept "
            f"in reserve: {verdict}"
        )
        lines.append(f"expected time: {format_seconds(outlook.seconds)}")
    return [*lines, *remarks(outlook)]


def remarks(outlook: "Outlook") -> list[str]:
    """What the plans remark, the first few of it: that a source does not answer, or what was left out."""
    notes = outlook.notes[:_MOST_NOTES]
    more = len(outlook.notes) - len(notes)
    return [*notes, *([f"and {more} more remarks"] if more else [])]


def totals(outlook: "Outlook") -> dict[str, object]:
    """The same as a value for JSON; sizes in bytes, time in seconds."""
    return {
        "subjects": outlook.subjects,
        "files": outlook.total.files,
        "size": outlook.total.size,
        **{act.value: {"files": amount.files, "size": amount.size} for act, amount in outlook.acts.items()},
        "sources": [
            {"source": name, "files": amount.files, "size": amount.size} for name, amount in outlook.sources.items()
        ],
        "needed": outlook.room.needed,
        "free": outlook.room.free,
        "reserve": outlook.room.reserve,
        "fits": outlook.room.fits,
        "seconds": outlook.seconds,
        "notes": list(outlook.notes),
    }


def format_seconds(seconds: float | None) -> str:
    """A duration for people: `3 min`, or `unknown`."""
    if seconds is None:
        return "unknown"
    for unit, size in (("s", 60.0), ("min", 60.0), ("h", 48.0)):
        if seconds < 1.5 * size:
            return f"{max(1, round(seconds))} {unit}"
        seconds /= 60.0 if unit != "h" else 24.0
    return f"{round(seconds)} days"


def _amount(amount: "Amount") -> str:
    return f"{amount.files} files ({format_size(amount.size)})" if amount.files else "0 files"
