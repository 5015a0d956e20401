//! The clinic that a demo begins with.

use anteroom_model::{
    hours::{DayShifts, Holiday, OpeningHours, Shift},
    ids::{FacilityId, OrganizationId, PatientId, TeamId},
    states::{NumberKind, Registration, Role},
};
use anteroom_store::{
    By, Caregiver, Contact, ExternalId, NewCarrierAccount, NewNumber, NewPatient, NewStaff, Org,
    OrganizationSettings, Profile, StoreError,
};
use futures::FutureExt;
use serde_json::json;

use crate::{
    app::App,
    auth::{self, password},
    builtin,
    cli::Failure,
    demo::{Demo, DemoAccount, DemoStaff, carriers},
};

/// Good enough for a server that listens on this machine only.
const PASSWORD: &str = "riverside-demo";

const TEAMS: [&str; 4] = ["Front desk", "Nurses", "Pharmacy", "Billing"];

/// Role, name, e-mail, teams.
type Colleague = (Role, &'static str, &'static str, &'static [&'static str]);

const STAFF: [Colleague; 5] = [
    (Role::Agent, "Maya Torres", "maya@riverside.example", &["Front desk", "Pharmacy"]),
    (Role::Agent, "Sam Okafor", "sam@riverside.example", &["Front desk", "Billing"]),
    (Role::Lead, "Priya Raman", "priya@riverside.example", &["Nurses", "Front desk"]),
    (Role::Admin, "Alex Kim", "alex@riverside.example", &["Front desk"]),
    (Role::Auditor, "Jordan Lee", "jordan@riverside.example", &[]),
];

/// First name, last name, preferred name, date of birth, language, phone.
type Person = (&'static str, &'static str, Option<&'static str>, &'static str, &'static str, &'static str);

/// Two of a family share a phone.
pub(super) const PATIENTS: [Person; 6] = [
    ("Ana", "Morales", Some("Anita"), "1985-03-04", "es", "+15125550101"),
    ("John", "Smith", None, "1962-11-30", "en", "+15125550102"),
    ("Grace", "Nguyen", None, "1990-07-19", "en", "+15125550103"),
    ("Robert", "Walker", Some("Bob"), "1948-01-22", "en", "+15125550104"),
    ("Leah", "Cohen", None, "1979-05-02", "en", "+15125550105"),
    ("Noah", "Cohen", None, "2015-09-14", "en", "+15125550105"),
];

/// Makes the clinic.
pub(super) async fn clinic(app: &App) -> Result<Demo, Failure> {
    let store = &app.store;
    let organization =
        store.create_organization("Riverside Family Clinic", &OrganizationSettings::default()).await?;
    let (main, north) = facilities(app, organization).await?;
    let teams = teams(app, organization).await?;
    let staff = staff(app, organization, &teams).await?;
    patients(app, organization, main).await?;
    builtin::bind_defaults(store, &app.policies, organization).await?;
    let mut carrier_accounts =
        vec![sandbox(app, organization, main).await?, twilio(app, organization, main, north).await?];
    for other in carriers::accounts(app.store.ids()) {
        let (carrier, numbers) = (other.carrier.as_str(), vec![carriers::number(&other)]);
        let url = format!("https://clinic.example/webhooks/{carrier}/{{id}}");
        let made = account(app, organization, carrier, &url, other.credentials, numbers).await?;
        carrier_accounts.push(DemoAccount { signing: other.signing, ..made });
    }
    Ok(Demo { base_url: String::new(), organization, pid: 0, staff, carrier_accounts })
}

async fn facilities(app: &App, organization: OrganizationId) -> Result<(FacilityId, FacilityId), Failure> {
    let ids = app
        .store
        .write(organization, |mut org| {
            async move {
                let zone = "America/Chicago";
                let main = org.insert_facility("Riverside Main", zone, &hours(true)).await?;
                let north = org.insert_facility("Riverside North", zone, &hours(false)).await?;
                Ok::<_, anteroom_store::StoreError>((main, north))
            }
            .boxed()
        })
        .await?;
    Ok(ids)
}

