"""Made-up support tickets: the data of the demo. A seed gives the same on every machine."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources
from random import Random

from textbatch.training.augment.templates import Noise, add_noise, fill, pick

#: Queues, and how many of a hundred tickets each gets.
QUEUES = {"billing": 36, "shipping": 28, "technical": 22, "account": 14}
#: Shares of tickets: several queues would be right; somebody put it in a wrong queue; an earlier
#: ticket, sent again with other typos.
UNCLEAR, MISLABELLED, SENT_AGAIN = 0.06, 0.025, 0.04
NOISE = Noise(typos=0.05, lower=0.3, upper=0.03)

#: Texts that are no tickets, in turn on every `ODD_EVERY`th row. Long threads come in addition.
ODD_TEXTS = (None, "", " \n ", "???", ":-)", "qwertz uiop", "где посылка", "荷物はどこですか")
ODD_EVERY = 64
_THREAD_TICKETS = 8

_DRAW = tuple(queue for queue, percent in QUEUES.items() for _ in range(percent))
_ENDS = (".", ".", ".", "!", "..", "")
_PHRASES = tomllib.loads(
    resources.files("textbatch.cli.demo").joinpath("phrases.toml").read_text("utf-8")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A ticket, and the queue that it is in."""

    text: str
    queue: str


def labelled_tickets(rows: int, *, seed: int) -> list[Ticket]:
    """Make tickets as a support team leaves them; some are in a wrong queue.

    Args:
        rows: Number of tickets.
        seed: Seed of everything that is drawn.
    """
    random = Random(f"labelled tickets {seed}")
    clean: list[Ticket] = []
    tickets: list[Ticket] = []
    for _ in range(rows):
        again = clean and random.random() < SENT_AGAIN
        ticket = pick(random, clean) if again else _ticket(random)
        clean.append(ticket)
        queue = ticket.queue
        if random.random() < MISLABELLED:
            queue = pick(random, [other for other in QUEUES if other != queue])
        tickets.append(Ticket(text=add_noise(random, ticket.text, NOISE), queue=queue))
    return tickets


def unlabelled_texts(rows: int, *, seed: int) -> list[str | None]:
    """Make texts as they are in a mailbox: tickets, repeated ones, long threads, and others.

    Args:
        rows: Number of texts.
        seed: Seed of everything that is drawn.
    """
    random = Random(f"unlabelled texts {seed}")
    texts: list[str | None] = []
    for row in range(rows):
        turn, place = divmod(row, ODD_EVERY)
        if place == ODD_EVERY - 1:
            texts.append(ODD_TEXTS[turn % len(ODD_TEXTS)])
        elif place == ODD_EVERY // 2:
            thread = (_ticket(random).text for _ in range(_THREAD_TICKETS))
            texts.append("\n> ".join(thread))
        elif row and random.random() < SENT_AGAIN:
            texts.append(pick(random, texts))
        else:
            texts.append(add_noise(random, _ticket(random).text, NOISE))
    return texts


def _ticket(random: Random) -> Ticket:
    """Make a ticket without noise, in a queue where it belongs."""
    if random.random() < UNCLEAR:
        unclear = pick(random, _PHRASES["unclear"])
        queue, problems = pick(random, unclear["queues"]), unclear["problems"]
    else:
        queue = pick(random, _DRAW)
        problems = _PHRASES["problems"][queue]
    parts = [(1.0, problems), (0.45, _PHRASES["asides"]), (0.4, _PHRASES["wishes"])]
    # Half of the customers say the problem last.
    if random.random() < 0.5:
        parts[0], parts[1] = parts[1], parts[0]
    parts = [(0.4, _PHRASES["greetings"]), *parts, (0.35, _PHRASES["closings"])]
    said = [pick(random, phrases) for share, phrases in parts if random.random() < share]
    return Ticket(text=" ".join(_sentence(random, pattern) for pattern in said), queue=queue)


def _sentence(random: Random, pattern: str) -> str:
    text = fill(random, pattern, _PHRASES["slots"])
    return text[0].upper() + text[1:] + pick(random, _ENDS)
