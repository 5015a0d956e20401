//! Carrier accounts and the clinic's numbers.

use anteroom_model::{
    ids::{CarrierAccountId, FacilityId, NumberId, OrganizationId},
    states::{NumberKind, Registration},
};
use sqlx::FromRow;

use crate::{
    Org, Store, StoreError,
    conn::{execute, fetch_all, fetch_optional, on},
    sql,
};

/// An organization's account with a carrier.
#[derive(Clone)]
pub struct CarrierAccount {
    /// Its id, part of the webhook's path.
    pub id: CarrierAccountId,
    /// Which carrier; a word of `anteroom-carriers`.
    pub carrier: String,
    /// What staff call it.
    pub label: String,
    /// What the carrier signs.
    pub public_url: String,
    /// The carrier's credentials as JSON with its own field names, opened.
    pub credentials: String,
    /// Whether the carrier itself confirms STOP and answers HELP.
    pub answers_opt_outs: bool,
    /// For `If-Match`.
    pub version: i64,
}

/// A new account.
#[derive(Clone)]
pub struct NewCarrierAccount {
    /// Which carrier.
    pub carrier: String,
    /// What staff call it.
    pub label: String,
    /// What the carrier signs; `{id}` stands for the account's id.
    pub public_url: String,
    /// JSON, sealed when stored.
    pub credentials: String,
    /// Whether the carrier itself confirms STOP and answers HELP.
    pub answers_opt_outs: bool,
}

/// One of the clinic's numbers.
#[derive(Clone)]
pub struct Number {
    /// Its id.
    pub id: NumberId,
    /// Which account sends and receives for it.
    pub carrier_account_id: CarrierAccountId,
    /// Where it belongs.
    pub facility_id: Option<FacilityId>,
    /// E.164 or a short code.
    pub address: String,
    /// Its kind.
    pub kind: NumberKind,
    /// What staff call it.
    pub label: String,
    /// Whether patients may start a conversation on it.
    pub texting_enabled: bool,
    /// Whether texters are asked who they are; `None`: as the organization says.
    pub verification: Option<bool>,
    /// Whether carriers let it send.
    pub registration: Registration,
    /// What the registry or a person said about that.
    pub registration_note: String,
    /// The carrier's own service that it sends within, where that is not the account's.
    pub messaging_service: Option<String>,
    /// For `If-Match`.
    pub version: i64,
}

/// A new number.
#[derive(Clone)]
pub struct NewNumber {
    /// Which account sends and receives for it.
    pub carrier_account_id: CarrierAccountId,
    /// Where it belongs.
    pub facility_id: Option<FacilityId>,
    /// E.164 or a short code.
    pub address: String,
    /// Its kind.
    pub kind: NumberKind,
    /// What staff call it.
    pub label: String,
    /// Whether patients may start a conversation on it.
    pub texting_enabled: bool,
    /// Whether texters are asked who they are; `None`: as the organization says.
    pub verification: Option<bool>,
    /// Whether carriers let it send.
    pub registration: Registration,
    /// What the registry or a person said about that.
    pub registration_note: String,
}

#[derive(FromRow)]
struct AccountRow {
    id: CarrierAccountId,
    carrier: String,
    label: String,
    public_url: String,
    credentials: Vec<u8>,
    answers_opt_outs: bool,
    version: i64,
}

#[derive(FromRow)]
struct NumberRow {
    id: NumberId,
    carrier_account_id: CarrierAccountId,
    facility_id: Option<FacilityId>,
    address: Vec<u8>,
    kind: NumberKind,
    label: String,
    texting_enabled: bool,
    verification: Option<bool>,
    registration: Registration,
    registration_note: String,
    messaging_service: Option<String>,
    version: i64,
}

impl Store {
    /// Whose account this is.
    pub async fn account_owner(&self, id: CarrierAccountId) -> Result<Option<OrganizationId>, StoreError> {
        let mut conn = self.reader().await?;
        Ok(on!(&mut conn, c => {
            sqlx::query_scalar(sql!("accounts/owner")).bind(id).fetch_optional(c).await?
        }))
    }
}

