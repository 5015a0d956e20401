//! Twilio's deliveries, signed before the clock runs: while it does, making one is copying a few bytes.

use std::{net::SocketAddr, thread};

use anteroom_carriers::{Secret, twilio};

use crate::server::Account;

/// Different patients.
const PHONES: usize = 100_000;
const TEXT: &str =
    "Hi, I need a refill of my metformin before the weekend. Can you send it to the pharmacy on 5th Street?";
const SID: usize = 34;
const SIGNATURE: usize = 28;
const FROM: usize = 11;

/// Requests that differ in message id, sender and signature.
#[derive(Debug)]
pub(crate) struct Deliveries {
    template: Vec<u8>,
    sid_at: Vec<usize>,
    from_at: usize,
    signature_at: usize,
    signatures: Vec<[u8; SIGNATURE]>,
}

impl Deliveries {
    /// Signs `count` deliveries to `account`, with all cores.
    pub(crate) fn sign(account: &Account, address: SocketAddr, count: usize) -> Self {
        let params = Params::new(account);
        let (sid, from_0) = (Sid::of(0), from(0));
        let form = params.form(sid.as_str(), &from_0);
        let body: Vec<_> = form.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
        let body = body.join("&");
        let signature = "S".repeat(SIGNATURE);
        let head = format!(
            "POST /webhooks/twilio/{} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: TwilioProxy/1.1\r\n\
             Accept: */*\r\nContent-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n\
             I-Twilio-Idempotency-Token: 0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0\r\n\
             X-Twilio-Signature: {signature}\r\nContent-Length: {}\r\n\r\n",
            account.id,
            body.len()
        );
        let template = format!("{head}{body}");
        let sid_at = template.match_indices(sid.as_str()).map(|(at, _)| at).collect();
        let place = |what: &str| template.find(what).unwrap_or_default();
        let from_at = place("From=%2B") + "From=%2B".len();
        let signature_at = place(&signature);

        let mut signatures = vec![[0; SIGNATURE]; count];
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let share = count.div_ceil(cores).max(1);
        thread::scope(|scope| {
            for (part, signatures) in signatures.chunks_mut(share).enumerate() {
                let params = &params;
                scope.spawn(move || {
                    let token = Secret::new(account.credentials.auth_token.clone());
                    for (offset, signature) in signatures.iter_mut().enumerate() {
                        let number = part * share + offset;
                        let (sid, from) = (Sid::of(number), from(number));
                        let form = params.form(sid.as_str(), &from);
                        let signed = twilio::sign(&token, &account.public_url, &form);
                        signature.copy_from_slice(signed.as_bytes());
                    }
                });
            }
        });
        Self { template: template.into_bytes(), sid_at, from_at, signature_at, signatures }
    }

    pub(crate) fn len(&self) -> usize {
        self.signatures.len()
    }

    /// A buffer for [`Self::write`].
    pub(crate) fn buffer(&self) -> Vec<u8> {
        self.template.clone()
    }

    /// Makes `buffer` the request of that number.
    pub(crate) fn write(&self, number: usize, buffer: &mut [u8]) {
        let sid = Sid::of(number);
        for at in &self.sid_at {
            buffer[*at..*at + SID].copy_from_slice(&sid.0);
        }
        buffer[self.from_at..self.from_at + FROM].copy_from_slice(&digits(number));
        buffer[self.signature_at..self.signature_at + SIGNATURE].copy_from_slice(&self.signatures[number]);
    }
}

/// What Twilio sends with a text, in its order.
struct Params {
    account_sid: String,
    to: String,
}

impl Params {
    fn new(account: &Account) -> Self {
        let to = account.numbers.first().cloned().unwrap_or_default();
        Self { account_sid: account.credentials.account_sid.clone(), to }
    }

