"""Twilio."""

from twilio.request_validator import RequestValidator
from twilio.rest import Client
from twilio.http.http_client import TwilioHttpClient

from common import CLINIC, PATIENT, REPLY, STATUS_URL, Captured, send, version
from twilio_family import deliveries

ACCOUNT, TOKEN = "AC" + "0" * 32, "12345"

def vectors(folder):
    validator = RequestValidator(TOKEN)

    def sign(url, params):
        signature = validator.compute_signature(url, params)
        assert validator.validate(url, params, signature)
        return signature

    sends = []
    for name, media in [("a text", []), ("a picture", ["https://clinic.example/m/1"])]:
        answer = {"sid": "SM" + "1" * 32, "status": "queued", "error_code": None}
        captured = Captured(201, answer)
        captured.requests_library()
        arguments = {"media_url": media} if media else {}
        client = Client(ACCOUNT, TOKEN, http_client=TwilioHttpClient(pool_connections=False))
        client.messages.create(to=PATIENT, from_=CLINIC, body=REPLY, status_callback=STATUS_URL.format(carrier="twilio"), **arguments)
        sends.append(send(name, captured.only(), 201, answer, answer["sid"], media=media, carrier="twilio"))
    return {
        "carrier": "twilio",
        "packages": [version("twilio")],
        "credentials": {"account_sid": ACCOUNT, "auth_token": TOKEN},
        "other_credentials": {"account_sid": ACCOUNT, "auth_token": "54321"},
        "deliveries": deliveries("twilio", ACCOUNT, "X-Twilio-Signature", sign),
        "sends": sends,
    }
