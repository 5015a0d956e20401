//! The directory of a large clinic beside that of a small one: what a match costs when a text comes in, and
//! what a search costs while staff type.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anteroom::clock::{SystemClock, system_ids};
use anteroom_model::{
    ids::{Ids, OrganizationId},
    names,
};
use anteroom_store::{
    ExternalId, MasterKey, NewPatient, OrganizationSettings, Profile, SearchPosition, Store, StoreError,
    StoreOptions,
};
use futures::FutureExt;
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};

use crate::{
    Failure,
    stats::{Times, millis, rate},
};

/// Patients added in one transaction: many, since each of their hashes lands on a page of its own, and every
/// transaction writes its pages again.
const BATCH: usize = 50_000;
/// Search words written in one transaction.
const WORDS: usize = 100_000;
/// Look-ups of each kind.
const ROUNDS: usize = 2_000;
/// Patients of a page.
const PAGE: usize = 20;

/// What staff type to find a person.
type Typed = fn(&Person) -> String;

/// Prints the table; gives the slowest p99 of the largest directory.
pub(crate) fn print(dir: &Path, sizes: &[usize]) -> Result<Option<f64>, Failure> {
    println!("\nThe patient directory on SQLite ({ROUNDS} look-ups of each kind, one after the other)\n");
    println!("  what                                  patients   p50 ms   p99 ms   max ms");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut worst = None;
    for size in sizes {
        worst = Some(runtime.block_on(measure(dir, *size))?);
    }
    Ok(worst)
}

/// People with names as unevenly spread as names are.
struct People {
    ids: Ids,
    first: Vec<String>,
    last: Vec<String>,
}

/// What is known of one of them, to look them up by.
#[derive(Clone)]
struct Person {
    first: String,
    last: String,
    born: String,
    phone: String,
    mrn: String,
}

impl People {
    fn new() -> Self {
        let ids = Ids::from_seed([17; 32]);
        let word = |syllables: u64| -> String {
            const SYLLABLES: [&str; 24] = [
                "ma", "ri", "jo", "han", "na", "ser", "gar", "cia", "lo", "pez", "smi", "th", "ton", "wil",
                "li", "am", "son", "da", "vis", "mo", "ra", "les", "el", "ber",
            ];
            let mut word: String = (0..syllables).map(|_| SYLLABLES[index(&ids, SYLLABLES.len())]).collect();
            word[..1].make_ascii_uppercase();
            word
        };
        let first = (0..1_500).map(|at| word(2 + at % 2)).collect();
        let last = (0..5_000).map(|at| word(2 + at % 3)).collect();
        Self { ids, first, last }
    }

    /// The first of a list come up a hundred times as often as the last.
    fn uneven<'a>(&self, list: &'a [String]) -> &'a str {
        let share = f64::from(u32::try_from(self.ids.number() >> 40).unwrap_or(0)) / f64::from(1_u32 << 24);
        let place = share.powf(1.9) * f64::from(u32::try_from(list.len()).unwrap_or(u32::MAX));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the list")]
        let place = place as usize;
        &list[place.min(list.len() - 1)]
    }

    fn next(&self, number: usize) -> Person {
        let year = 1_930 + index(&self.ids, 92);
        let (month, day) = (1 + index(&self.ids, 12), 1 + index(&self.ids, 28));
        Person {
            first: self.uneven(&self.first).to_owned(),
            last: self.uneven(&self.last).to_owned(),
            born: format!("{year}-{month:02}-{day:02}"),
            phone: format!("+1{}", 2_000_000_000 + number * 7_919 % 7_999_999_999),
            mrn: format!("{:08}", number * 31 + 7),
        }
    }
}

fn index(ids: &Ids, length: usize) -> usize {
    usize::try_from((ids.number() >> 11) % length as u64).unwrap_or(0)
}

impl Person {
    fn to_add(&self) -> NewPatient {
        let profile = Profile {
            first_name: self.first.clone(),
            last_name: self.last.clone(),
            date_of_birth: Some(self.born.clone()),
            language: Some("en".into()),
            ..Profile::default()
        };
        let id = ExternalId { source: "athena".into(), kind: "mrn".into(), value: self.mrn.clone() };
        NewPatient {
            profile,
            phones: vec![self.phone.as_str().into()],
            external_ids: vec![id],
            ..NewPatient::default()
        }
    }
}