    fn form<'a>(&'a self, sid: &'a str, from: &'a str) -> [(&'a str, &'a str); 20] {
        [
            ("ToCountry", "US"),
            ("ToState", ""),
            ("SmsMessageSid", sid),
            ("NumMedia", "0"),
            ("ToCity", ""),
            ("FromZip", "78701"),
            ("SmsSid", sid),
            ("FromState", "TX"),
            ("SmsStatus", "received"),
            ("FromCity", "AUSTIN"),
            ("Body", TEXT),
            ("FromCountry", "US"),
            ("To", &self.to),
            ("MessagingServiceSid", "MG00000000000000000000000000000001"),
            ("ToZip", ""),
            ("NumSegments", "1"),
            ("MessageSid", sid),
            ("AccountSid", &self.account_sid),
            ("From", from),
            ("ApiVersion", "2010-04-01"),
        ]
    }
}

/// `SM` and 32 hexadecimal digits, spread as random ones are: ids in order would be kinder to the index
/// than life is.
pub(crate) struct Sid([u8; SID]);

impl Sid {
    pub(crate) fn of(number: usize) -> Self {
        let mut text = *b"SM00000000000000000000000000000000";
        let number = number as u64;
        let bits = u128::from(mix(2 * number)) << 64 | u128::from(mix(2 * number + 1));
        for (place, digit) in text[2..].iter_mut().enumerate() {
            *digit = b"0123456789abcdef"[(bits >> (4 * place)) as usize & 15];
        }
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// The sender of that delivery, in E.164.
pub(crate) fn from(number: usize) -> String {
    format!("+{}", std::str::from_utf8(&digits(number)).unwrap_or_default())
}

/// `1512` and a subscriber's seven digits.
fn digits(number: usize) -> [u8; FROM] {
    let mut digits = *b"15120000000";
    // 7,919 has no factor in common with PHONES: every phone once before the first texts again.
    let mut rest = 2_000_000 + (number * 7_919) % PHONES * 73;
    for digit in digits[4..].iter_mut().rev() {
        *digit = b"0123456789"[rest % 10];
        rest /= 10;
    }
    digits
}

/// The text of every delivery.
pub(crate) const fn text() -> &'static str {
    TEXT
}

/// `SplitMix64`'s step: distinct numbers give distinct, well-spread ones.
const fn mix(number: u64) -> u64 {
    let z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// As forms escape it (application/x-www-form-urlencoded).
fn escape(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => char::from(byte).to_string(),
        b' ' => "+".to_owned(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::server::Credentials;

    #[test]
    fn ids_are_distinct_and_phones_come_round() {
        let sids: HashSet<_> = (0..10_000).map(|number| Sid::of(number).0).collect();
        assert_eq!(sids.len(), 10_000);
        let phones: HashSet<_> = (0..PHONES).map(digits).collect();
        assert_eq!(phones.len(), PHONES);
        assert_eq!(digits(PHONES), digits(0));
    }

    #[test]
    fn a_written_request_is_what_its_signature_says() {
        let account = Account {
            carrier: "twilio".into(),
            id: "account".into(),
            public_url: "https://clinic.example/webhooks/twilio/account".into(),
            numbers: vec!["+18005550100".into()],
            credentials: Credentials { account_sid: "AC1".into(), auth_token: "token".into() },
        };
        let deliveries = Deliveries::sign(&account, ([127, 0, 0, 1], 1).into(), 5);
        let mut buffer = deliveries.buffer();
        deliveries.write(3, &mut buffer);
        let request = String::from_utf8(buffer).unwrap();
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}", body.len())));
        let (sid, from) = (Sid::of(3), from(3));
        let form = Params::new(&account);
        let form = form.form(sid.as_str(), &from);
        let expected: Vec<_> = form.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
        assert_eq!(body, expected.join("&"));
        let signature = twilio::sign(&Secret::new("token".to_owned()), &account.public_url, &form);
        assert!(head.contains(&format!("X-Twilio-Signature: {signature}\r\n")));
    }
}
