"""SignalWire: its package for Python signs, that for Node.js checks as well."""

import json
import subprocess

from signalwire.request_validator import RequestValidator
from signalwire.rest import Client

from common import CLINIC, PATIENT, PUBLIC, REPLY, STATUS_URL, Captured, delivery, message, send, version
from twilio_family import deliveries, text

PROJECT, KEY, TOKEN = "0192f0c1-0000-4000-8000-000000000001", "PSK_signing", "PT_token"
NODE = """
const { RestClient } = require('@signalwire/compatibility-api');
const [key, url, signature, params] = process.argv.slice(1);
process.exit(RestClient.validateRequest(key, signature, url, JSON.parse(params)) ? 0 : 1);
"""

def vectors(folder):
    validator = RequestValidator(KEY)

    def sign(url, params):
        signature = validator.build_signature_with_compatibility(url, params)
        assert validator.validate(url, params, signature)
        subprocess.run(["node", "-e", NODE, "--", KEY, url, signature, json.dumps(params)], check=True)
        return signature

    made = deliveries("signalwire", PROJECT, "X-SignalWire-Signature", sign)
    alias = dict(made[0], name="under Twilio's header")
    alias["headers"] = {name.replace("SignalWire", "Twilio"): value for name, value in alias["headers"].items()}
    made.append(alias)
    body = json.dumps(text(PROJECT), ensure_ascii=False)
    url = PUBLIC.format(carrier="signalwire")
    signature = validator.build_signature(url, body)
    assert validator.validate(url, body, signature)
    media = [{"url": text(PROJECT)["MediaUrl0"], "content_type": "image/jpeg"}]
    expect = message(text(PROJECT)["MessageSid"], media=media, opt_out_type="Help", segments=1)
    headers = {"content-type": "application/json", "X-SignalWire-Signature": signature}
    made.append(delivery("a text as JSON", body, headers, expect, signs=["url", "query", "body"], carrier="signalwire"))

    answer = {"sid": "SW1", "status": "queued", "error_code": None}
    captured = Captured(201, answer)
    captured.requests_library()
    client = Client(PROJECT, TOKEN, signalwire_space_url="example.signalwire.com")
    client.messages.create(to=PATIENT, from_=CLINIC, body=REPLY, status_callback=STATUS_URL.format(carrier="signalwire"))
    return {
        "carrier": "signalwire",
        "packages": [version("signalwire"), "@signalwire/compatibility-api 3.2.0 (npm)"],
        "credentials": {"project_id": PROJECT, "api_token": TOKEN, "signing_key": KEY, "space_url": "https://example.signalwire.com"},
        "other_credentials": {"project_id": PROJECT, "api_token": TOKEN, "signing_key": "PSK_other", "space_url": "https://example.signalwire.com"},
        "base_url_field": "space_url",
        # The package calls an older alias of the documented address.
        "path_prefix": "/api/laml",
        "deliveries": made,
        "sends": [send("a text", captured.only(), 201, answer, "SW1", carrier="signalwire")],
    }
