"""What carriers say of registrations: their own packages ask, a stand-in answers, and the packages read the answer.

Each case holds the requests as the package made them and the answers, which the package's own types have read; ours
must make the same requests and read the same words."""

import json
import urllib.parse

from common import CLINIC, NOW, version

TEN_DLC = "+15125550190"


class Script:
    """Answers one request after the other, and keeps what was asked."""

    def __init__(self, *answers):
        self.answers, self.exchanges = list(answers), []

    def take(self, method, url, headers, body):
        parts = urllib.parse.urlsplit(url)
        status, answer = self.answers.pop(0)
        headers = {name.lower(): value.decode() if isinstance(value, bytes) else value for name, value in headers.items()}
        if isinstance(body, bytes):
            body = body.decode()
        kept = {name: headers[name] for name in ("authorization", "x-amz-target") if name in headers and not headers[name].startswith("AWS4")}
        self.exchanges.append({
            "request": {"method": method, "path": parts.path, "query": sorted(urllib.parse.parse_qsl(parts.query)), "headers": kept, "json": json.loads(body) if body and "json" in headers.get("content-type", "") else None},
            "status": status,
            "answer": answer,
        })
        return status, json.dumps(answer).encode()


def part(name, state=None, reason=None, reference=None):
    return {"part": name, "state": state, "reason": reason, "reference": reference}


def case(name, carrier, kind, number, script, expect, **more):
    assert not script.answers, f"{name}: not all was asked"
    return {"name": name, "carrier": carrier, "kind": kind, "number": number, "messaging_service": None, "exchanges": script.exchanges, "expect": expect, **more}


