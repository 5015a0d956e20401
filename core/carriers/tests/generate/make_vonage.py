"""Vonage: PyJWT signs as Vonage does and Vonage's package checks; its SMS signatures it makes itself."""

import datetime
import hashlib
import json

# First: it freezes the clock that the others look at.
from common import CLINIC, NOW, OUR_ID, PATIENT, REPLY, STATUS_URL, TEXT, Captured, delivery, form, message, receipt, send, version

import jwt
import vonage_jwt
from vonage_http_client import HttpClient
from vonage_http_client.auth import Auth
from vonage_messages import Messages
from vonage_messages.models import MmsImage, MmsResource, Sms
from vonage_sms import Sms as SmsApi
from vonage_sms import SmsMessage

from keys import private_key

KEY, SECRET, SIGNATURE_SECRET = "abcd1234", "api-secret", "signature-secret-of-some-length-0123456789"
APPLICATION = "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab"


class Frozen(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(NOW, tz)


jwt.api_jwt.datetime = Frozen
BARE = {"from": PATIENT.lstrip("+"), "to": CLINIC.lstrip("+")}
AT = "2026-11-18T11:06:40Z"


def token_deliveries():
    made = []

    def add(name, event, expect, endpoint="messages", iat=NOW):
        body = json.dumps(event, ensure_ascii=False).encode()
        claims = {"iat": iat, "jti": "j-1", "iss": "Vonage", "payload_hash": hashlib.sha256(body).hexdigest(), "api_key": KEY, "application_id": APPLICATION}
        token = jwt.encode(claims, SIGNATURE_SECRET, algorithm="HS256")
        token = token.decode() if isinstance(token, bytes) else token
        assert vonage_jwt.verify_signature(token, SIGNATURE_SECRET)
        headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
        made.append(delivery(name, body, headers, expect, endpoint=endpoint, signs=["body"], carrier="vonage"))

    event = dict(BARE, channel="sms", message_uuid="in-1", timestamp=AT, message_type="text", text=TEXT, sms={"num_messages": "2"}, context_status="none")
    add("a text", event, message("in-1", segments=2))
    add("the oldest attempt of a retry", event, message("in-1", segments=2), iat=NOW - 24 * 3600)
    picture = dict(BARE, channel="mms", message_uuid="in-2", timestamp=AT, message_type="image", image={"url": "https://media.example/0", "name": "0.jpg", "caption": TEXT})
    add("a picture", picture, message("in-2", media=[{"url": "https://media.example/0", "content_type": None}]))
    several = dict(BARE, channel="mms", message_uuid="in-3", timestamp=AT, message_type="content", content=[{"type": "text", "text": TEXT}, {"type": "image", "url": "https://media.example/1"}])
    add("several things", several, message("in-3", media=[{"url": "https://media.example/1", "content_type": None}]))
    error = {"type": "https://developer.vonage.com/api-errors/messages#1180", "title": "1180", "detail": "to 15558675310", "instance": "i"}
    failed = {"message_uuid": "out-1", "to": BARE["from"], "from": BARE["to"], "timestamp": AT, "status": "undeliverable", "error": error, "channel": "sms", "client_ref": OUR_ID}
    add("a receipt", failed, receipt("out-1", "Failed", "1180"), "status")
    for status, state in [("submitted", "Queued"), ("delivered", "Delivered"), ("read", "Delivered"), ("rejected", "Failed")]:
        done = {key: value for key, value in failed.items() if key != "error"}
        add(f"a receipt: {status}", dict(done, status=status), receipt("out-1", state, "undelivered" if state == "Failed" else None), "status")
    return made


def sign(method, params):
    params = dict(params)
    if method == "md5hash":
        # As https://developer.vonage.com/en/getting-started/concepts/signing-messages writes it down: the
        # package makes HMACs only.
        replaced = {key: value.replace("&", "_").replace("=", "_") for key, value in params.items()}
        text = "".join(f"&{key}={replaced[key]}" for key in sorted(replaced)) + SIGNATURE_SECRET
        return hashlib.md5(text.encode()).hexdigest()
    auth = Auth(api_key=KEY, signature_secret=SIGNATURE_SECRET, signature_method=method)
    signature = auth.sign_params(dict(params))
    assert auth.check_signature(dict(params, sig=signature))
    return signature


def sms_deliveries(credentials):
    made = []
    text = {"msisdn": BARE["from"], "to": BARE["to"], "messageId": "0A0000000123ABCD1", "text": TEXT, "type": "unicode", "keyword": "MY", "api-key": KEY, "message-timestamp": "2026-11-18 11:06:40", "timestamp": str(NOW), "nonce": "aaaa-bbbb"}
    for method in ["md5hash", "md5", "sha1", "sha256", "sha512"]:
        account = dict(credentials, api="sms", signature_method=method)

        def add(name, params, expect, how, **more):
            signed = dict(params, sig=sign(method, params))
            name = f"{method}: {name}"
            if how == "get":
                made.append(delivery(name, b"", {}, expect, method="GET", query=form(signed), signs=["query"], carrier="vonage", credentials=account, **more))
            elif how == "form":
                made.append(delivery(name, form(signed), {"content-type": "application/x-www-form-urlencoded"}, expect, signs=["body"], carrier="vonage", credentials=account, loose_headers=["content-type"], **more))
            else:
                made.append(delivery(name, json.dumps(signed, ensure_ascii=False), {"content-type": "application/json"}, expect, signs=["body"], carrier="vonage", credentials=account, loose_headers=["content-type"], **more))

        for how in ["get", "form", "json"]:
            add(f"a text by {how}", text, message(text["messageId"]), how)
        if method == "sha256":
            long = dict(text, concat="true", **{"concat-ref": "08", "concat-total": "3", "concat-part": "2"})
            add("a piece of a long text", long, message(text["messageId"], part={"reference": "08", "number": 2, "count": 3}), "json")
            late = {"msisdn": BARE["from"], "to": BARE["to"], "messageId": "out-1", "status": "failed", "err-code": "9", "scts": "2611181106", "api-key": KEY, "network-code": "310260", "price": "0.01", "message-timestamp": "2026-11-18 11:06:40", "timestamp": str(NOW), "nonce": "n"}
            add("a receipt", late, receipt("out-1", "Failed", "9"), "json", endpoint="status")
    return made


def vectors(folder):
    pem, _ = private_key(folder, "vonage")
    credentials = {"api_key": KEY, "api_secret": SECRET, "signature_secret": SIGNATURE_SECRET, "application_id": APPLICATION}
    sends = []
    status_url = STATUS_URL.format(carrier="vonage")
    for name, with_key, media in [("a text", False, []), ("a text under a token", True, []), ("a picture", False, ["https://clinic.example/m/1"])]:
        answer = {"message_uuid": "out-1"}
        captured = Captured(202, answer)
        captured.requests_library()
        if with_key:
            auth = Auth(application_id=APPLICATION, private_key=pem)
            # What is random in a token; everything else has to be the same.
            generate = auth._jwt_client.generate_application_jwt
            auth._jwt_client.generate_application_jwt = lambda claims=None: generate({"jti": f"{OUR_ID}-{NOW * 1_000_000}"})
        else:
            auth = Auth(api_key=KEY, api_secret=SECRET)
        common = {"to": BARE["from"], "from_": BARE["to"], "client_ref": OUR_ID, "webhook_url": status_url}
        model = MmsImage(**common, image=MmsResource(url=media[0], caption=REPLY)) if media else Sms(**common, text=REPLY)
        Messages(HttpClient(auth)).send(model)
        made = send(name, captured.only(), 202, answer, "out-1", media=media, carrier="vonage")
        if with_key:
            made["credentials"] = dict(credentials, private_key=pem)
        sends.append(made)
    answer = {"message-count": "1", "messages": [{"to": BARE["from"], "message-id": "out-1", "status": "0", "remaining-balance": "1", "message-price": "0.1", "network": "310260"}]}
    captured = Captured(200, answer)
    captured.requests_library()
    text = SmsMessage(to=BARE["from"], from_=BARE["to"], text=REPLY, client_ref=OUR_ID, type="unicode", callback=status_url, status_report_req=True)
    SmsApi(HttpClient(Auth(api_key=KEY, api_secret=SECRET))).send(text)
    old = send("the SMS API", captured.only(), 200, answer, "out-1", carrier="vonage")
    old["credentials"] = dict(credentials, api="sms")
    sends.append(old)
    return {
        "carrier": "vonage",
        "packages": [version("vonage-http-client"), version("vonage-jwt"), version("vonage-messages"), version("vonage-sms"), version("PyJWT")],
        "credentials": credentials,
        "other_credentials": dict(credentials, signature_secret="another-secret"),
        "downgraded_credentials": [dict(credentials, api="sms"), dict(credentials, api="sms", signature_method="md5hash")],
        "stale_after": 24 * 3600,
        "deliveries": token_deliveries() + sms_deliveries(credentials),
        "sends": sends,
    }