/// Weekdays with a lunch break; the main facility also on Saturday mornings.
fn hours(saturday: bool) -> OpeningHours {
    let shift = |from: &str, until: &str| Shift { from: from.to_owned(), until: until.to_owned() };
    let weekday = |day: &str| DayShifts {
        day: day.to_owned(),
        shifts: vec![shift("08:00", "12:00"), shift("13:00", "17:30")],
    };
    let mut weekly: Vec<_> = ["monday", "tuesday", "wednesday", "thursday", "friday"].map(weekday).to_vec();
    if saturday {
        weekly.push(DayShifts { day: "saturday".to_owned(), shifts: vec![shift("09:00", "13:00")] });
    }
    let holiday =
        |date: &str, name: &str| Holiday { date: date.to_owned(), name: name.to_owned(), shifts: Vec::new() };
    let holidays = vec![
        holiday("2026-11-26", "Thanksgiving"),
        holiday("2026-12-25", "Christmas Day"),
        holiday("2027-01-01", "New Year's Day"),
    ];
    OpeningHours { weekly, holidays }
}

async fn teams(app: &App, organization: OrganizationId) -> Result<Vec<(String, TeamId)>, Failure> {
    let teams = app
        .store
        .write(organization, |mut org| {
            async move {
                let mut teams = Vec::new();
                for name in TEAMS {
                    teams.push((name.to_owned(), org.insert_team(name).await?));
                }
                Ok::<_, anteroom_store::StoreError>(teams)
            }
            .boxed()
        })
        .await?;
    Ok(teams)
}

async fn staff(
    app: &App,
    organization: OrganizationId,
    teams: &[(String, TeamId)],
) -> Result<Vec<DemoStaff>, Failure> {
    let password_hash = password::hash(app.store.ids(), PASSWORD.to_owned()).await?;
    let mut made = Vec::new();
    for (role, name, email, member_of) in STAFF {
        let new = NewStaff {
            name: name.to_owned(),
            email: email.to_owned(),
            password_hash: password_hash.clone(),
            role,
        };
        let member_of: Vec<TeamId> =
            teams.iter().filter(|(team, _)| member_of.contains(&team.as_str())).map(|(_, id)| *id).collect();
        let id = app
            .store
            .write(organization, move |mut org| {
                async move {
                    let id = org.insert_staff(&new).await?;
                    for team in member_of {
                        org.add_to_team(team, id).await?;
                    }
                    Ok::<_, anteroom_store::StoreError>(id)
                }
                .boxed()
            })
            .await?;
        let token = auth::create_token(&app.store, organization, id, "demo", &auth::SCOPES).await?;
        made.push(DemoStaff {
            role: role.as_str().to_owned(),
            name: name.to_owned(),
            email: email.to_owned(),
            password: PASSWORD.to_owned(),
            token,
        });
    }
    Ok(made)
}

async fn patients(app: &App, organization: OrganizationId, main: FacilityId) -> Result<(), Failure> {
    app.store
        .write(organization, move |mut org| {
            async move {
                let by = By::host("Seeded by the demo.");
                let mut ids = Vec::new();
                for (at, (first, last, preferred, born, language, phone)) in PATIENTS.into_iter().enumerate()
                {
                    let profile = Profile {
                        first_name: first.to_owned(),
                        last_name: last.to_owned(),
                        preferred_name: preferred.map(str::to_owned),
                        date_of_birth: Some(born.to_owned()),
                        language: Some(language.to_owned()),
                        facility_id: Some(main),
                        ..Profile::default()
                    };
                    let mrn = format!("R-{:05}", 10_482 + at * 37);
                    let external_ids =
                        vec![ExternalId { source: "demo".into(), kind: "mrn".into(), value: mrn }];
                    let phones = vec![phone.into()];
                    let new = NewPatient { profile, phones, external_ids, ..NewPatient::default() };
                    ids.push(org.create_patient(&new, &by).await?);
                }
                family(&mut org, &ids, &by).await
            }
            .boxed()
        })
        .await?;
    Ok(())
}

/// Grace had another name; Leah texts for her son, and Robert's daughter for her father.
async fn family(org: &mut Org<'_>, ids: &[PatientId], by: &By) -> Result<(), StoreError> {
    let [_, _, grace, robert, leah, noah] = *ids else { return Ok(()) };
    let caregiver = |id, relation: &str, patient, contact| Caregiver {
        id,
        relation: relation.to_owned(),
        patient,
        contact,
    };
    let mother = caregiver(org.new_id(), "mother", Some(leah), None);
    let contact = Contact { name: "Susan Walker".into(), phone: Some("+15125550108".into()) };
    let daughter = caregiver(org.new_id(), "daughter", None, Some(contact));
    for (id, change) in [(grace, None), (robert, Some(daughter)), (noah, Some(mother))] {
        let Some(before) = org.record_to_change(id).await? else { continue };
        let mut after = before.clone();
        match change {
            Some(caregiver) => after.caregivers.push(caregiver),
            None => after.patient.profile.former_names.push("Pham".into()),
        }
        org.store_record(&before, &after, by).await?;
    }
    Ok(())
}

