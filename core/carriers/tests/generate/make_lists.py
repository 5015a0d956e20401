"""What carriers list: their own packages page through a list, and a stand-in answers.

Each case holds the requests as the package made them, and the answers, which the package has read; ours must make
the same requests and find the same messages. Telnyx: `telnyx`. Twilio: `twilio`. Bandwidth: `bandwidth-sdk`. Vonage:
`@vonage/reports`, which doesn't turn pages itself: the second request is made with the `cursor` and `iv` that it read
in the first answer."""

import datetime
import json
import subprocess

from common import CLINIC, NOW, PATIENT, TEXT, version
from make_registration import Script

SINCE, UNTIL = (datetime.datetime.fromtimestamp(NOW + offset, datetime.timezone.utc) for offset in (0, 3600))
MOMENT = "%Y-%m-%dT%H:%M:%SZ"


def inbound(id, body):
    return {"what": "inbound", "id": id, "body": body}


def outbound(id, state):
    return {"what": "outbound", "id": id, "body": state}


def only_id(id):
    return {"what": "id", "id": id, "body": ""}


def wordless(id):
    return {"what": "wordless", "id": id, "body": ""}


def case(name, carrier, script, expect, **more):
    assert not script.answers, f"{name}: not all was asked"
    return {"name": name, "carrier": carrier, "exchanges": script.exchanges, "expect": expect, **more}


def telnyx_case():
    import httpx
    import telnyx

    def record(uuid, direction, status, errors=()):
        return {"record_type": "message_detail_record", "uuid": uuid, "direction": direction, "status": status, "errors": list(errors), "cli": PATIENT, "cld": CLINIC, "created_at": "2026-11-18T11:30:00Z", "message_type": "SMS", "parts": 1}

    def page(number, *records):
        return 200, {"data": list(records), "meta": {"page_number": number, "page_size": 50, "total_pages": 2, "total_results": 4}}

    script = Script(
        page(1, record("m-1", "inbound", "received"), record("m-2", "outbound", "delivered")),
        page(2, record("m-3", "outbound", "gw_reject", ["40300"]), record("m-4", "outbound", "dlr_unconfirmed")),
    )

    def network(request):
        status, content = script.take(request.method, str(request.url), dict(request.headers), request.content)
        return httpx.Response(status, content=content, headers={"content-type": "application/json"})

    client = telnyx.Telnyx(api_key="KEY1", http_client=httpx.Client(transport=httpx.MockTransport(network)))
    between = {"gte": SINCE.strftime(MOMENT), "lt": UNTIL.strftime(MOMENT)}
    read = list(client.detail_records.list(filter={"record_type": "messaging", "created_at": between}, page_number=1, page_size=50))
    assert [record.uuid for record in read] == ["m-1", "m-2", "m-3", "m-4"]
    expect = [only_id("m-1"), outbound("m-2", "Delivered"), outbound("m-3", "Failed"), outbound("m-4", "Sent")]
    return case("detail records, two pages", "telnyx", script, expect)


def telnyx_read():
    import httpx
    import telnyx

    payload = {"id": "m-1", "record_type": "message", "direction": "inbound", "type": "SMS", "from": {"phone_number": PATIENT}, "to": [{"phone_number": CLINIC, "status": "webhook_delivered"}], "text": TEXT, "media": [], "parts": 1, "received_at": "2026-11-18T11:30:00.000+00:00"}
    script = Script((200, {"data": payload}))

    def network(request):
        status, content = script.take(request.method, str(request.url), dict(request.headers), request.content)
        return httpx.Response(status, content=content, headers={"content-type": "application/json"})

    client = telnyx.Telnyx(api_key="KEY1", http_client=httpx.Client(transport=httpx.MockTransport(network)))
    assert client.messages.retrieve("m-1").data.text == TEXT
    return case("one message", "telnyx", script, [inbound("m-1", TEXT)], read="m-1")


