//! What commands on recorded decisions work with.

use anteroom_model::ids::OrganizationId;
use anteroom_policy::PolicyHost;
use anteroom_store::Store;

use crate::{
    cli::{
        Failure, PlaceArgs,
        place::{Opened, Opener, Place},
    },
    policies::Policies,
};

/// Whose decisions.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct WhereArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Whose decisions; needed where the database has several organizations.
    #[arg(long, value_name = "ID")]
    organization: Option<OrganizationId>,
}

/// What such a command works with. It only reads, so it may run beside a server.
pub(super) struct Here {
    opened: Opened,
    pub(super) policies: Policies,
    pub(super) organization: OrganizationId,
}

impl Here {
    pub(super) async fn open(args: WhereArgs) -> Result<Self, Failure> {
        let place: Place = args.place.place();
        let opened = place.open(Opener::Reader).await?;
        let organization = organization(&opened.store, args.organization).await?;
        let mut host = Policies::config(&opened.store);
        host.cache_dir = Some(place.folder.join("compiled"));
        Ok(Self { policies: Policies::new(PolicyHost::new(host)?), opened, organization })
    }

    pub(super) fn store(&self) -> &Store {
        &self.opened.store
    }
}

async fn organization(store: &Store, named: Option<OrganizationId>) -> Result<OrganizationId, Failure> {
    let all = store.organizations().await?;
    match (named, all.as_slice()) {
        (Some(id), all) if all.contains(&id) => Ok(id),
        (Some(id), _) => Err(format!("there is no organization {id} here").into()),
        (None, [only]) => Ok(*only),
        (None, []) => Err("there is no organization here".into()),
        (None, _) => Err("several organizations are here: say which one with --organization".into()),
    }
}