def twilio_cases():
    import requests
    from twilio.rest import Client

    scripts = []

    def network(adapter, request, **kwargs):
        status, content = scripts[-1].take(request.method, request.url, dict(request.headers), request.body)
        response = requests.Response()
        response.status_code, response._content, response.url, response.request = status, content, request.url, request
        return response

    requests.adapters.HTTPAdapter.send = network
    client = Client("AC1", "token")
    base = "https://messaging.twilio.com"

    def page(key, items, next_page=None):
        meta = {"page": 0, "page_size": 100, "first_page_url": base + "/v1/x", "previous_page_url": None, "url": base + "/v1/x", "next_page_url": next_page, "key": key}
        return 200, {key: items, "meta": meta}

    def campaign(status, errors=()):
        return {"sid": "QE1", "account_sid": "AC1", "brand_registration_sid": "BN1", "messaging_service_sid": "MG1", "campaign_status": status, "campaign_id": "C1", "us_app_to_person_usecase": "CUSTOMER_CARE", "errors": list(errors), "date_created": "2026-01-01T00:00:00Z"}

    def brand(status, reason=None, errors=()):
        return 200, {"sid": "BN1", "account_sid": "AC1", "status": status, "failure_reason": reason, "errors": list(errors), "brand_type": "STANDARD", "identity_status": "VERIFIED", "mock": False}

    def number(address):
        return {"sid": "PN" + address[-1], "account_sid": "AC1", "service_sid": "MG1", "phone_number": address, "country_code": "US", "capabilities": ["SMS"]}

    made = []

    def ten_dlc(name, campaigns, brand_answer, numbers, expect):
        script = Script(*campaigns, *([brand_answer] if brand_answer else []), *numbers)
        scripts.append(script)
        service = client.messaging.v1.services("MG1")
        for found in service.us_app_to_person.list(page_size=100):
            said = next(one for one in expect if one["part"] == "campaign")
            assert found.campaign_status == said["state"] and found.sid == said["reference"]
            read = client.messaging.v1.brand_registrations(found.brand_registration_sid).fetch()
            said = next(one for one in expect if one["part"] == "brand")
            assert read.status == said["state"] and read.sid == said["reference"]
        found = [one.sid for one in service.phone_numbers.list(page_size=100) if one.phone_number == TEN_DLC]
        said = next(one for one in expect if one["part"] == "number")
        assert (found or [None]) == [said["reference"]]
        made.append(case(name, "twilio", "ten_dlc", TEN_DLC, script, expect, messaging_service="MG1"))

    ours = page("phone_numbers", [number("+15125550188"), number(TEN_DLC)])
    assigned = part("number", "ASSIGNED", None, "PN0")
    next_page = base + "/v1/Services/MG1/PhoneNumbers?PageSize=100&Page=1&PageToken=PAPN8"
    ten_dlc("approved", [page("compliance", [campaign("VERIFIED")])], brand("APPROVED"), [page("phone_numbers", [number("+15125550188")], next_page), page("phone_numbers", [number(TEN_DLC)])], [part("campaign", "VERIFIED", None, "QE1"), part("brand", "APPROVED", None, "BN1"), assigned])
    ten_dlc("pending", [page("compliance", [campaign("IN_PROGRESS")])], brand("IN_REVIEW"), [ours], [part("campaign", "IN_PROGRESS", None, "QE1"), part("brand", "IN_REVIEW", None, "BN1"), assigned])
    errors = [{"error_code": 30909, "fields": ["MESSAGE_FLOW"], "url": "https://www.twilio.com/docs/api/errors/30909", "description": "The call to action is missing."}]
    ten_dlc("refused", [page("compliance", [campaign("FAILED", errors)])], brand("FAILED", "The EIN does not match."), [ours], [part("campaign", "FAILED", "The call to action is missing.", "QE1"), part("brand", "FAILED", "The EIN does not match.", "BN1"), assigned])
    ten_dlc("not in the service", [page("compliance", [campaign("VERIFIED")])], brand("APPROVED"), [page("phone_numbers", [number("+15125550188")])], [part("campaign", "VERIFIED", None, "QE1"), part("brand", "APPROVED", None, "BN1"), part("number", "NOT_ASSIGNED")])
    ten_dlc("no campaign", [page("compliance", [])], None, [ours], [assigned])

    def toll_free(name, items, expect):
        script = Script(page("verifications", items))
        scripts.append(script)
        found = [(one.sid, one.status, one.rejection_reason) for one in client.messaging.v1.tollfree_verifications.list(page_size=100) if one.tollfree_phone_number == CLINIC]
        assert (expect["reference"], expect["state"], expect["reason"]) in (found or [(None, None, None)])
        made.append(case(name, "twilio", "toll_free", CLINIC, script, [expect]))

    def verification(sid, status, address=CLINIC, reason=None):
        return {"sid": sid, "account_sid": "AC1", "status": status, "tollfree_phone_number": address, "tollfree_phone_number_sid": "PN1", "rejection_reason": reason, "rejection_reasons": None, "edit_allowed": True}

    for status in ("PENDING_REVIEW", "IN_REVIEW", "TWILIO_APPROVED"):
        toll_free(f"toll-free: {status}", [verification("HH0", "TWILIO_APPROVED", "+18005550199"), verification("HH1", status)], part("toll_free", status, None, "HH1"))
    toll_free("toll-free: refused", [verification("HH1", "TWILIO_REJECTED", reason="The website is down.")], part("toll_free", "TWILIO_REJECTED", "The website is down.", "HH1"))
    toll_free("toll-free: refused, then approved", [verification("HH1", "TWILIO_REJECTED", reason="x"), verification("HH2", "TWILIO_APPROVED")], part("toll_free", "TWILIO_APPROVED", None, "HH2"))
    toll_free("toll-free: none", [], part("toll_free"))
    return made


