"""Sinch: its package signs and checks, writes the bodies by its models, and sends."""

import json

from sinch import SinchClient
from sinch.domains.authentication.sinch_events.v1.authentication_validation import (
    calculate_sinch_event_signature,
    compute_signed_data,
    validate_sinch_event_signature_with_nonce,
)
from sinch.domains.sms.models.v1.response import RecipientDeliveryReport
from sinch.domains.sms.models.v1.shared.mo_media_message import MOMediaMessage
from sinch.domains.sms.models.v1.shared.mo_text_message import MOTextMessage

from common import CLINIC, NOW, OUR_ID, PATIENT, REPLY, STATUS_URL, TEXT, Captured, delivery, message, receipt, send, version

SECRET, PLAN, TOKEN = "sinch-secret", "plan0123", "sinch-token"
AT = "2026-11-18T11:06:40.000Z"


def vectors(folder):
    made = []

    def add(name, model, expect, endpoint="messages", at=NOW):
        body = model.model_dump_json(by_alias=True, exclude_none=True)
        nonce = "01FJA8B4A7BM43YGWSG9GBV067"
        signature = calculate_sinch_event_signature(compute_signed_data(body, nonce, str(at)), SECRET)
        headers = {
            "content-type": "application/json",
            "x-sinch-webhook-signature": signature,
            "x-sinch-webhook-signature-algorithm": "HmacSHA256",
            "x-sinch-webhook-signature-nonce": nonce,
            "x-sinch-webhook-signature-timestamp": str(at),
        }
        assert validate_sinch_event_signature_with_nonce(SECRET, headers, body)
        unsigned = ["x-sinch-webhook-signature-algorithm"]
        made.append(delivery(name, body, headers, expect, endpoint=endpoint, signs=["body"], carrier="sinch", loose_headers=unsigned))

    base = {"id": "01XXXXX21XXXXX119Z8P1XXXXX", "from": PATIENT.lstrip("+"), "to": CLINIC.lstrip("+"), "received_at": AT}
    add("a text", MOTextMessage(**base, type="mo_text", body=TEXT), message(base["id"]))
    media = [{"url": "https://media.sinch.example/0", "content_type": "image/jpeg", "status": "Uploaded", "code": 0}]
    picture = MOMediaMessage(**base, type="mo_media", body={"message": TEXT, "media": media})
    add("a picture", picture, message(base["id"], media=[{"url": media[0]["url"], "content_type": "image/jpeg"}]))
    for status, code, state in [("Dispatched", 401, "Sent"), ("Delivered", 0, "Delivered"), ("Failed", 60, "Failed"), ("REJECTED", 402, "Failed")]:
        report = RecipientDeliveryReport(type="recipient_delivery_report_sms", batch_id="out-1", recipient=PATIENT, code=code, status=status, at=AT, client_reference=OUR_ID)
        add(f"a receipt: {status} {code}", report, receipt("out-1", state, str(code) if state == "Failed" else None), "status")
    add("the oldest attempt of a retry", MOTextMessage(**base, type="mo_text", body=TEXT), message(base["id"]), at=NOW - 48 * 3600)

    answer = {"id": "out-1", "to": [PATIENT], "from": CLINIC, "canceled": False, "body": REPLY, "type": "mt_text", "created_at": AT, "modified_at": AT, "delivery_report": "per_recipient"}
    captured = Captured(201, answer)
    captured.requests_library()
    client = SinchClient(service_plan_id=PLAN, sms_api_token=TOKEN, sms_region="us")
    client.sms.batches.send_sms(to=[PATIENT], from_=CLINIC, body=REPLY, delivery_report="per_recipient", event_destination_target=STATUS_URL.format(carrier="sinch"), client_reference=OUR_ID)
    credentials = {"service_plan_id": PLAN, "api_token": TOKEN, "webhook_secret": SECRET}
    return {
        "carrier": "sinch",
        "packages": [version("sinch")],
        "credentials": credentials,
        "other_credentials": dict(credentials, webhook_secret="other-secret"),
        "stale_after": 48 * 3600,
        "deliveries": made,
        "sends": [send("a text", captured.only(), 201, answer, "out-1", carrier="sinch")],
    }