/// A number before it knows its account.
pub(super) struct Seed {
    pub(super) address: &'static str,
    pub(super) kind: NumberKind,
    pub(super) label: &'static str,
    pub(super) facility: Option<FacilityId>,
    pub(super) texting: bool,
    pub(super) verification: Option<bool>,
    pub(super) registration: Registration,
}

async fn sandbox(app: &App, organization: OrganizationId, main: FacilityId) -> Result<DemoAccount, Failure> {
    let secret = hex::encode(app.store.ids().secret::<16>());
    let seed = |address, label, verification| Seed {
        address,
        kind: NumberKind::Sandbox,
        label,
        facility: Some(main),
        texting: true,
        verification,
        registration: Registration::Approved,
    };
    let numbers =
        vec![seed("+15005550100", "Front desk", None), seed("+15005550101", "New patients", Some(true))];
    let url = "https://clinic.example/webhooks/sandbox/{id}";
    account(app, organization, "sandbox", url, json!({ "secret": secret }), numbers).await
}

async fn twilio(
    app: &App,
    organization: OrganizationId,
    main: FacilityId,
    north: FacilityId,
) -> Result<DemoAccount, Failure> {
    let ids = app.store.ids();
    let credentials = json!({
        "account_sid": format!("AC{}", hex::encode(ids.secret::<16>())),
        "auth_token": hex::encode(ids.secret::<16>()),
    });
    let (toll_free, ten_dlc, short_code) = (NumberKind::TollFree, NumberKind::TenDlc, NumberKind::ShortCode);
    let seed = |address, kind, label, facility, texting, registration| Seed {
        address,
        kind,
        label,
        facility: Some(facility),
        texting,
        verification: None,
        registration,
    };
    let (approved, pending) = (Registration::Approved, Registration::Pending);
    let numbers = vec![
        seed("+18005550100", toll_free, "Riverside toll-free", main, true, approved),
        seed("+15125550190", ten_dlc, "Riverside North", north, true, approved),
        seed("+15125550191", ten_dlc, "Referrals (registration pending)", main, true, pending),
        seed("+15125550192", ten_dlc, "Reminders (no texting in)", main, false, approved),
        seed("72345", short_code, "Riverside short code", main, true, approved),
    ];
    let url = "https://clinic.example/webhooks/twilio/{id}";
    account(app, organization, "twilio", url, credentials, numbers).await
}

async fn account(
    app: &App,
    organization: OrganizationId,
    carrier: &str,
    public_url: &str,
    credentials: serde_json::Value,
    numbers: Vec<Seed>,
) -> Result<DemoAccount, Failure> {
    let new = NewCarrierAccount {
        carrier: carrier.to_owned(),
        label: format!("Demo {carrier}"),
        public_url: public_url.to_owned(),
        credentials: credentials.to_string(),
        answers_opt_outs: false,
    };
    let addresses = numbers.iter().map(|number| number.address.to_owned()).collect();
    let id = app
        .store
        .write(organization, move |mut org| {
            async move {
                let id = org.insert_account(&new).await?;
                for seed in numbers {
                    let new = NewNumber {
                        carrier_account_id: id,
                        facility_id: seed.facility,
                        address: seed.address.to_owned(),
                        kind: seed.kind,
                        label: seed.label.to_owned(),
                        texting_enabled: seed.texting,
                        verification: seed.verification,
                        registration: seed.registration,
                        registration_note: "Seeded by the demo.".to_owned(),
                    };
                    let number = org.insert_number(&new).await?;
                    // The demo's carriers are on this machine, and nobody agreed on a pace with them.
                    org.set_pace(number, Some(0)).await?;
                }
                Ok::<_, anteroom_store::StoreError>(id)
            }
            .boxed()
        })
        .await?;
    Ok(DemoAccount {
        carrier: carrier.to_owned(),
        id,
        webhook_url: String::new(),
        public_url: public_url.replace("{id}", &id.to_string()),
        numbers: addresses,
        credentials,
        signing: serde_json::Value::Null,
    })
}
