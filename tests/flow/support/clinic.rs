//! A clinic to text to, and the people in it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use anteroom::{auth, builtin};
use anteroom_carriers::{Secret, sandbox, twilio};
use anteroom_model::{
    hooks::Hook,
    hours::{DayShifts, Holiday, OpeningHours, Shift},
    ids::{CarrierAccountId, ConversationId, NumberId, OrganizationId, StaffId},
    states::{BindingMode, Direction, MessageState, NumberKind, PatientKind, Registration, Role},
};
use anteroom_store::{
    Binding, Conversation, Message, NewBinding, NewCarrierAccount, NewNumber, NewPatient, NewStaff, Org,
    OrganizationSettings, Profile, Retired, StoreError,
};
use axum::http::{Method, StatusCode};
use futures::{FutureExt, future::BoxFuture};
use serde_json::{Value, json};

use super::TestApp;

/// A number that asks nobody who they are.
pub(crate) const FRONT_DESK: &str = "+15005550100";
/// A number that asks.
pub(crate) const NEW_PATIENTS: &str = "+15005550101";
/// A number on which patients may not start a conversation.
pub(crate) const REMINDERS: &str = "+15005550102";

const SECRET: &str = "the sandbox's secret";
const TEAMS: [&str; 4] = ["Front desk", "Nurses", "Pharmacy", "Billing"];

/// First name, last name, preferred name, date of birth, phone. Two share a phone; two share name and birthday.
const PATIENTS: [(&str, &str, Option<&str>, &str, &str); 6] = [
    ("Ana", "Morales", Some("Anita"), "1985-03-04", "+15125550101"),
    ("John", "Smith", None, "1962-11-30", "+15125550102"),
    ("Leah", "Cohen", None, "1979-05-02", "+15125550105"),
    ("Noah", "Cohen", None, "2015-09-14", "+15125550105"),
    ("Chris", "Park", None, "1970-02-03", "+15125550106"),
    ("Chris", "Park", None, "1970-02-03", "+15125550107"),
];

/// A member of staff with an API token.
#[derive(Clone, Debug)]
pub(crate) struct Staff {
    pub(crate) id: StaffId,
    pub(crate) name: &'static str,
    pub(crate) token: String,
}

/// One organization of a [`TestApp`].
#[derive(Clone)]
pub(crate) struct Clinic {
    pub(crate) app: Arc<TestApp>,
    pub(crate) organization: OrganizationId,
    pub(crate) account: CarrierAccountId,
    /// An agent of the front desk and the pharmacy.
    pub(crate) maya: Staff,
    /// An agent of billing.
    pub(crate) sam: Staff,
    /// An administrator.
    pub(crate) alex: Staff,
    texts: Arc<AtomicU64>,
}

impl Clinic {
    /// Makes one with the default policies.
    pub(crate) async fn new(app: &Arc<TestApp>, name: &str) -> Self {
        let store = &app.server.store;
        let organization = store.create_organization(name, &OrganizationSettings::default()).await.unwrap();
        let account =
            store.write(organization, |mut org| async move { seed(&mut org).await }.boxed()).await.unwrap();
        builtin::bind_defaults(store, &app.server.policies, organization).await.unwrap();
        let staff = |role, name, teams| colleague(app, organization, role, name, teams);
        Self {
            maya: staff(Role::Agent, "Maya Torres", &["Front desk", "Pharmacy"]).await,
            sam: staff(Role::Agent, "Sam Okafor", &["Billing"]).await,
            alex: staff(Role::Admin, "Alex Kim", &[]).await,
            app: app.clone(),
            organization,
            account,
            texts: Arc::default(),
        }
    }

    /// One more of the staff, in no team.
    pub(crate) async fn colleague(&self, role: Role, name: &'static str) -> Staff {
        colleague(&self.app, self.organization, role, name, &[]).await
    }

    /// Hands a text to the webhook as the carrier does and returns with its answer. A second passes before.
    pub(crate) async fn deliver(&self, from: &str, to: &str, text: &str) {
        let number = self.texts.fetch_add(1, Ordering::SeqCst);
        self.app.advance(std::time::Duration::from_secs(1));
        let answer = self.deliver_as(&format!("sandbox-{number}"), from, to, text).await;
        assert_eq!(answer, StatusCode::OK);
    }

    /// The same under a carrier's id of the caller's choice.
    pub(crate) async fn deliver_as(&self, id: &str, from: &str, to: &str, text: &str) -> StatusCode {
        self.deliver_body(&json!({ "id": id, "from": from, "to": to, "text": text })).await
    }

    /// The same with a body of the caller's choice.
    pub(crate) async fn deliver_body(&self, body: &Value) -> StatusCode {
        let body = body.to_string();
        let signature = sandbox::sign(&Secret::new(SECRET.into()), body.as_bytes());
        let path = format!("/webhooks/sandbox/{}", self.account);
        let headers = [(sandbox::SIGNATURE_HEADER, signature.as_str())];
        self.app.request(Method::POST, &path, &headers, body).await.status
    }

