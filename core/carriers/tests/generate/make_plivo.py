"""Plivo: its package for Python signs and checks (V3), checks (V2), and sends; that for Node.js checks too."""

import base64
import hashlib
import hmac
import json
import subprocess

import plivo
from plivo.utils import validate_signature
from plivo.utils.signature_v3 import construct_get_url, construct_post_url, get_signature_v3, validate_v3_signature

from common import CLINIC, PATIENT, PUBLIC, REPLY, STATUS_URL, TEXT, Captured, delivery, form, message, receipt, send, version

AUTH_ID, TOKEN, NONCE = "MA" + "0" * 18, "plivo-token", "05429567804466091622"
CONTENT = "application/x-www-form-urlencoded"
NODE = """
const plivo = require('plivo');
const [method, url, nonce, token, signature, params] = process.argv.slice(1);
process.exit(plivo.validateV3Signature(method, url, nonce, token, signature, JSON.parse(params)) ? 0 : 1);
"""


def vectors(folder):
    made = []

    def v3(method, url, params):
        base = construct_get_url(url, dict(params)) if method == "GET" else construct_post_url(url, dict(params))
        signature = get_signature_v3(TOKEN.encode(), base.decode(), NONCE).decode()
        assert validate_v3_signature(method, url, NONCE, TOKEN, signature, dict(params))
        # (the package for Node.js builds the address of a GET from `params`, which are already in it here)
        checked = {} if method == "GET" else params
        subprocess.run(["node", "-e", NODE, "--", method, url, NONCE, TOKEN, signature, json.dumps(checked)], check=True)
        return {"X-Plivo-Signature-V3": signature, "X-Plivo-Signature-V3-Nonce": NONCE}

    url = PUBLIC.format(carrier="plivo")
    text = {"From": PATIENT.lstrip("+"), "To": CLINIC.lstrip("+"), "Text": TEXT, "Type": "sms", "MessageUUID": "ad04dd19-0000-11ef-8f10-0242ac110004", "Units": "2", "MessageIntent": "optout"}
    expect = message(text["MessageUUID"], segments=2, opt_out_type="Stop")
    content = {"content-type": CONTENT}
    signs = ["url", "query", "body"]

    def add(name, params, expect, query=None, endpoint="messages", headers=None, **more):
        full = url + ("/status" if endpoint == "status" else "") + (f"?{query}" if query else "")
        headers = headers or v3("POST", full, params)
        made.append(delivery(name, form(params), dict(content, **headers), expect, endpoint=endpoint, query=query, signs=signs, carrier="plivo", public_query=query, **more))

    add("a text", text, expect)
    picture = dict({key: value for key, value in text.items() if key not in ("Text", "MessageIntent")}, Type="mms", Body=TEXT, MediaCount="1", Media0="https://media.plivo.com/0")
    add("a picture", picture, message(text["MessageUUID"], media=[{"url": "https://media.plivo.com/0", "content_type": None}], segments=2))
    several = v3("POST", url, text)
    several["X-Plivo-Signature-V3"] = "AAAA," + several["X-Plivo-Signature-V3"]
    # Which of several is changed doesn't matter: one is enough.
    add("one of several signatures", text, expect, headers=several, loose_headers=["X-Plivo-Signature-V3"])
    add("the address has a query", text, expect, query="b=2&a=1")
    status = {"MessageUUID": "out-1", "Status": "undelivered", "ErrorCode": "30", "From": CLINIC, "To": PATIENT, "Units": "1"}
    add("a receipt", status, receipt("out-1", "Failed", "30"), query="m=1", endpoint="status")
    # Of characters outside ASCII the package for Python can't make this signature.
    ascii = dict(text, Text=" 2+2 = 4 & more ")
    query = form(dict(sorted(ascii.items())))
    get = v3("GET", f"{url}?{query}", {})
    read = message(text["MessageUUID"], ascii["Text"], segments=2, opt_out_type="Stop")
    made.append(delivery("by GET", b"", get, read, method="GET", query=query, signs=["url", "query"], carrier="plivo"))

    signature = base64.b64encode(hmac.new(TOKEN.encode(), (url + NONCE).encode(), hashlib.sha256).digest()).decode()
    assert validate_signature(url + "?not=signed", NONCE, signature, TOKEN)
    credentials = {"auth_id": AUTH_ID, "auth_token": TOKEN}
    v2 = dict(credentials, signature_version="v2")
    headers = dict(content, **{"X-Plivo-Signature-V2": signature, "X-Plivo-Signature-V2-Nonce": NONCE})
    # https://github.com/plivo/plivo-python/blob/master/tests/resources/test_signature.py
    theirs = "https://answer.url", "12345", "ehV3IKhLysWBxC1sy8INm0qGoQYdYsHwuoKjsX7FsXc="
    assert validate_signature(*theirs, "my_auth_token")
    tested = {"X-Plivo-Signature-V2": theirs[2], "X-Plivo-Signature-V2-Nonce": theirs[1]}
    of_theirs = dict(v2, auth_token="my_auth_token")
    made.append(delivery("V2, from the package's own tests", form(text), dict(content, **tested), expect, signs=["url"], carrier="plivo", credentials=of_theirs, public_url=theirs[0]))
    made.append(delivery("V2 covers the address only", form(text), headers, expect, signs=["url"], carrier="plivo", credentials=v2))

    sends = []
    for name, media in [("a text", []), ("a picture", ["https://clinic.example/m/1"])]:
        answer = {"api_id": "1", "message": "message(s) queued", "message_uuid": ["out-1"]}
        captured = Captured(202, answer)
        captured.requests_library()
        client = plivo.RestClient(AUTH_ID, TOKEN)
        client.messages.create(src=CLINIC, dst=PATIENT, text=REPLY, type_="mms" if media else "sms", url=STATUS_URL.format(carrier="plivo"), log="false", media_urls=media or None)
        request = captured.only()
        request["json"].pop("trackable", None)
        sends.append(send(name, request, 202, answer, "out-1", media=media, carrier="plivo"))
    return {
        "carrier": "plivo",
        "packages": [version("plivo"), "plivo 4.79.0 (npm)"],
        "credentials": credentials,
        "other_credentials": dict(credentials, auth_token="other-token"),
        "downgraded_credentials": [v2],
        "deliveries": made,
        "sends": sends,
    }
