"""Writes a file of vectors for each carrier: `main.py FOLDER`. Run it by scripts/carrier-vectors."""

import importlib
import json
import os
import pathlib
import subprocess
import sys

FILES = ["registration", "lists", "twilio", "signalwire", "telnyx", "bandwidth", "plivo", "vonage", "sinch", "infobip", "aws"]

if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    if len(sys.argv) > 2:
        name = sys.argv[2]
        vectors = importlib.import_module(f"make_{name}").vectors(folder)
        text = json.dumps(vectors, indent=1, ensure_ascii=False, sort_keys=True)
        (folder / f"{name}.json").write_text(text + "\n")
    else:
        # Each in a process of its own: they stand in for the network in ways that don't mix. SignalWire's
        # package wants versions of others' that nobody else does.
        for name in FILES:
            python = os.environ.get("SIGNALWIRE_PYTHON", sys.executable) if name == "signalwire" else sys.executable
            subprocess.run([python, __file__, sys.argv[1], name], check=True)
