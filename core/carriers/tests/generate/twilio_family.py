"""Twilio's scheme, which SignalWire shares."""

import hashlib

from common import CLINIC, PATIENT, PUBLIC, TEXT, delivery, form, message, receipt

CONTENT = "application/x-www-form-urlencoded"


def text(account):
    return {
        "MessageSid": "SM0123456789abcdef0123456789abcdef",
        "AccountSid": account,
        "From": PATIENT,
        "To": CLINIC,
        "Body": TEXT,
        "NumSegments": "1",
        "NumMedia": "1",
        "MediaUrl0": "https://media.example/0?a=b&c=%2F",
        "MediaContentType0": "image/jpeg",
        "OptOutType": "HELP",
        "SomethingNew": "",
    }


def deliveries(carrier, account, header, sign):
    """`sign(url, params)` is the SDK's signature, checked by the SDK as well."""
    url = PUBLIC.format(carrier=carrier)
    params = text(account)
    media = [{"url": params["MediaUrl0"], "content_type": "image/jpeg"}]
    expect = message(params["MessageSid"], media=media, opt_out_type="Help", segments=1)
    made = []

    def add(name, url, signed, body, expect, **more):
        headers = {"content-type": more.pop("content_type", CONTENT), header: sign(url, signed)}
        made.append(delivery(name, body, headers, expect, signs=["url", "query", "body"], carrier=carrier, **more))

    add("a text with a picture, as a form", url, params, form(params), expect)
    query = "token=a%20b&x=%2B"
    add("the address has a query", f"{url}?{query}", params, form(params), expect, query=query)
    add("signed with the default port", url.replace("example/", "example:443/"), params, form(params), expect)
    body = form(params)
    digest = hashlib.sha256(body.encode()).hexdigest()
    add("a form covered by its hash", f"{url}?bodySHA256={digest}", {}, body, expect, query=f"bodySHA256={digest}")
    query = form(params)
    get = delivery("by GET", b"", {header: sign(f"{url}?{query}", {})}, expect, method="GET", query=query, signs=["url", "query"], carrier=carrier)
    made.append(get)
    status = {"MessageSid": "SM9", "AccountSid": account, "MessageStatus": "undelivered", "ErrorCode": "30003"}
    add("a receipt", f"{url}/status?m=1", status, form(status), receipt("SM9", "Failed", "30003"), endpoint="status", query="m=1")
    return made
