//! Setting up what `anteroom serve` needs, from a terminal.

use std::io::Read;

use anteroom_carriers::{Address, CarrierKind, Credentials};
use anteroom_model::{
    hours::OpeningHours,
    ids::{CarrierAccountId, OrganizationId},
    states::{NumberKind, Registration, Role},
};
use anteroom_policy::{Compiler, HostConfig, PolicyHost};
use anteroom_store::{Facility, NewCarrierAccount, NewNumber, NewStaff, Org, OrganizationSettings};
use clap::Subcommand;
use futures::FutureExt;

use crate::{
    auth::{self, password},
    builtin,
    cli::{
        Failure, PlaceArgs, hours,
        place::Opener,
        tickets::{self, Tickets},
    },
    policies::Policies,
    registration,
};

/// What can be set up. On an embedded database the server must not be running meanwhile.
#[derive(Debug, Subcommand)]
pub(super) enum Admin {
    /// Make an organization with the default policies; prints its id.
    Organization {
        #[command(flatten)]
        place: PlaceArgs,
        /// Shown to patients and staff.
        #[arg(long)]
        name: String,
    },
    /// Add a member of staff; the password is read from standard input.
    Staff {
        #[command(flatten)]
        place: PlaceArgs,
        /// Whose.
        #[arg(long)]
        organization: OrganizationId,
        /// Shown to colleagues.
        #[arg(long)]
        name: String,
        /// What they sign in with.
        #[arg(long)]
        email: String,
        /// agent, lead, admin or auditor.
        #[arg(long)]
        role: Role,
    },
    /// Add a team, by the name that routing settings use. The default ones name Front desk, Nurses, Pharmacy
    /// and Billing.
    Team {
        #[command(flatten)]
        place: PlaceArgs,
        /// Whose.
        #[arg(long)]
        organization: OrganizationId,
        /// Unique in the organization.
        #[arg(long)]
        name: String,
    },
    /// Add a facility, or change the one of that name. Without any --open it is closed every day.
    Facility {
        #[command(flatten)]
        place: PlaceArgs,
        /// Whose.
        #[arg(long)]
        organization: OrganizationId,
        /// Unique in the organization.
        #[arg(long)]
        name: String,
        /// IANA name, such as America/Chicago.
        #[arg(long)]
        time_zone: String,
        /// Weekdays with their spans, as often as needed: 'monday-friday 08:00-12:00,13:00-17:00'.
        #[arg(long, value_name = "DAYS SPANS")]
        open: Vec<String>,
        /// A day that differs, closed unless spans follow: '2026-12-24 Christmas Eve 08:00-12:00'.
        #[arg(long, value_name = "DATE NAME")]
        holiday: Vec<String>,
    },
    /// Make a one-time link for somebody who can't get in; prints what follows the Hub's address.
    Link {
        #[command(flatten)]
        place: PlaceArgs,
        /// Whose.
        #[arg(long)]
        organization: OrganizationId,
        /// What they sign in with.
        #[arg(long)]
        email: String,
    },
    /// Say whether the carriers let a number send.
    Registration {
        #[command(flatten)]
        place: PlaceArgs,
        /// Whose.
        #[arg(long)]
        organization: OrganizationId,
        /// The number, E.164 or a short code.
        #[arg(long)]
        address: String,
        /// unknown, pending, approved or rejected.
        #[arg(long)]
        registration: Registration,
        /// Why, or where that is known from.
        #[arg(long)]
        note: String,
    },
    /// Add a carrier account; its credentials are read from standard input as JSON. Prints its id.
    Account {
        #[command(flatten)]
        place: PlaceArgs,
        /// Whose.
        #[arg(long)]
        organization: OrganizationId,
        /// twilio, signalwire, telnyx, bandwidth, plivo, vonage, sinch, infobip, aws, smpp or sandbox.
        #[arg(long)]
        carrier: CarrierKind,
        /// What staff call it.
        #[arg(long)]
        label: String,
        /// What the carrier signs, with `{id}` for the account's id.
        #[arg(long)]
        public_url: String,
        /// The carrier itself confirms STOP and answers HELP.
        #[arg(long)]
        answers_opt_outs: bool,
    },
    /// Add a number of a carrier account.
    Number {
        #[command(flatten)]
        place: PlaceArgs,
        /// Whose.
        #[arg(long)]
        organization: OrganizationId,
        /// Which account sends and receives for it.
        #[arg(long)]
        account: CarrierAccountId,
        /// E.164 or a short code.
        #[arg(long)]
        address: String,
        /// `toll_free`, `ten_dlc`, `short_code` or `sandbox`.
        #[arg(long)]
        kind: NumberKind,
        /// What staff call it.
        #[arg(long)]
        label: String,
        /// unknown, pending, approved or rejected.
        #[arg(long, default_value = "unknown")]
        registration: Registration,
    },
    /// What staff asked from the Help Center: list, answer, close.
    #[command(subcommand)]
    Tickets(Tickets),
}