def twilio_case():
    import requests
    from twilio.rest import Client

    list_path = "/2010-04-01/Accounts/AC1/Messages.json"

    def message(sid, direction, status, media="0"):
        return {"sid": sid, "account_sid": "AC1", "direction": direction, "status": status, "num_media": media, "num_segments": "1", "from": PATIENT, "to": CLINIC, "body": TEXT, "error_code": None, "error_message": None, "date_created": "Wed, 18 Nov 2026 11:30:00 +0000", "date_sent": "Wed, 18 Nov 2026 11:30:00 +0000", "date_updated": "Wed, 18 Nov 2026 11:30:00 +0000", "api_version": "2010-04-01", "uri": f"/2010-04-01/Accounts/AC1/Messages/{sid}.json", "price": None, "price_unit": "USD", "messaging_service_sid": None, "subresource_uris": {}}

    def page(messages, following):
        return 200, {"messages": messages, "next_page_uri": following, "first_page_uri": list_path, "previous_page_uri": None, "uri": list_path, "page": 0, "page_size": 200, "start": 0, "end": 1}

    script = Script(
        page([message("SM1", "inbound", "received"), message("SM2", "outbound-api", "undelivered")], f"{list_path}?PageSize=200&Page=1&PageToken=PASM2"),
        page([message("MM3", "inbound", "received", "1")], None),
    )

    def network(adapter, request, **kwargs):
        status, content = script.take(request.method, request.url, dict(request.headers), request.body)
        response = requests.Response()
        response.status_code, response._content, response.url, response.request = status, content, request.url, request
        return response

    requests.adapters.HTTPAdapter.send = network
    client = Client("AC1", "token")
    read = client.messages.list(date_sent_after=SINCE, date_sent_before=UNTIL, page_size=200)
    assert [message.sid for message in read] == ["SM1", "SM2", "MM3"]
    return case("messages, two pages", "twilio", script, [inbound("SM1", TEXT), outbound("SM2", "Failed"), only_id("MM3")])


def bandwidth_case():
    import bandwidth
    import urllib3

    def message(id, direction, status, code=0):
        return {"messageId": id, "accountId": "9900000", "sourceTn": PATIENT, "destinationTn": CLINIC, "messageStatus": status, "messageDirection": direction, "messageType": "sms", "segmentCount": 1, "errorCode": code, "receiveTime": "2026-11-18T11:30:00.000Z", "carrierName": None, "messageSize": None, "messageLength": 18, "attachmentCount": None, "recipientCount": 1, "campaignClass": None, "campaignId": None}

    def page(messages, token):
        return 200, {"totalCount": 3, "pageInfo": {"prevPage": None, "nextPage": None, "prevPageToken": None, "nextPageToken": token}, "messages": messages}

    script = Script(
        page([message("b-1", "INBOUND", "RECEIVED"), message("b-2", "OUTBOUND", "FAILED", 4775)], "T2"),
        page([message("b-3", "OUTBOUND", "DELIVERED")], None),
    )

    def request(pool, method, url, body=None, headers=None, fields=None, **kwargs):
        status, content = script.take(method, url, dict(headers or {}), body)
        return urllib3.HTTPResponse(body=content, status=status, headers={"Content-Type": "application/json"}, preload_content=True)

    urllib3.PoolManager.request = request
    urllib3.PoolManager.urlopen = lambda pool, method, url, **kwargs: request(pool, method, url, **kwargs)
    api = bandwidth.MessagesApi(bandwidth.ApiClient(bandwidth.Configuration(username="user", password="pass")))
    read, token = [], None
    while True:
        more = {"page_token": token} if token else {}
        page = api.list_messages("9900000", from_date_time=SINCE.strftime(MOMENT), to_date_time=UNTIL.strftime(MOMENT), limit=1000, **more)
        read += [message.message_id for message in page.messages]
        token = page.page_info.next_page_token
        if not token:
            break
    assert read == ["b-1", "b-2", "b-3"]
    return case("messages, two pages", "bandwidth", script, [wordless("b-1"), outbound("b-2", "Failed"), outbound("b-3", "Delivered")])


