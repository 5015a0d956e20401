"""What the generators of all carriers share: a frozen clock, a frozen phone book, and captured requests."""

import base64
import importlib.metadata
import json
import time
import types
import urllib.parse

NOW = 1_795_000_000
"""When everything happens: 2026-11-18T11:06:40Z, in seconds since 1970."""
PATIENT, CLINIC = "+15558675310", "+18005550100"
TEXT = "  My knee hurts \n& what is 2+2? é😀  "
PUBLIC = "https://clinic.example/webhooks/{carrier}/7"
OUR_ID = "0192f0c1-2345-7abc-8def-0123456789ab"
REPLY = "See you at 3 & bring your card 😀"
STATUS_URL = "https://clinic.example/webhooks/{carrier}/7/status?m=" + OUR_ID

time.time = lambda: NOW


def version(package):
    return f"{package} {importlib.metadata.version(package)} (PyPI)"


def delivery(name, body, headers, expect, *, endpoint="messages", method="POST", query=None, signs=(), carrier, **more):
    """One request of a carrier's. `signs`: what its signature covers, of `url`, `query` and `body`."""
    if isinstance(body, str):
        body = body.encode()
    path = f"/webhooks/{carrier}/7" + ("/status" if endpoint == "status" else "")
    return {
        "name": name,
        "endpoint": endpoint,
        "method": method,
        "path_and_query": path + (f"?{query}" if query else ""),
        "public_url": PUBLIC.format(carrier=carrier),
        "headers": headers,
        "body_base64": base64.b64encode(body).decode(),
        "received_at": NOW,
        "signs": list(signs),
        "expect": expect,
        **more,
    }


def message(id, body=TEXT, media=(), **more):
    return {"messages": [{"id": id, "from": PATIENT, "to": CLINIC, "body": body, "media": list(media), **more}], "receipts": []}


def receipt(id, state, code=None):
    return {"messages": [], "receipts": [{"id": id, "state": state, "code": code}]}


def form(params):
    return urllib.parse.urlencode(params, doseq=True)


def json_of(model):
    """What a generated model says, in the carrier's own names."""
    return model.model_dump_json(by_alias=True, exclude_none=True, exclude={"additional_properties"})


class Captured:
    """Keeps what an SDK sends, and answers in the carrier's place."""

    def __init__(self, status, answer):
        self.status, self.answer, self.requests = status, answer, []

    def add(self, method, url, headers, body):
        parts = urllib.parse.urlsplit(url)
        if isinstance(body, bytes):
            body = body.decode()
        headers = {name.lower(): value.decode() if isinstance(value, bytes) else value for name, value in headers.items()}
        kind = headers.get("content-type", "")
        self.requests.append({
            "method": method,
            "host": parts.netloc,
            "path": parts.path,
            "query": sorted(urllib.parse.parse_qsl(parts.query)),
            "headers": headers,
            "json": json.loads(body) if "json" in kind and body else None,
            "form": sorted(urllib.parse.parse_qsl(body, keep_blank_values=True)) if "urlencoded" in kind else None,
        })

    def only(self, keep_headers=("authorization",)):
        assert len(self.requests) == 1, self.requests
        request = dict(self.requests[0])
        request["headers"] = {name: request["headers"][name] for name in keep_headers if name in request["headers"]}
        return {key: value for key, value in request.items() if value is not None}

    def requests_library(self):
        """Stands in for `requests`' network."""
        import requests

        def send(adapter, request, **kwargs):
            self.add(request.method, request.url, dict(request.headers), request.body)
            response = requests.Response()
            response.status_code = self.status
            response._content = json.dumps(self.answer).encode()
            response.headers["Content-Type"] = "application/json"
            response.url = request.url
            response.request = request
            return response

        requests.adapters.HTTPAdapter.send = send

    def urllib3_library(self):
        """Stands in for `urllib3`'s network."""
        import urllib3

        def request(pool, method, url, body=None, headers=None, fields=None, **kwargs):
            self.add(method, url, dict(headers or {}), body)
            return urllib3.HTTPResponse(
                body=json.dumps(self.answer).encode(),
                status=self.status,
                headers={"Content-Type": "application/json"},
                preload_content=True,
            )

        urllib3.PoolManager.request = request
        urllib3.PoolManager.urlopen = lambda pool, method, url, **kwargs: request(pool, method, url, **kwargs)


def send(name, request, status, answer, sent, *, media=(), carrier):
    """A text that the SDK sent, what the carrier answers, and the id that the answer gives."""
    return {
        "name": name,
        "text": {
            "our_id": OUR_ID,
            "to": PATIENT,
            "from": CLINIC,
            "body": REPLY,
            "status_callback": STATUS_URL.format(carrier=carrier),
            "media_urls": list(media),
            "at": NOW,
        },
        "request": request,
        "status": status,
        "answer": answer,
        "sent": sent,
    }