pub(super) async fn run(command: Admin) -> Result<(), Failure> {
    let made = match command {
        Admin::Tickets(command) => tickets::run(command).await?,
        Admin::Organization { place, name } => {
            let opened = place.place().open(Opener::Command).await?;
            let compiler = Some(Compiler::this_program()?);
            let config = HostConfig { compiler, ..Policies::config(&opened.store) };
            let policies = Policies::new(PolicyHost::new(config)?);
            let id = opened.store.create_organization(&name, &OrganizationSettings::default()).await?;
            builtin::bind_defaults(&opened.store, &policies, id).await?;
            id.to_string()
        }
        Admin::Staff { place, organization, name, email, role } => {
            let opened = place.place().open(Opener::Command).await?;
            let password = standard_input()?;
            password::check(&password)?;
            let password_hash = password::hash(opened.store.ids(), password).await?;
            let staff = NewStaff { name, email, password_hash, role };
            opened
                .store
                .write(organization, move |mut org| async move { org.insert_staff(&staff).await }.boxed())
                .await?
                .to_string()
        }
        Admin::Team { place, organization, name } => {
            let opened = place.place().open(Opener::Command).await?;
            opened
                .store
                .write(organization, move |mut org| async move { org.insert_team(&name).await }.boxed())
                .await?
                .to_string()
        }
        Admin::Facility { place, organization, name, time_zone, open, holiday } => {
            let hours = hours::read(&open, &holiday, &time_zone)?;
            let opened = place.place().open(Opener::Command).await?;
            opened
                .store
                .write(organization, move |mut org| {
                    async move { put_facility(&mut org, name, time_zone, hours).await }.boxed()
                })
                .await?
        }
        Admin::Link { place, organization, email } => {
            let opened = place.place().open(Opener::Command).await?;
            let secret = auth::new_secret(opened.store.ids());
            opened
                .store
                .write(organization, move |mut org| {
                    async move { put_link(&mut org, organization, &email, secret).await }.boxed()
                })
                .await?
        }
        Admin::Registration { place, organization, address, registration, note } => {
            let opened = place.place().open(Opener::Command).await?;
            let address = Address::parse(&address)?;
            opened
                .store
                .write(organization, move |mut org| {
                    async move { set_registration(&mut org, &address, registration, note).await }.boxed()
                })
                .await?
        }
        Admin::Account { place, organization, carrier, label, public_url, answers_opt_outs } => {
            let opened = place.place().open(Opener::Command).await?;
            let credentials = standard_input()?;
            Credentials::from_json(carrier, credentials.as_bytes())?;
            let carrier = carrier.as_str().to_owned();
            let new = NewCarrierAccount { carrier, label, public_url, credentials, answers_opt_outs };
            opened
                .store
                .write(organization, move |mut org| async move { org.insert_account(&new).await }.boxed())
                .await?
                .to_string()
        }
        Admin::Number { place, organization, account, address, kind, label, registration } => {
            let opened = place.place().open(Opener::Command).await?;
            let new = NewNumber {
                carrier_account_id: account,
                facility_id: None,
                address: Address::parse(&address)?.as_str().to_owned(),
                kind,
                label,
                texting_enabled: true,
                verification: None,
                registration,
                registration_note: "Set by hand.".to_owned(),
            };
            opened
                .store
                .write(organization, move |mut org| {
                    async move {
                        let id = org.insert_number(&new).await?;
                        let account = org.account(account).await?;
                        // A person who doesn't know how it is lets the carrier say so.
                        if let Some(account) = account.filter(|_| registration == Registration::Unknown) {
                            registration::enrol(&mut org, id, &account.carrier, kind).await?;
                        }
                        Ok::<_, anteroom_store::StoreError>(id)
                    }
                    .boxed()
                })
                .await?
                .to_string()
        }
    };
    #[expect(clippy::print_stdout, reason = "the command's output")]
    {
        println!("{made}");
    }
    Ok(())
}

async fn put_facility(
    org: &mut Org<'_>,
    name: String,
    time_zone: String,
    hours: OpeningHours,
) -> Result<String, Failure> {
    let known = org.facilities().await?.into_iter().find(|facility| facility.name == name);
    let id = match known {
        None => org.insert_facility(&name, &time_zone, &hours).await?,
        Some(facility) => {
            let id = facility.id;
            org.update_facility(&Facility { time_zone, hours, ..facility }).await?;
            id
        }
    };
    org.insert_host_audit("facility.changed", id.0).await?;
    Ok(id.to_string())
}

async fn put_link(
    org: &mut Org<'_>,
    organization: OrganizationId,
    email: &str,
    secret: (String, Vec<u8>),
) -> Result<String, Failure> {
    let staff =
        org.staff().await?.into_iter().find(|one| one.email.eq_ignore_ascii_case(email) && one.active);
    let staff = staff.ok_or("nobody of this organization signs in with that address")?.id;
    let link = auth::links::put(org, secret, (organization, staff), false, None).await?;
    org.insert_host_audit("staff.link_made", staff.0).await?;
    Ok(format!("/#/welcome/{}", link.code))
}

async fn set_registration(
    org: &mut Org<'_>,
    address: &Address,
    state: Registration,
    note: String,
) -> Result<String, Failure> {
    let numbers = org.numbers().await?;
    let number = numbers.into_iter().find(|number| number.address == address.as_str());
    let mut number = number.ok_or("the organization has no such number")?;
    registration::set_by_hand(org, &mut number, state, &note, None).await?;
    org.insert_host_audit("number.registration_set", number.id.0).await?;
    Ok(number.id.to_string())
}

pub(super) fn standard_input() -> Result<String, Failure> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