impl Org<'_> {
    /// Adds a carrier account.
    pub async fn insert_account(
        &mut self,
        account: &NewCarrierAccount,
    ) -> Result<CarrierAccountId, StoreError> {
        let id = self.new_id();
        self.insert_account_as(id, account).await?;
        Ok(id)
    }

    /// Adds a carrier account under an id that was made before.
    pub async fn insert_account_as(
        &mut self,
        id: CarrierAccountId,
        account: &NewCarrierAccount,
    ) -> Result<(), StoreError> {
        let now = self.now;
        let sealed = self.keys.seal("carrier_accounts.credentials", id.0, account.credentials.as_bytes())?;
        let url = account.public_url.replace("{id}", &id.to_string());
        let carrier = account.carrier.as_str();
        let answers = account.answers_opt_outs;
        execute!(self, "accounts/insert_account", id, carrier, &account.label, url, sealed, answers, now);
        Ok(())
    }

    /// One account.
    pub async fn account(&mut self, id: CarrierAccountId) -> Result<Option<CarrierAccount>, StoreError> {
        let row = fetch_optional!(self, AccountRow, "accounts/get", id);
        row.map(|row| self.open_account(row)).transpose()
    }

    /// All accounts.
    pub async fn accounts(&mut self) -> Result<Vec<CarrierAccount>, StoreError> {
        let rows = fetch_all!(self, AccountRow, "accounts/all");
        rows.into_iter().map(|row| self.open_account(row)).collect()
    }

    /// Replaces an account's credentials (JSON, sealed when stored).
    pub async fn set_credentials(
        &mut self,
        id: CarrierAccountId,
        credentials: &str,
    ) -> Result<bool, StoreError> {
        let sealed = self.keys.seal("carrier_accounts.credentials", id.0, credentials.as_bytes())?;
        Ok(execute!(self, "accounts/set_credentials", id, sealed) > 0)
    }

    /// Changes an account that is still of `version`; whether it was.
    pub async fn set_account(&mut self, account: &CarrierAccount) -> Result<bool, StoreError> {
        let (id, version, answers) = (account.id, account.version, account.answers_opt_outs);
        let changed =
            execute!(self, "accounts/set_account", id, version, &account.label, &account.public_url, answers);
        Ok(changed > 0)
    }

    fn open_account(&self, row: AccountRow) -> Result<CarrierAccount, StoreError> {
        Ok(CarrierAccount {
            credentials: self.keys.open_text("carrier_accounts.credentials", row.id.0, &row.credentials)?,
            id: row.id,
            carrier: row.carrier,
            label: row.label,
            public_url: row.public_url,
            answers_opt_outs: row.answers_opt_outs,
            version: row.version,
        })
    }

    /// Adds a number.
    pub async fn insert_number(&mut self, number: &NewNumber) -> Result<NumberId, StoreError> {
        let id = self.new_id();
        self.insert_number_as(id, number).await?;
        Ok(id)
    }

    /// Adds a number under an id that was made before.
    pub async fn insert_number_as(&mut self, id: NumberId, number: &NewNumber) -> Result<(), StoreError> {
        let hash = self.keys.lookup("phone", &number.address);
        let sealed = self.keys.seal("numbers.address", id.0, number.address.as_bytes())?;
        execute!(
            self,
            "accounts/insert_number",
            id,
            number.carrier_account_id,
            number.facility_id,
            hash,
            sealed,
            number.kind,
            &number.label,
            number.texting_enabled,
            number.verification,
            number.registration,
            &number.registration_note,
        );
        Ok(())
    }

    /// All numbers, by label.
    pub async fn numbers(&mut self) -> Result<Vec<Number>, StoreError> {
        let rows = fetch_all!(self, NumberRow, "accounts/numbers");
        rows.into_iter().map(|row| self.open_number(row)).collect()
    }

    /// One number.
    pub async fn number(&mut self, id: NumberId) -> Result<Option<Number>, StoreError> {
        let row = fetch_optional!(self, NumberRow, "accounts/number", id);
        row.map(|row| self.open_number(row)).transpose()
    }

    /// Stores what can change of a number.
    pub async fn set_number(&mut self, number: &Number) -> Result<bool, StoreError> {
        let changed = execute!(
            self,
            "accounts/set_number",
            number.id,
            &number.label,
            number.texting_enabled,
            number.verification,
            number.registration,
            &number.registration_note,
            number.facility_id,
            number.messaging_service.as_deref(),
        );
        Ok(changed > 0)
    }

    fn open_number(&self, row: NumberRow) -> Result<Number, StoreError> {
        Ok(Number {
            address: self.keys.open_text("numbers.address", row.id.0, &row.address)?,
            id: row.id,
            carrier_account_id: row.carrier_account_id,
            facility_id: row.facility_id,
            kind: row.kind,
            label: row.label,
            texting_enabled: row.texting_enabled,
            verification: row.verification,
            registration: row.registration,
            registration_note: row.registration_note,
            messaging_service: row.messaging_service,
            version: row.version,
        })
    }
}