def telnyx_cases():
    import httpx
    import telnyx

    scripts, made = [], []

    def network(request):
        status, content = scripts[-1].take(request.method, str(request.url), dict(request.headers), request.content)
        return httpx.Response(status, content=content, headers={"content-type": "application/json"})

    client = telnyx.Telnyx(api_key="KEY0123", max_retries=0, http_client=httpx.Client(transport=httpx.MockTransport(network)))

    def assignment(status, reasons=None):
        return 200, {"phoneNumber": TEN_DLC, "campaignId": "camp-1", "brandId": "brand-1", "tcrBrandId": "B1", "tcrCampaignId": "C1", "telnyxCampaignId": "camp-1", "assignmentStatus": status, "failureReasons": reasons, "createdAt": "2026-01-01", "updatedAt": "2026-01-01"}

    def campaign(status, reasons=None):
        return 200, {"campaignId": "camp-1", "brandId": "brand-1", "cspId": "S1", "description": "Clinic", "mock": False, "subUsecases": [], "termsAndConditions": True, "usecase": "CUSTOMER_CARE", "campaignStatus": status, "failureReasons": reasons}

    def brand(status, reasons=None):
        return 200, {"brandId": "brand-1", "brandRelationship": "BASIC_ACCOUNT", "country": "US", "displayName": "Clinic", "email": "a@b.example", "entityType": "PRIVATE_PROFIT", "vertical": "HEALTHCARE", "status": status, "identityStatus": "VERIFIED", "failureReasons": reasons}

    def ten_dlc(name, one, two, three, expect):
        script = Script(one, two, three)
        scripts.append(script)
        said = {item["part"]: (item["state"], item["reason"]) for item in expect}
        number = client.messaging_10dlc.phone_number_campaigns.retrieve(TEN_DLC)
        assert (number.assignment_status, number.failure_reasons) == said["number"]
        found = client.messaging_10dlc.campaign.retrieve(number.campaign_id)
        assert (found.campaign_status, found.failure_reasons) == said["campaign"]
        found = client.messaging_10dlc.brand.retrieve(number.brand_id)
        assert (found.status, found.failure_reasons) == said["brand"]
        made.append(case(name, "telnyx", "ten_dlc", TEN_DLC, script, expect))

    def expect(number, campaign_, brand_, reasons=(None, None, None)):
        return [part("number", number, reasons[0]), part("campaign", campaign_, reasons[1], "camp-1"), part("brand", brand_, reasons[2], "brand-1")]

    for status in ("TCR_PENDING", "TCR_SUSPENDED", "TCR_EXPIRED", "TCR_ACCEPTED", "TCR_FAILED", "TELNYX_ACCEPTED", "TELNYX_FAILED", "MNO_PENDING", "MNO_ACCEPTED", "MNO_REJECTED", "MNO_PROVISIONED", "MNO_PROVISIONING_FAILED"):
        ten_dlc(f"campaign {status}", assignment("ASSIGNED"), campaign(status), brand("OK"), expect("ASSIGNED", status, "OK"))
    ten_dlc("all refused", assignment("FAILED_ASSIGNMENT", "The number is another's."), campaign("MNO_REJECTED", "No opt-in."), brand("REGISTRATION_FAILED", "Wrong EIN."), expect("FAILED_ASSIGNMENT", "MNO_REJECTED", "REGISTRATION_FAILED", ("The number is another's.", "No opt-in.", "Wrong EIN.")))
    script = Script((404, {"errors": [{"code": "10005", "title": "Resource not found"}]}))
    scripts.append(script)
    try:
        client.messaging_10dlc.phone_number_campaigns.retrieve(TEN_DLC)
        raise AssertionError("no refusal")
    except telnyx.NotFoundError:
        pass
    made.append(case("no campaign", "telnyx", "ten_dlc", TEN_DLC, script, [part("number", "NOT_ASSIGNED")]))

    def request(id, status, address=CLINIC, reason=None):
        text = dict.fromkeys(("additionalInformation", "businessAddr1", "businessCity", "businessContactEmail", "businessContactFirstName", "businessContactLastName", "businessContactPhone", "businessName", "businessState", "businessZip", "corporateWebsite", "optInWorkflow", "productionMessageContent", "useCaseSummary"), "x")
        return {"id": id, **text, "messageVolume": "1,000", "optInWorkflowImageURLs": [], "phoneNumbers": [{"phoneNumber": address}], "useCase": "Healthcare", "verificationStatus": status, "reason": reason}

    def toll_free(name, records, expect):
        script = Script((200, {"records": records, "total_records": len(records)}))
        scripts.append(script)
        read = client.messaging_tollfree.verification.requests.list(page=1, page_size=100, phone_number=CLINIC)
        found = [(one.id, one.verification_status, one.reason) for one in read.records if one.phone_numbers[0].phone_number == CLINIC]
        assert (expect["reference"], expect["state"], expect["reason"]) in (found or [(None, None, None)])
        made.append(case(name, "telnyx", "toll_free", CLINIC, script, [expect]))

    for status in ("Verified", "Waiting For Vendor", "Waiting For Customer", "Waiting For Telnyx", "In Progress"):
        toll_free(f"toll-free: {status}", [request("r-0", "Rejected", "+18005550199"), request("r-1", status)], part("toll_free", status, None, "r-1"))
    toll_free("toll-free: refused", [request("r-1", "Rejected", reason="The website is down.")], part("toll_free", "Rejected", "The website is down.", "r-1"))
    toll_free("toll-free: none", [], part("toll_free"))
    return made


