//! The demo: a seeded clinic in one folder, with phones to text from.

mod carriers;
mod seed;
pub mod simulator;
mod twilio_api;

use std::{fs, path::Path};

use anteroom_model::ids::{CarrierAccountId, OrganizationId};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    app::App,
    cli::{DemoArgs, Failure},
};

/// The path of the Twilio look-alike.
pub(crate) const TWILIO_PATH: &str = "/simulator/twilio";

/// `DIR/demo.json`, which other programs read.
#[derive(Debug, Serialize, Deserialize)]
struct Demo {
    base_url: String,
    organization: OrganizationId,
    pid: u32,
    staff: Vec<DemoStaff>,
    carrier_accounts: Vec<DemoAccount>,
}

#[derive(Debug, Serialize, Deserialize)]
struct DemoStaff {
    role: String,
    name: String,
    email: String,
    password: String,
    token: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct DemoAccount {
    carrier: String,
    id: CarrierAccountId,
    webhook_url: String,
    public_url: String,
    numbers: Vec<String>,
    credentials: Value,
    /// What its webhooks are signed with, where that is no part of the credentials: so that other programs can
    /// play the carrier.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    signing: Value,
}

/// Seeds the clinic, or takes up the one that is in the folder, and writes `demo.json`.
pub(crate) async fn prepare(app: &App, args: &DemoArgs, base_url: &str) -> Result<(), Failure> {
    let path = args.dir.join("demo.json");
    let mut demo = match read(&path)? {
        Some(demo) if app.store.organizations().await?.contains(&demo.organization) => demo,
        _ => seed::clinic(app).await?,
    };
    base_url.clone_into(&mut demo.base_url);
    demo.pid = std::process::id();
    let twilio_api = args.twilio_api_url.clone().unwrap_or_else(|| format!("{base_url}{TWILIO_PATH}"));
    for account in &mut demo.carrier_accounts {
        account.webhook_url = format!("{base_url}/webhooks/{}/{}", account.carrier, account.id);
        let mut credentials = account.credentials.clone();
        if account.carrier == "twilio" {
            credentials["api_base_url"] = json!(twilio_api);
        }
        if let Ok(carrier) = account.carrier.parse() {
            carriers::place(carrier, &mut credentials, base_url);
        }
        let (id, text) = (account.id, credentials.to_string());
        app.store
            .write(demo.organization, move |mut org| {
                async move { org.set_credentials(id, &text).await }.boxed()
            })
            .await?;
    }
    carriers::trust(&app.carriers, app.store.now());
    app.directory.forget(demo.organization);
    if let Some(clinic) = &app.demo {
        clinic.get_or_init(|| demo.organization);
    }
    write(&path, &demo)?;
    announce(&demo, &path);
    Ok(())
}

fn read(path: &Path) -> Result<Option<Demo>, Failure> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| format!("{} is not what a demo wrote: {error}", path.display()).into()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{}: {error}", path.display()).into()),
    }
}

/// Whole or not at all: programs wait for this file to appear.
fn write(path: &Path, demo: &Demo) -> Result<(), Failure> {
    let new = path.with_extension("json.new");
    fs::write(&new, serde_json::to_vec_pretty(demo)?)?;
    fs::rename(&new, path)?;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what the command tells its user")]
fn announce(demo: &Demo, path: &Path) {
    let base = &demo.base_url;
    println!("\nAnteroom's demo clinic is open.\n");
    println!("  Hub        {base}/");
    println!("  Phones     {base}/simulator");
    println!("  API        {base}/api/docs");
    println!("  For programs: {}\n", path.display());
    println!("Sign in as");
    for staff in &demo.staff {
        println!("  {:<8} {:<28} {}", staff.role, staff.email, staff.password);
    }
    println!("\nTry: open the phones, text \"I need a refill\", and see it arrive in the Hub's Unassigned");
    println!("queue with its reason. Accept it, answer, and watch the answer arrive on the phone.");
    println!("Then text STOP, or text the \"New patients\" number, which asks who you are.\n");
    println!("Stop with Ctrl+C. Everything is kept in {}.\n", path.parent().unwrap_or(path).display());
}
