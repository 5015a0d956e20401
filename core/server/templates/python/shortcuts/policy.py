"""One saved reply: who is writing."""

import json
from typing import List, Optional

from wit_world import exports
from wit_world.exports.shortcuts import Context, Expansion, Shortcut
from wit_world.imports import host, patient


class Shortcuts(exports.Shortcuts):
    def list(self, context: Context) -> Optional[List[Shortcut]]:
        greeting = json.loads(host.settings())["greeting"]
        return [Shortcut(name="hello", title="Say hello", template=greeting)]

    def expand(self, name: str, context: Context) -> Optional[Expansion]:
        if name != "hello":
            return None
        body = json.loads(host.settings())["greeting"].replace("{{staff}}", context.staff_name)
        missing = []
        if "{{patient}}" in body:
            first_name = patient.field("first-name")
            if first_name:
                body = body.replace("{{patient}}", first_name)
            else:
                missing.append("patient")
        return Expansion(body=body, missing=missing)


# componentize-py keeps the program as it is now: what has run once is ready at every text.
json.loads("{}")