def bandwidth_cases():
    import bandwidth
    import urllib3

    scripts, made = [], []

    def network(pool, method, url, body=None, headers=None, **kwargs):
        status, content = scripts[-1].take(method, url, dict(headers or {}), body)
        return urllib3.HTTPResponse(body=content, status=status, headers={"Content-Type": "application/json"}, preload_content=True)

    urllib3.PoolManager.request = network
    api = bandwidth.TollFreeVerificationApi(bandwidth.ApiClient(bandwidth.Configuration(username="api", password="secret")))

    def toll_free(name, answer, expect, status=200):
        script = Script((status, answer))
        scripts.append(script)
        if status == 200:
            read = api.get_toll_free_verification_status("9900000", CLINIC)
            assert read.status == answer["status"] and read.decline_reason_description == answer.get("declineReasonDescription")
        else:
            try:
                api.get_toll_free_verification_status("9900000", CLINIC)
                raise AssertionError("no refusal")
            except bandwidth.exceptions.NotFoundException:
                pass
        made.append(case(name, "bandwidth", "toll_free", CLINIC, script, [expect]))

    def said(status, **more):
        # The package's own check of numbers leaves 555 0100 out.
        return {"phoneNumber": "+18005552345", "status": status, "internalTicketNumber": "t-1", **more}

    for status in ("VERIFIED", "PENDING"):
        toll_free(f"toll-free: {status}", said(status), part("toll_free", status, None, "t-1"))
    toll_free("toll-free: refused", said("UNVERIFIED", declineReasonDescription="The website is down.", denialStatusCode=511), part("toll_free", "UNVERIFIED", "The website is down.", "t-1"))
    toll_free("toll-free: blocked", said("VERIFIED", blocked=True, blockedReason="Complaints."), part("toll_free", "BLOCKED", "Complaints.", "t-1"))
    toll_free("toll-free: none", {"links": [], "data": None, "errors": [{"code": 404, "description": "not found"}]}, part("toll_free"), 404)
    return made


