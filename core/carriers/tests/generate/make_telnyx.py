"""Telnyx: PyNaCl signs with a key of ours, Telnyx's package checks."""

import base64
import json

import httpx
import telnyx
from nacl.signing import SigningKey
from telnyx.lib.webhook_verification import verify_webhook_signature

from common import CLINIC, NOW, PATIENT, REPLY, STATUS_URL, TEXT, OUR_ID, Captured, delivery, message, receipt, send, version

KEY, OTHER = SigningKey(b"a" * 32), SigningKey(b"b" * 32)
API_KEY = "KEY0123"


def public(key):
    return base64.b64encode(bytes(key.verify_key)).decode()


def vectors(folder):
    made = []

    def add(name, event, expect, endpoint="messages", at=NOW, key=KEY):
        body = json.dumps({"data": event, "meta": {"attempt": 1, "delivered_to": "https://clinic.example"}}, ensure_ascii=False)
        signature = base64.b64encode(key.sign(f"{at}|{body}".encode()).signature).decode()
        headers = {"content-type": "application/json", "telnyx-signature-ed25519": signature, "telnyx-timestamp": str(at)}
        verify_webhook_signature(body, headers, public(key))
        made.append(delivery(name, body, headers, expect, endpoint=endpoint, signs=["body"], carrier="telnyx"))

    payload = {
        "id": "84cca175-9755-4859-b67f-4730d7f58aa3",
        "record_type": "message",
        "direction": "inbound",
        "type": "MMS",
        "from": {"phone_number": PATIENT, "carrier": "T-Mobile USA", "line_type": "Wireless"},
        "to": [{"phone_number": CLINIC, "carrier": "Telnyx", "status": "webhook_delivered"}],
        "text": TEXT,
        "media": [{"url": "https://media.example/0", "content_type": "image/png", "size": 10, "hash_sha256": "00"}],
        "parts": 2,
        "encoding": "UCS-2",
        "received_at": "2026-11-18T11:06:40.000+00:00",
        "autoresponse_type": "HELP",
        "errors": [],
    }
    event = {"id": "b301ed3f-1490-491f-995f-6e64e69674d4", "record_type": "event", "event_type": "message.received", "occurred_at": "2026-11-18T11:06:40.000+00:00", "payload": payload}
    media = [{"url": "https://media.example/0", "content_type": "image/png"}]
    expect = message(payload["id"], media=media, segments=2, opt_out_type="Help")
    add("a text with a picture", event, expect)
    add("just within the window, behind", event, expect, at=NOW - 300)
    add("just within the window, ahead", event, expect, at=NOW + 300)
    bare = dict(event, payload={key: value for key, value in payload.items() if key not in ("media", "autoresponse_type", "parts")})
    add("a text", bare, message(payload["id"]))
    final = dict(event, event_type="message.finalized", payload={"id": "out-1", "to": [{"phone_number": PATIENT, "status": "delivery_failed"}], "errors": [{"code": "40300", "title": "Blocked due to STOP message", "detail": "to +15558675310"}], "completed_at": "2026-11-18T11:06:40.000+00:00"})
    add("a receipt", final, receipt("out-1", "Failed", "40300"), "status")
    sent = dict(event, event_type="message.sent", payload={"id": "out-1", "to": [{"phone_number": PATIENT, "status": "sent"}], "errors": []})
    add("a receipt at the messages' address", sent, receipt("out-1", "Sent"))
    add("another product's event", dict(event, event_type="call.initiated"), {"messages": [], "receipts": []})

    sends = []
    for name, media in [("a text", []), ("a picture", ["https://clinic.example/m/1"])]:
        answer = {"data": {"record_type": "message", "id": "out-1", "to": [{"phone_number": PATIENT, "status": "queued"}], "errors": []}}
        captured = Captured(200, answer)

        def network(request):
            captured.add(request.method, str(request.url), dict(request.headers), request.content)
            return httpx.Response(200, json=answer)

        client = telnyx.Telnyx(api_key=API_KEY, http_client=httpx.Client(transport=httpx.MockTransport(network)))
        arguments = {"media_urls": media} if media else {}
        client.messages.send(to=PATIENT, from_=CLINIC, text=REPLY, webhook_url=STATUS_URL.format(carrier="telnyx"), messaging_profile_id="profile-1", idempotency_key=OUR_ID, **arguments)
        sends.append(send(name, captured.only(("authorization", "idempotency-key")), 200, answer, "out-1", media=media, carrier="telnyx"))
    credentials = {"api_key": API_KEY, "public_key": public(KEY), "messaging_profile_id": "profile-1"}
    return {
        "carrier": "telnyx",
        "packages": [version("telnyx"), version("pynacl")],
        "credentials": credentials,
        "other_credentials": dict(credentials, public_key=public(OTHER)),
        "base_url_suffix": "/v2",
        "stale_after": 300,
        "deliveries": made,
        "sends": sends,
    }
