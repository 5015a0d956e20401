"""Bandwidth: its package's models write the events and send."""

from datetime import datetime, timezone

import bandwidth
from bandwidth.models import InboundCallback, InboundCallbackMessage, MessageRequest, StatusCallback, StatusCallbackMessage
from requests.auth import _basic_auth_str

from common import CLINIC, NOW, OUR_ID, PATIENT, REPLY, TEXT, Captured, delivery, json_of, message, receipt, send, version

APPLICATION = "93de2206-9669-4e07-948d-329f4b722ee2"


def vectors(folder):
    at = datetime.fromtimestamp(NOW, timezone.utc)
    made = []

    def add(name, events, expect, endpoint="messages"):
        body = "[" + ",".join(json_of(event) for event in events) + "]"
        headers = {"content-type": "application/json; charset=utf-8", "authorization": _basic_auth_str("callback-user", "callback-password")}
        made.append(delivery(name, body, headers, expect, endpoint=endpoint, carrier="bandwidth"))

    def inbound(to=(CLINIC,), about=CLINIC, **more):
        inner = InboundCallbackMessage(id="in-1", owner=about, application_id=APPLICATION, time=at, segment_count=2, direction="in", to=list(to), var_from=PATIENT, text=TEXT, **more)
        return InboundCallback(time=at, type="message-received", to=about, description="Incoming message received", message=inner)

    picture = "https://messaging.bandwidth.com/api/v2/users/1/media/0.jpg"
    add("a text with a picture", [inbound(media=[picture])], message("in-1", media=[{"url": picture, "content_type": None}], segments=2))
    add("a text", [inbound()], message("in-1", segments=2))
    other = "+18005550101"
    group = [inbound((CLINIC, other), CLINIC), inbound((CLINIC, other), other)]
    both = message("in-1/1", segments=2)
    both["messages"].append(dict(both["messages"][0], id="in-1/2", to=other))
    add("a group's text to two of ours", group, both)

    def status(kind, **more):
        inner = StatusCallbackMessage(id="out-1", owner=CLINIC, application_id=APPLICATION, time=at, segment_count=1, direction="out", to=[PATIENT], var_from=CLINIC, text="", tag=OUR_ID)
        return StatusCallback(time=at, type=kind, to=PATIENT, description="ok", message=inner, **more)

    for kind, state in [("message-sending", "Queued"), ("message-sent", "Sent"), ("message-delivered", "Delivered"), ("message-read", "Delivered")]:
        add(kind, [status(kind)], receipt("out-1", state), "status")
    add("a failure, at the messages' address", [status("message-failed", error_code=4773)], receipt("out-1", "Failed", "4773"))

    sends = []
    for name, media in [("a text", []), ("a picture", ["https://clinic.example/m/1"])]:
        answer = {"id": "out-1", "owner": CLINIC, "applicationId": APPLICATION, "segmentCount": 1, "direction": "out", "to": [PATIENT], "from": CLINIC}
        captured = Captured(202, answer)
        captured.urllib3_library()
        client = bandwidth.ApiClient(bandwidth.Configuration(username="api-user", password="api-password"))
        request = MessageRequest(application_id=APPLICATION, to=[PATIENT], var_from=CLINIC, text=REPLY, tag=OUR_ID, media=media or None)
        bandwidth.MessagesApi(client).create_message("9900000", request)
        sends.append(send(name, captured.only(), 202, answer, "out-1", media=media, carrier="bandwidth"))
    credentials = {"account_id": "9900000", "application_id": APPLICATION, "username": "api-user", "password": "api-password", "callback_user_id": "callback-user", "callback_password": "callback-password"}
    return {
        "carrier": "bandwidth",
        "packages": [version("bandwidth-sdk"), version("requests")],
        "credentials": credentials,
        "other_credentials": dict(credentials, callback_password="other-password"),
        "base_url_suffix": "/api/v2",
        "deliveries": made,
        "sends": sends,
    }