def aws_cases():
    import botocore.awsrequest
    import botocore.session

    from make_aws import Raw

    scripts, made = [], []
    session = botocore.session.get_session()
    client = session.create_client("pinpoint-sms-voice-v2", region_name="us-east-1", aws_access_key_id="AKIA1", aws_secret_access_key="secret")

    def network(request, **kwargs):
        status, content = scripts[-1].take(request.method, request.url, dict(request.headers, **{"content-type": "json"}), request.body)
        return botocore.awsrequest.AWSResponse(request.url, status, {}, Raw(content))

    client.meta.events.register("before-send", network)

    def number(address, kind, status, registration=None):
        one = {"PhoneNumberArn": "arn:aws:sms-voice:us-east-1:1:phone-number/phone-1", "PhoneNumberId": "phone-1", "PhoneNumber": address, "Status": status, "IsoCountryCode": "US", "MessageType": "TRANSACTIONAL", "NumberCapabilities": ["SMS"], "NumberType": kind, "MonthlyLeasingPrice": "2.00", "TwoWayEnabled": True, "SelfManagedOptOutsEnabled": True, "OptOutListName": "Default", "DeletionProtectionEnabled": False, "CreatedTimestamp": NOW}
        return dict(one, RegistrationId=registration) if registration else one

    def registrations(*statuses, prefix="registration"):
        items = [{"RegistrationArn": f"arn:aws:sms-voice:us-east-1:1:registration/{prefix}-{at}", "RegistrationId": f"{prefix}-{at}", "RegistrationType": "X", "RegistrationStatus": status, "CurrentVersionNumber": 1, "CreatedTimestamp": NOW} for at, status in enumerate(statuses, 1)]
        return 200, {"Registrations": items}

    def versions(reason):
        denied = [{"Reason": "X", "ShortDescription": "short", "LongDescription": reason}]
        history = {"DraftTimestamp": NOW}
        items = [{"VersionNumber": 1, "RegistrationVersionStatus": "ARCHIVED", "RegistrationVersionStatusHistory": history, "DeniedReasons": [dict(denied[0], LongDescription="older")]}, {"VersionNumber": 2, "RegistrationVersionStatus": "DENIED", "RegistrationVersionStatusHistory": history, "DeniedReasons": denied}]
        return 200, {"RegistrationArn": "arn", "RegistrationId": "registration-1", "RegistrationVersions": items}

    def asked(kind, name, address, pages, what, answers, expect):
        script = Script(*pages, *answers)
        scripts.append(script)
        token, found = None, None
        for _ in pages:
            page = client.describe_phone_numbers(MaxResults=100, **({"NextToken": token} if token else {}))
            token = page.get("NextToken")
            found = found or next((one for one in page["PhoneNumbers"] if one["PhoneNumber"] == address), None)
        if found and "RegistrationId" in found and what:
            read = client.describe_registrations(RegistrationIds=[found["RegistrationId"]])["Registrations"][0]
            said = next(one for one in expect if one["part"] == what)
            assert read["RegistrationStatus"] == said["state"]
            if said["reason"]:
                denied = client.describe_registration_versions(RegistrationId=read["RegistrationId"])["RegistrationVersions"][-1]
                assert denied["DeniedReasons"][0]["LongDescription"] == said["reason"]
        if kind == "ten_dlc":
            client.describe_registrations(Filters=[{"Name": "registration-type", "Values": ["US_TEN_DLC_BRAND_REGISTRATION"]}])
        made.append(case(name, "aws", kind, address, script, expect))

    def page(*numbers, token=None):
        return 200, {"PhoneNumbers": list(numbers), **({"NextToken": token} if token else {})}

    for status in ("CREATED", "SUBMITTED", "AWS_REVIEWING", "REVIEWING", "REQUIRES_AUTHENTICATION", "PROVISIONING", "COMPLETE", "DELETED"):
        asked("ten_dlc", f"campaign {status}", TEN_DLC, [page(number(TEN_DLC, "TEN_DLC", "ACTIVE", "registration-1"))], "campaign", [registrations(status), registrations("CLOSED", "COMPLETE", prefix="brand")], [part("number", "ACTIVE", None, "phone-1"), part("campaign", status, None, "registration-1"), part("brand", "COMPLETE", None, "brand-2")])
    for status in ("REQUIRES_UPDATES", "CLOSED"):
        asked("toll_free", f"toll-free {status}", CLINIC, [page(number("+18005550199", "TOLL_FREE", "ACTIVE"), token="n"), page(number(CLINIC, "TOLL_FREE", "ACTIVE", "registration-1"))], "toll_free", [registrations(status), versions("The website is down.")], [part("number", "ACTIVE", None, "phone-1"), part("toll_free", status, "The website is down.", "registration-1")])
    for status in ("PENDING", "ASSOCIATING", "DISASSOCIATING", "DELETED"):
        asked("toll_free", f"number {status}", CLINIC, [page(number(CLINIC, "TOLL_FREE", status))], None, [], [part("number", status, None, "phone-1"), part("toll_free")])
    asked("short_code", "a short code", "72345", [page(number("72345", "SHORT_CODE", "ACTIVE"))], None, [], [part("short_code", "ACTIVE", None, "phone-1")])
    asked("short_code", "a short code of nobody", "72345", [page()], None, [], [part("short_code")])
    return made


CREDENTIALS = {
    "twilio": {"account_sid": "AC1", "auth_token": "token"},
    "telnyx": {"api_key": "KEY0123", "public_key": "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE="},
    "bandwidth": {"account_id": "9900000", "application_id": "app-1", "username": "api", "password": "secret", "callback_user_id": "hook", "callback_password": "secret"},
    "aws": {"access_key_id": "AKIA1", "secret_access_key": "secret", "region": "us-east-1", "topic_arns": []},
}


def vectors(folder):
    # In this order: they stand in for the network in ways that don't mix.
    cases = telnyx_cases() + bandwidth_cases() + aws_cases() + twilio_cases()
    return {
        "packages": [version(name) for name in ("twilio", "telnyx", "bandwidth-sdk", "botocore")],
        "credentials": CREDENTIALS,
        "suffixes": {"telnyx": "/v2", "bandwidth": "/api/v2"},
        "cases": cases,
    }