    /// A text by Twilio's webhook, of the account `AC1` with the token `main`.
    pub(crate) async fn deliver_twilio(
        &self,
        account: CarrierAccountId,
        sid: &str,
        from: &str,
        to: &str,
        text: &str,
    ) {
        let params = [("MessageSid", sid), ("AccountSid", "AC1"), ("From", from), ("To", to), ("Body", text)];
        assert_eq!(self.deliver_form(account, &params).await, StatusCode::OK);
    }

    /// A form to the webhook of that account.
    pub(crate) async fn deliver_form(
        &self,
        account: CarrierAccountId,
        params: &[(&str, &str)],
    ) -> StatusCode {
        let path = format!("/webhooks/twilio/{account}");
        let url = format!("https://clinic.example{path}");
        let signature = twilio::sign(&Secret::new("main".into()), &url, params);
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
        let kind = ("content-type", "application/x-www-form-urlencoded");
        let headers = [(twilio::SIGNATURE_HEADER, signature.as_str()), kind];
        self.app.request(Method::POST, &path, &headers, body).await.status
    }

    /// A text with files, each its address and what the carrier calls its kind.
    pub(crate) async fn deliver_files(
        &self,
        from: &str,
        to: &str,
        text: &str,
        files: &[(&str, &str)],
    ) -> StatusCode {
        let number = self.texts.fetch_add(1, Ordering::SeqCst);
        self.app.advance(std::time::Duration::from_secs(1));
        let media: Vec<_> =
            files.iter().map(|(url, kind)| json!({ "url": url, "content_type": kind })).collect();
        let body = json!({ "id": format!("sandbox-{number}"), "from": from, "to": to, "text": text, "media": media });
        let body = body.to_string();
        let signature = sandbox::sign(&Secret::new(SECRET.into()), body.as_bytes());
        let path = format!("/webhooks/sandbox/{}", self.account);
        let headers = [(sandbox::SIGNATURE_HEADER, signature.as_str())];
        self.app.request(Method::POST, &path, &headers, body).await.status
    }

    /// A patient texts; returns when everything that follows is done.
    pub(crate) async fn text(&self, from: &str, to: &str, text: &str) {
        self.deliver(from, to, text).await;
        self.app.settled().await;
    }

    /// The texts on the patient's phone that came from `number`, oldest first.
    pub(crate) async fn received(&self, phone: &str, number: &str) -> Vec<String> {
        let messages = self.messages_with(phone, number).await;
        let arrived = messages.into_iter().filter(|message| message.state == MessageState::Delivered);
        arrived.map(|message| message.body).collect()
    }

    /// Everything between a phone and a number, oldest first.
    pub(crate) async fn messages_with(&self, phone: &str, number: &str) -> Vec<Message> {
        let number = self.number(number).await;
        let mut org = self.app.server.store.read(self.organization).await.unwrap();
        let mut messages = org.messages_of_peer(number, phone, 500).await.unwrap();
        messages.reverse();
        messages
    }

    /// States of what was written to a phone, oldest first.
    pub(crate) async fn sent_states(&self, phone: &str, number: &str) -> Vec<MessageState> {
        let messages = self.messages_with(phone, number).await.into_iter();
        messages.filter(|message| message.direction == Direction::Outbound).map(|m| m.state).collect()
    }

    /// The id of the number with this address.
    pub(crate) async fn number(&self, address: &str) -> NumberId {
        let entry = self.app.server.directory.get(self.organization).await.unwrap();
        entry.addresses[address]
    }

    /// The conversation of a phone with a number, as stored.
    pub(crate) async fn stored(&self, phone: &str, number: &str) -> Option<Conversation> {
        let number = self.number(number).await;
        let mut org = self.app.server.store.read(self.organization).await.unwrap();
        org.conversation_with(number, phone).await.unwrap()
    }

    /// The id of the conversation of a phone with a number.
    pub(crate) async fn conversation_id(&self, phone: &str, number: &str) -> ConversationId {
        self.stored(phone, number).await.expect("there is a conversation").id
    }

