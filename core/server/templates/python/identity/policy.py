"""Asks for the medical record number."""

import json
import re
from typing import Optional

from wit_world import exports
from wit_world.exports.identity import (
    Claim,
    Farewell,
    MatchRequest,
    Prompt,
    Step,
    Step_Ask,
    Step_GiveUp,
    Step_Match,
    Turn,
)
from wit_world.imports import host

ATTEMPTS = 3


class Identity(exports.Identity):
    def next(self, turn: Turn) -> Optional[Step]:
        settings = json.loads(host.settings())
        thanks = settings["thanks"]
        ask = Step_Ask(Prompt(question="mrn", text=settings["question"]))
        if not turn.asked:
            return ask  # the text is the reason for texting, not an answer
        if turn.text.strip().lower() == "exit":
            return Step_GiveUp(Farewell(reason="exit", acknowledgement=thanks, claims=[]))
        value = re.sub(r"[^0-9]", "", turn.text)
        if len(value) >= 4:
            claims = [Claim(field="mrn", value=value)]
            return Step_Match(MatchRequest(claims=claims, acknowledgement=thanks, required=[]))
        if len(turn.asked) >= ATTEMPTS:
            return Step_GiveUp(Farewell(reason="attempts", acknowledgement=thanks, claims=[]))
        return ask


# componentize-py keeps the program as it is now: what has run once is ready at every text.
re.sub(r"[^0-9]", "", "")
json.loads("{}")
