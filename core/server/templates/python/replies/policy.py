"""Answers a text that has one of the keywords."""

import json
import re
from typing import List, Optional

from wit_world import exports
from wit_world.exports.replies import AutomaticReply, Turn
from wit_world.imports import host


class Replies(exports.Replies):
    def reply(self, turn: Turn) -> Optional[List[AutomaticReply]]:
        settings = json.loads(host.settings())
        words = re.findall(r"\w+", turn.text.lower())
        for keyword in settings["keywords"]:
            if keyword.lower() in words:
                reason = f"keyword '{keyword}'"
                return [AutomaticReply(body=settings["body"], throttle_key="NAME", reason=reason)]
        return None  # no opinion: the next policy is asked


# componentize-py keeps the program as it is now: what has run once is ready at every text.
re.findall(r"\w+", "")
json.loads("{}")