    /// Runs `change` in a transaction of this organization.
    pub(crate) async fn change<T: Send + 'static>(
        &self,
        change: impl for<'c> FnOnce(Org<'c>) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    ) -> T {
        let value = self.app.server.store.write(self.organization, change).await.unwrap();
        self.app.server.directory.forget(self.organization);
        value
    }

    /// Replaces the organization's settings.
    pub(crate) async fn set(&self, settings: OrganizationSettings) {
        self.change(|mut org| async move { org.set_settings(&settings).await }.boxed()).await;
    }

    /// Binds `component` to `hook` in the place of what serves it, with these settings (or the component's own
    /// defaults) and patient fields.
    pub(crate) async fn bind(
        &self,
        hook: Hook,
        component: &'static [u8],
        settings: Option<Value>,
        granted: &[&str],
    ) {
        let server = &self.app.server;
        let added =
            builtin::add_policy(&server.store, &server.policies, self.organization, component, "uploaded");
        let (policy_id, defaults) = added.await.unwrap();
        let binding = NewBinding {
            hook: hook.as_str(),
            number_id: None,
            position: 0,
            mode: BindingMode::Active,
            policy_id,
            settings: settings.unwrap_or(defaults).to_string(),
            granted_fields: granted.iter().map(|field| (*field).to_owned()).collect(),
            canary: None,
            replaced_id: None,
            created_by: None,
        };
        self.change(move |mut org| {
            async move {
                for old in org.bindings().await?.into_iter().filter(|old| old.hook == hook.as_str()) {
                    org.retire_binding(old.id, Retired::Replaced, None).await?;
                }
                org.insert_binding(&binding).await
            }
            .boxed()
        })
        .await;
    }

    /// Changes the settings of the default policy of `hook`.
    pub(crate) async fn adjust(&self, hook: Hook, adjust: impl FnOnce(&mut Value)) {
        let binding = self.binding(hook).await;
        let mut settings = serde_json::from_str(&binding.settings).unwrap();
        adjust(&mut settings);
        let granted: Vec<&str> = binding.granted_fields.0.iter().map(String::as_str).collect();
        self.bind(hook, builtin::component(hook), Some(settings), &granted).await;
    }

    /// What serves a hook.
    pub(crate) async fn binding(&self, hook: Hook) -> Binding {
        let mut org = self.app.server.store.read(self.organization).await.unwrap();
        let bindings = org.bindings().await.unwrap();
        bindings.into_iter().find(|binding| binding.hook == hook.as_str()).unwrap()
    }
}

async fn colleague(
    app: &TestApp,
    organization: OrganizationId,
    role: Role,
    name: &'static str,
    teams: &'static [&'static str],
) -> Staff {
    let store = &app.server.store;
    let number = store.ids().number();
    let new = NewStaff {
        name: name.into(),
        email: format!("{number}@clinic.example"),
        password_hash: "nobody signs in with it".into(),
        role,
    };
    let id = store
        .write(organization, move |mut org| {
            async move {
                let id = org.insert_staff(&new).await?;
                for team in org.teams().await?.into_iter().filter(|team| teams.contains(&&*team.name)) {
                    org.add_to_team(team.id, id).await?;
                }
                Ok::<_, StoreError>(id)
            }
            .boxed()
        })
        .await
        .unwrap();
    let token = auth::create_token(store, organization, id, "test", &auth::SCOPES).await.unwrap();
    Staff { id, name, token }
}

async fn seed(org: &mut Org<'_>) -> Result<CarrierAccountId, StoreError> {
    let facility = org.insert_facility("Riverside Main", "America/Chicago", &hours()).await?;
    for team in TEAMS {
        org.insert_team(team).await?;
    }
    for (first, last, preferred, born, phone) in PATIENTS {
        let profile = Profile {
            first_name: first.into(),
            last_name: last.into(),
            preferred_name: preferred.map(Into::into),
            date_of_birth: Some(born.into()),
            ..Profile::default()
        };
        let phones = vec![phone.into()];
        org.insert_patient(&NewPatient {
            kind: PatientKind::Profile,
            profile,
            phones,
            ..NewPatient::default()
        })
        .await?;
    }
    let account = NewCarrierAccount {
        carrier: "sandbox".into(),
        label: "Sandbox".into(),
        public_url: "https://clinic.example/webhooks/sandbox/{id}".into(),
        credentials: json!({ "secret": SECRET }).to_string(),
        answers_opt_outs: false,
    };
    let account = org.insert_account(&account).await?;
    for (address, label, texting_enabled, verification) in [
        (FRONT_DESK, "Front desk", true, None),
        (NEW_PATIENTS, "New patients", true, Some(true)),
        (REMINDERS, "Reminders", false, None),
    ] {
        org.insert_number(&NewNumber {
            carrier_account_id: account,
            facility_id: Some(facility),
            address: address.into(),
            kind: NumberKind::Sandbox,
            label: label.into(),
            texting_enabled,
            verification,
            registration: Registration::Approved,
            registration_note: String::new(),
        })
        .await?;
    }
    Ok(account)
}

/// Weekdays with a lunch break; closed on Thanksgiving.
fn hours() -> OpeningHours {
    let shift = |from: &str, until: &str| Shift { from: from.into(), until: until.into() };
    let shifts = vec![shift("08:00", "12:00"), shift("13:00", "17:30")];
    let weekday = |day: &str| DayShifts { day: day.into(), shifts: shifts.clone() };
    let thanksgiving = Holiday { date: "2026-11-26".into(), name: "Thanksgiving".into(), shifts: Vec::new() };
    OpeningHours {
        weekly: ["monday", "tuesday", "wednesday", "thursday", "friday"].map(weekday).to_vec(),
        holidays: vec![thanksgiving],
    }
}