VONAGE = """
const { Reports } = require('@vonage/reports');
const { Auth } = require('@vonage/auth');
const http = require('http');
const [since, until, answers] = process.argv.slice(1);
const queue = JSON.parse(answers), exchanges = [];
const server = http.createServer((request, response) => {
    const url = new URL(request.url, 'http://x'), answer = queue.shift();
    const query = [...url.searchParams].sort();
    exchanges.push({ request: { method: request.method, path: url.pathname, query, headers: { authorization: request.headers.authorization }, json: null }, status: 200, answer });
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answer));
}).listen(0, '127.0.0.1', async () => {
    const reports = new Reports(new Auth({ apiKey: 'abcd1234', apiSecret: 'secret' }), { apiHost: `http://127.0.0.1:${server.address().port}` });
    const read = [];
    for (const direction of ['inbound', 'outbound']) {
        let more = {};
        do {
            const page = await reports.getRecords({ product: 'MESSAGES', accountId: 'abcd1234', direction, dateStart: since, dateEnd: until, includeMessage: direction === 'inbound', ...more });
            read.push(...page.records.map(record => [record.messageId, record.messageBody ?? null]));
            more = page.cursor ? { cursor: page.cursor, iv: page.iv } : null;
        } while (more);
    }
    console.log(JSON.stringify({ exchanges, read }));
    server.close();
    server.closeAllConnections();
});
"""


def vonage_case():
    def record(id, direction, **more):
        return {"account_id": "abcd1234", "message_id": id, "direction": direction, "from": PATIENT[1:], "to": CLINIC[1:], "provider": "sms", "currency": "EUR", "total_price": "0", "date_received": "2026-11-18T11:30:00+00:00", **more}

    head = {"request_id": "r", "received_at": "2026-11-18T12:30:00+00:00", "product": "MESSAGES", "account_id": "abcd1234", "items_count": 1}
    answers = [
        {**head, "request_status": "TRUNCATED", "cursor": "C2_-w", "iv": "I2_-w", "_links": {"self": {"href": "x"}, "next": {"href": "y"}}, "records": [record("v-1", "inbound", message_body=TEXT)]},
        {**head, "request_status": "SUCCESS", "records": [record("v-2", "inbound")]},
        {**head, "request_status": "SUCCESS", "records": [record("v-3", "outbound", status="rejected", error_code="1480", client_ref="x")]},
    ]
    said = subprocess.run(["node", "-e", VONAGE, "--", SINCE.strftime(MOMENT), UNTIL.strftime(MOMENT), json.dumps(answers)], check=True, capture_output=True, text=True).stdout
    said = json.loads(said)
    assert said["read"] == [["v-1", TEXT], ["v-2", None], ["v-3", None]], said["read"]
    script = Script()
    script.exchanges = said["exchanges"]
    return case("records both ways, two pages", "vonage", script, [inbound("v-1", TEXT), wordless("v-2"), outbound("v-3", "Failed")])


def vectors(folder):
    return {
        "packages": [version(name) for name in ("telnyx", "twilio", "bandwidth-sdk")] + ["@vonage/reports 1.2.1 (npm)"],
        "since": int(SINCE.timestamp()),
        "until": int(UNTIL.timestamp()),
        "credentials": {
            "telnyx": {"api_key": "KEY1", "public_key": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
            "twilio": {"account_sid": "AC1", "auth_token": "token"},
            "bandwidth": {"account_id": "9900000", "application_id": "93de2206", "username": "user", "password": "pass", "callback_user_id": "u", "callback_password": "p"},
            "vonage": {"api_key": "abcd1234", "api_secret": "secret", "signature_secret": "s"},
        },
        "suffixes": {"telnyx": "/v2", "bandwidth": "/api/v2"},
        "cases": [telnyx_case(), telnyx_read(), twilio_case(), bandwidth_case(), vonage_case()],
    }
