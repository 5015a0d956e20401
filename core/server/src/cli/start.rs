//! Starting the server: open the store, put the parts together, serve, stop.

use std::{net::SocketAddr, path::Path, sync::OnceLock, time::Duration};

use anteroom_carriers::{Carriers, ClientConfig, PostConfig};
use anteroom_model::ids::OrganizationId;
use anteroom_policy::{Compiler, Limits, PolicyHost};
use tokio::{net::TcpListener, signal::unix};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    app::{App, Parts},
    auth::limits::{SignInLimits, TryLimits},
    backtest,
    cli::{
        DemoArgs, Failure,
        place::{Opened, Opener, Place},
    },
    config::{Config, NodeRole},
    demo,
    directory::{self, Directory},
    housekeeping, http_server, links,
    media::{self, Media, MediaConfig, preview::Previews},
    outbox, pipeline,
    policies::{MEMORY_MIB, Policies},
    presence::Presence,
    reconcile,
    registration::{self, RegistrationRules},
    reports, roster,
    support::{
        self,
        mailer::{Mailer, SmtpConfig},
    },
    telemetry,
    uploads::Uploads,
    webhooks,
};

/// `anteroom serve`.
pub(super) async fn serve(config: Config) -> Result<(), Failure> {
    telemetry::init_tracing(config.log_format);
    let listener = listen(config.listen).await?;
    let place =
        Place { folder: config.data_dir, database_url: config.database_url, master_key: config.master_key };
    let opened = place.open(Opener::Node).await?;
    let (limits, policy_memory_mib) = (config.policy_limits, config.policy_memory_mib);
    let (registration, media) = (config.registration, config.media);
    let smtp = config.smtp;
    let (roles, webhooks) = (config.roles, config.webhooks.posts()?);
    let own = Own { roles, limits, policy_memory_mib, registration, media, smtp, webhooks, demo: None };
    let app = build(&opened, &place.folder, own)?;
    tracing::info!(address = %listener.local_addr()?, "serving");
    let every = Some(Duration::from_mins(config.reconcile_minutes)).filter(|every| !every.is_zero());
    work(app, listener, every).await
}

/// `anteroom demo`.
pub(super) async fn demo(args: DemoArgs) -> Result<(), Failure> {
    telemetry::init_tracing(args.log_format);
    let listener = listen(([127, 0, 0, 1], args.port).into()).await?;
    let base_url = format!("http://{}", listener.local_addr()?);
    let place = Place {
        folder: args.dir.clone(),
        database_url: args.database_url.clone(),
        master_key: args.master_key.clone(),
    };
    let opened = place.open(Opener::Node).await?;
    let own = Own {
        roles: args.roles.clone(),
        limits: Limits::default(),
        policy_memory_mib: MEMORY_MIB,
        registration: RegistrationRules::default(),
        // The phones' pictures are on this machine.
        media: MediaConfig { permitted_origins: vec![base_url.clone()], ..MediaConfig::default() },
        smtp: None,
        // A program that is tried with it is on this machine too.
        webhooks: PostConfig { this_machine: true, ..PostConfig::default() },
        demo: Some(OnceLock::new()),
    };
    let app = build(&opened, &place.folder, own)?;
    demo::prepare(&app, &args, &base_url).await?;
    // Its carriers are this process itself.
    work(app, listener, None).await
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        format!("can't serve on {address}: {error}. Is another anteroom running? Choose another port.").into()
    })
}

async fn work(app: App, listener: TcpListener, reconcile_every: reconcile::Every) -> Result<(), Failure> {
    app.tasks.spawn(directory::follow(app.clone()));
    if app.has_role(NodeRole::Pipeline) {
        app.tasks.spawn(pipeline::run(app.clone()));
        app.tasks.spawn(backtest::run(app.clone()));
        app.tasks.spawn(roster::run(app.clone()));
        app.tasks.spawn(roster::look(app.clone()));
        app.tasks.spawn(media::run(app.clone()));
        app.tasks.spawn(reconcile::run(app.clone(), reconcile_every));
    }
    if app.has_role(NodeRole::Outbox) {
        app.tasks.spawn(outbox::run(app.clone()));
        app.tasks.spawn(links::run(app.clone()));
        app.tasks.spawn(registration::run(app.clone()));
        app.tasks.spawn(support::run(app.clone()));
        app.tasks.spawn(webhooks::run(app.clone()));
    }
    app.tasks.spawn(housekeeping::run(app.clone()));
    app.tasks.spawn(reports::run(app.clone()));
    app.tasks.close();
    let stop = app.stop.clone();
    tokio::spawn(async move {
        if let Err(error) = signalled().await {
            tracing::error!(%error, "signals can't be waited for");
            return;
        }
        tracing::info!("stopping: finishing what is under way");
        stop.cancel();
    });
    http_server::serve(app.clone(), listener).await?;
    app.stop.cancel();
    app.tasks.wait().await;
    tracing::info!("stopped");
    Ok(())
}

async fn signalled() -> std::io::Result<()> {
    let mut terminate = unix::signal(unix::SignalKind::terminate())?;
    let mut interrupt = unix::signal(unix::SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// What differs from one server to the next.
struct Own {
    roles: Vec<NodeRole>,
    limits: Limits,
    policy_memory_mib: u64,
    registration: RegistrationRules,
    media: MediaConfig,
    smtp: Option<SmtpConfig>,
    webhooks: PostConfig,
    demo: Option<OnceLock<OrganizationId>>,
}

/// Puts the parts of the server together.
fn build(opened: &Opened, folder: &Path, own: Own) -> Result<App, Failure> {
    let Own { roles, limits, policy_memory_mib, registration, media, smtp, webhooks, demo } = own;
    let store = &opened.store;
    let mut host = Policies::config(store);
    host.cache_dir = Some(folder.join("compiled"));
    host.limits = limits;
    host.compiler = Some(Compiler::this_program()?);
    let policies = Policies::with_memory(PolicyHost::new(host)?, policy_memory_mib);
    let mailer = OnceLock::new();
    if let Some(smtp) = &smtp {
        // Nobody has set it before.
        drop(mailer.set(Mailer::open(smtp)?));
    }
    let (media_origins, posts) = (media.origins()?, webhooks);
    let carriers = ClientConfig { media_origins, posts, ..ClientConfig::default() };
    Ok(App::new(Parts {
        policies,
        carriers: Carriers::new(&carriers)?,
        media: Media::open(&media, folder, Previews::this_program()?)?,
        directory: Directory::new(store.clone()),
        node: opened.node,
        presence: Presence::new(store.clone()),
        uploads: Uploads::default(),
        sign_ins: SignInLimits::default(),
        tries: TryLimits::default(),
        metrics: telemetry::init_metrics(),
        secure_cookies: demo.is_none(),
        roles,
        registration,
        mailer,
        demo,
        stop: CancellationToken::new(),
        tasks: TaskTracker::new(),
        store: store.clone(),
    }))
}
