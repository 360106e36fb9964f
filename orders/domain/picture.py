"""The order state machine as a page of text, drawn from the tables that rule it."""

from __future__ import annotations

from orders.domain.moves import MOVES, STANDING_ACTS
from orders.enums import Act, OrderStatus

_HEAD = """# Order states

Drawn from `orders/domain/moves.py` by `python3 run.py draw_states`; a test holds the two together.
A status is never set: `orders/domain/lifecycle.py` derives it from the facts of the order and asks
the table whether the move exists. The database asks once more.
"""


def states_page() -> str:
    """Return the page ``docs/states.md``: a Mermaid diagram, the moves, and the standing acts."""
    return "\n".join([_HEAD, *_diagram(), "", *_moves(), "", *_standing(), ""])


def _diagram() -> list[str]:
    ends = [s for s in OrderStatus if not any(move.source == s for move in MOVES)]
    return [
        "```mermaid",
        "stateDiagram-v2",
        "    [*] --> pending: T01 place",
        *(f"    {m.source} --> {m.target}: {m.name} {m.act.replace('_', ' ')}" for m in MOVES),
        *(f"    {status} --> [*]" for status in ends),
        "```",
    ]


def _moves() -> list[str]:
    return [
        "## Moves",
        "",
        "| Move | Act | From | To | Doors |",
        "|---|---|---|---|---|",
        *(
            f"| {m.name} | `{m.act}` | {m.source.label} | {m.target.label}"
            f" | {', '.join(sorted(m.doors))} |"
            for m in MOVES
        ),
    ]


def _standing() -> list[str]:
    return [
        "## Acts that leave the status alone",
        "",
        "| Act | Possible while |",
        "|---|---|",
        *(f"| `{act}` | {_in_words(act)} |" for act in STANDING_ACTS),
    ]


def _in_words(act: Act) -> str:
    return ", ".join(str(s.label) for s in OrderStatus if s in STANDING_ACTS[act])
