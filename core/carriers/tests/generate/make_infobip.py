"""Infobip: its package's models write the bodies and send."""

from datetime import datetime, timezone

import infobip_api_client as infobip
from infobip_api_client import models
from requests.auth import _basic_auth_str

from common import CLINIC, NOW, OUR_ID, PATIENT, REPLY, STATUS_URL, TEXT, Captured, delivery, json_of, message, receipt, send, version


def vectors(folder):
    at = datetime.fromtimestamp(NOW, timezone.utc)
    made = []

    def add(name, model, expect, endpoint="messages"):
        body = json_of(model)
        headers = {"content-type": "application/json", "authorization": _basic_auth_str("hook-user", "hook-password")}
        made.append(delivery(name, body, headers, expect, endpoint=endpoint, carrier="infobip"))

    def inbound(id):
        return models.SmsInboundMessage(message_id=id, var_from=PATIENT.lstrip("+"), to=CLINIC.lstrip("+"), text=TEXT, clean_text=TEXT, keyword="", received_at=at, sms_count=2)

    two = message("in-1", segments=2)
    two["messages"].append(dict(two["messages"][0], id="in-2"))
    add("two texts", models.SmsInboundMessageResult(results=[inbound("in-1"), inbound("in-2")], message_count=2, pending_message_count=0), two)

    def report(group, name, error):
        status = models.SmsMessageStatus(group_id=1, group_name=group, id=5, name=name, description="words with +15558675310")
        fault = models.SmsMessageError(group_id=0, group_name="OK", id=error[0], name=error[1], description="", permanent=False)
        return models.SmsDeliveryReport(bulk_id="b", message_id=OUR_ID, to=PATIENT.lstrip("+"), sender=CLINIC, sent_at=at, done_at=at, message_count=1, status=status, error=fault)

    none = (0, "NO_ERROR")
    for name, item, expect in [
        ("delivered", report("DELIVERED", "DELIVERED_TO_HANDSET", none), receipt(OUR_ID, "Delivered")),
        ("only at the operator", report("DELIVERED", "DELIVERED_TO_OPERATOR", none), receipt(OUR_ID, "Sent")),
        ("pending", report("PENDING", "PENDING_ENROUTE", none), receipt(OUR_ID, "Queued")),
        ("unknown subscriber", report("UNDELIVERABLE", "UNDELIVERABLE_NOT_DELIVERED", (1, "EC_UNKNOWN_SUBSCRIBER")), receipt(OUR_ID, "Failed", "EC_UNKNOWN_SUBSCRIBER")),
        ("expired", report("EXPIRED", "EXPIRED_EXPIRED", none), receipt(OUR_ID, "Failed", "EXPIRED_EXPIRED")),
    ]:
        add(f"a receipt: {name}", models.SmsDeliveryResult(results=[item]), expect, "status")

    answer = {"bulkId": "b", "messages": [{"messageId": OUR_ID, "status": {"groupId": 1, "groupName": "PENDING", "id": 26, "name": "PENDING_ACCEPTED"}, "destination": PATIENT}]}
    captured = Captured(200, answer)
    captured.urllib3_library()
    client = infobip.ApiClient(infobip.Configuration(host="https://xxxxx.api.infobip.com", api_key="infobip-key"))
    webhooks = models.SmsWebhooks(delivery=models.SmsMessageDeliveryReporting(url=STATUS_URL.format(carrier="infobip"), intermediate_report=True), content_type="application/json")
    content = models.SmsMessageContent(models.SmsTextContent(text=REPLY))
    text = models.SmsMessage(sender=CLINIC.lstrip("+"), destinations=[models.SmsDestination(to=PATIENT.lstrip("+"), message_id=OUR_ID)], content=content, webhooks=webhooks)
    infobip.SmsApi(client).send_sms_messages(models.SmsRequest(messages=[text]))
    credentials = {"api_key": "infobip-key", "base_url": "https://xxxxx.api.infobip.com", "webhook_username": "hook-user", "webhook_password": "hook-password"}
    return {
        "carrier": "infobip",
        "packages": [version("infobip-api-python-client"), version("requests")],
        "credentials": credentials,
        "other_credentials": dict(credentials, webhook_password="other-password"),
        "base_url_field": "base_url",
        "deliveries": made,
        "sends": [send("a text", captured.only(), 200, answer, OUR_ID, carrier="infobip")],
    }
