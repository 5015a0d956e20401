"""AWS: a key of ours signs as SNS does, AWS's own validator for Node.js checks, botocore sends."""

import base64
import datetime
import json
import subprocess

import botocore.auth
import botocore.session
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from common import CLINIC, NOW, PATIENT, REPLY, TEXT, Captured, delivery, message, receipt, send, version
from keys import certificate

TOPIC = "arn:aws:sns:us-east-1:123456789012:clinic_inbound"
HOST = "sns.us-east-1.amazonaws.com"
CERTIFICATE_URL = f"https://{HOST}/SimpleNotificationService-" + "0" * 32 + ".pem"
AT = "2026-11-18T11:06:40.000Z"
# AWS's validator fetches the certificate: here it is handed the one of our key.
NODE = """
const https = require('https'), events = require('events');
const [certificate, message] = process.argv.slice(1);
https.get = (url, answer) => {
    const response = new events.EventEmitter();
    response.statusCode = 200;
    answer(response);
    response.emit('data', certificate);
    response.emit('end');
    return response;
};
new (require('sns-validator'))().validate(message, error => process.exit(error ? 1 : 0));
"""
SIGNED = {
    "Notification": ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
    "SubscriptionConfirmation": ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
}


def vectors(folder):
    pem, key = certificate(folder, "sns", HOST)
    certificate(folder, "localhost", "localhost")  # of the message centre in tests/smpp
    made = []

    def add(name, text, expect, endpoint="messages", version="2", at=AT, kind="Notification", credentials=None, **fields):
        envelope = {"Type": kind, "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324", "TopicArn": TOPIC, "Message": text, "Timestamp": at, "SignatureVersion": version, "SigningCertURL": CERTIFICATE_URL, **fields}
        signed = "".join(f"{field}\n{envelope[field]}\n" for field in SIGNED[kind] if field in envelope)
        hash = hashes.SHA1() if version == "1" else hashes.SHA256()
        envelope["Signature"] = base64.b64encode(key.sign(signed.encode(), padding.PKCS1v15(), hash)).decode()
        if kind == "Notification":
            envelope["UnsubscribeURL"] = f"https://{HOST}/?Action=Unsubscribe&SubscriptionArn={TOPIC}:1"
        body = json.dumps(envelope, indent=2, ensure_ascii=False)
        subprocess.run(["node", "-e", NODE, "--", pem, body], check=True)
        headers = {"content-type": "text/plain; charset=UTF-8", "x-amz-sns-message-type": kind, "x-amz-sns-topic-arn": TOPIC}
        more = {"credentials": credentials} if credentials else {}
        made.append(delivery(name, body, headers, expect, endpoint=endpoint, signs=["envelope"], carrier="aws", loose_headers=list(headers), **more))

    credentials = {"access_key_id": "AKIDEXAMPLE", "secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "region": "us-east-1", "topic_arns": [TOPIC], "configuration_set_name": "clinic"}
    two_way = json.dumps({"originationNumber": PATIENT, "destinationNumber": CLINIC, "messageKeyword": "KEYWORD_1", "messageBody": TEXT, "inboundMessageId": "in-1", "previousPublishedMessageId": "out-0"}, ensure_ascii=False)
    add("a text", two_way, message("in-1"))
    add("a text with a subject", two_way, message("in-1"), Subject="two-way")
    add("the last attempt of a retry", two_way, message("in-1"), at="2026-11-18T09:56:40.000Z")
    add("signed with SHA-1", two_way, message("in-1"), version="1", credentials=dict(credentials, signature_version="1"))
    for kind, state, code in [("TEXT_SENT", "Sent", None), ("TEXT_DELIVERED", "Delivered", None), ("TEXT_CARRIER_BLOCKED", "Failed", "CARRIER_BLOCKED"), ("MEDIA_FILE_SIZE_EXCEEDED", "Failed", "FILE_SIZE_EXCEEDED")]:
        event = {"eventType": kind, "eventVersion": "1.0", "eventTimestamp": NOW * 1000, "isFinal": True, "originationPhoneNumber": CLINIC, "destinationPhoneNumber": PATIENT, "isoCountryCode": "US", "messageId": "out-1", "messageStatus": kind.split("_", 1)[1], "messageStatusDescription": "words"}
        add(f"a receipt: {kind}", json.dumps(event), receipt("out-1", state, code), "status")
    subscribe = f"https://{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37"
    add("a subscription to be confirmed", "You have chosen to subscribe to the topic.", {"messages": [], "receipts": []}, kind="SubscriptionConfirmation", Token="2336412f37", SubscribeURL=subscribe)

    # The moment that botocore signs.
    frozen = datetime.datetime.fromtimestamp(NOW, datetime.timezone.utc)
    botocore.auth.get_current_datetime = lambda remove_tzinfo=True: frozen.replace(tzinfo=None) if remove_tzinfo else frozen
    sends = []
    for name, media in [("a text", []), ("a picture", ["s3://clinic-media/1.jpg"])]:
        answer = {"MessageId": "out-1"}
        captured = Captured(200, answer)
        session = botocore.session.get_session()
        client = session.create_client("pinpoint-sms-voice-v2", region_name="us-east-1", aws_access_key_id=credentials["access_key_id"], aws_secret_access_key=credentials["secret_access_key"])

        def network(request, **kwargs):
            captured.add(request.method, request.url, dict(request.headers), request.body)
            return botocore.awsrequest.AWSResponse(request.url, 200, {}, Raw(json.dumps(answer).encode()))

        client.meta.events.register("before-send", network)
        arguments = {"DestinationPhoneNumber": PATIENT, "OriginationIdentity": CLINIC, "MessageBody": REPLY, "ConfigurationSetName": "clinic"}
        if media:
            client.send_media_message(**arguments, MediaUrls=media)
        else:
            client.send_text_message(**arguments, MessageType="TRANSACTIONAL")
        sends.append(send(name, captured.only(("content-type", "x-amz-target", "x-amz-date")), 200, answer, "out-1", media=media, carrier="aws"))
    signed = sign_ours(session, credentials)
    return {
        "carrier": "aws",
        "packages": ["sns-validator 0.3.5 (npm)", version("botocore"), version("cryptography")],
        "certificates": {CERTIFICATE_URL: pem},
        "credentials": credentials,
        "other_credentials": dict(credentials, topic_arns=["arn:aws:sns:us-east-1:123456789012:another"]),
        "downgraded_credentials": [dict(credentials, signature_version="1")],
        "stale_after": 75 * 60,
        "deliveries": made,
        "sends": sends,
        "signed_request": signed,
    }


def sign_ours(session, credentials):
    """botocore's signature of a request as it stands, with the headers that ours has."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    body = '{"DestinationPhoneNumber":"+15558675310"}'
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "PinpointSMSVoiceV2.SendTextMessage"}
    request = AWSRequest("POST", "https://sms-voice.us-east-1.amazonaws.com/", headers=headers, data=body)
    SigV4Auth(Credentials(credentials["access_key_id"], credentials["secret_access_key"]), "sms-voice", "us-east-1").add_auth(request)
    return {"host": "sms-voice.us-east-1.amazonaws.com", "target": headers["X-Amz-Target"], "body": body, "date": request.headers["X-Amz-Date"], "authorization": request.headers["Authorization"]}


class Raw:
    def __init__(self, content):
        self.content = content

    def stream(self, **kwargs):
        yield self.content