async fn measure(dir: &Path, size: usize) -> Result<f64, Failure> {
    let folder = tempfile::tempdir_in(dir)?;
    let options = StoreOptions::sqlite(&folder.path().join("anteroom.db"));
    let store =
        Store::open(&options, MasterKey::new([3; 32]), Arc::new(system_ids()), Arc::new(SystemClock)).await?;
    let organization = store.create_organization("Bench", &OrganizationSettings::default()).await?;
    let begun = Instant::now();
    let known = seed(&store, organization, size).await?;
    let took = begun.elapsed();
    // As the server does in time: what was written is in the file then, and not in the log beside it.
    let mut connection =
        SqliteConnectOptions::new().filename(folder.path().join("anteroom.db")).connect().await?;
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await?;
    connection.close().await?;
    let bytes = std::fs::metadata(folder.path().join("anteroom.db"))?.len();
    let mut worst = 0.0_f64;
    let mut row = |what: &str, times: Times| {
        worst = worst.max(millis(times.percentile(99)));
        println!(
            "  {what:<36} {size:>9} {:>8.3} {:>8.3} {:>8.3}",
            millis(times.percentile(50)),
            millis(times.percentile(99)),
            millis(times.max())
        );
    };
    let some = |round: usize| &known[round * 7_919 % known.len()];
    let (cold, first) = (Instant::now(), some(0));
    if !find_by_date(&store, organization, first).await? {
        return Err("a match found nobody".into());
    }
    println!("  {:<36} {size:>9} {:>8.3}", "first match after the start", millis(cold.elapsed()));
    row(
        "match: birth date + last name",
        time(&store, organization, |round| some(round), find_by_date).await?,
    );
    row("match: phone", time(&store, organization, |round| some(round), find_by_phone).await?);
    let kinds: [(&str, Typed); 8] = [
        ("search: last name", |person| person.last.clone()),
        ("search: first and last name", |person| format!("{} {}", person.first, person.last)),
        ("search: 2 + 2 letters", |person| format!("{} {}", &person.first[..2], &person.last[..2])),
        ("search: 3 letters", |person| person.last[..3].to_owned()),
        ("search: letter and last name", |person| format!("{} {}", &person.first[..1], person.last)),
        ("search: last name and birth date", |person| format!("{} {}", person.last, person.born)),
        ("search: last 4 digits of the phone", |person| person.phone[person.phone.len() - 4..].to_owned()),
        ("search: MRN", |person| person.mrn.clone()),
    ];
    for (what, text) in kinds {
        let mut times = Vec::with_capacity(ROUNDS);
        for round in 0..ROUNDS {
            let text = text(some(round));
            let begun = Instant::now();
            let mut org = store.read(organization).await?;
            let page = org.search_patients(&text, SearchPosition::default(), PAGE).await?;
            times.push(begun.elapsed());
            if page.found.is_empty() {
                return Err(format!("{what} found nobody").into());
            }
        }
        row(what, Times::new(times));
    }
    println!(
        "  ({size} patients added in {took:.1?}, {:.0} a second; {} MB of database)",
        rate(size, took),
        bytes >> 20
    );
    Ok(worst)
}

/// Fills the directory; gives a part of whom it holds.
async fn seed(store: &Store, organization: OrganizationId, size: usize) -> Result<Vec<Person>, Failure> {
    let people = People::new();
    let (mut known, mut words) = (Vec::new(), Vec::new());
    let every = (size / 10_000).max(1);
    for from in (0..size).step_by(BATCH) {
        let batch: Vec<Person> = (from..size.min(from + BATCH)).map(|number| people.next(number)).collect();
        let new: Vec<NewPatient> = batch.iter().map(Person::to_add).collect();
        known.extend(batch.into_iter().step_by(every));
        let added: Result<_, StoreError> = store
            .write(organization, move |mut org| async move { org.add_patients(&new).await }.boxed())
            .await;
        words.extend(added?);
    }
    words.sort_unstable();
    for chunk in words.chunks(WORDS) {
        let chunk = chunk.to_vec();
        let added: Result<_, StoreError> = store
            .write(organization, move |mut org| async move { org.add_words(&chunk).await }.boxed())
            .await;
        added?;
    }
    Ok(known)
}

async fn time<'p, F>(
    store: &Store,
    organization: OrganizationId,
    some: impl Fn(usize) -> &'p Person,
    find: F,
) -> Result<Times, Failure>
where
    F: AsyncFn(&Store, OrganizationId, &Person) -> Result<bool, StoreError>,
{
    let mut times: Vec<Duration> = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS {
        let person = some(round);
        let begun = Instant::now();
        let found = find(store, organization, person).await?;
        times.push(begun.elapsed());
        if !found {
            return Err("a match found nobody".into());
        }
    }
    Ok(Times::new(times))
}

/// As the pipeline does: everybody born then, and of these the ones with that family name.
async fn find_by_date(
    store: &Store,
    organization: OrganizationId,
    person: &Person,
) -> Result<bool, StoreError> {
    let mut org = store.read(organization).await?;
    let wanted = names::fold(&person.last);
    let born = org.patients_by_birth_date(&person.born).await?;
    Ok(born.iter().any(|patient| names::fold(&patient.profile.last_name) == wanted))
}

async fn find_by_phone(
    store: &Store,
    organization: OrganizationId,
    person: &Person,
) -> Result<bool, StoreError> {
    let mut org = store.read(organization).await?;
    Ok(!org.patients_by_phone(&person.phone).await?.is_empty())
}
