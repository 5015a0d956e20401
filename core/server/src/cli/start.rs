//! Starting the server: open the store, put the parts together, serve, stop.

use std::{
    fs,
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use anteroom_carriers::{Carriers, ClientConfig};
use anteroom_model::{ids::OrganizationId, time::Clock};
use anteroom_policy::{HostConfig, PolicyHost};
use anteroom_store::{MasterKey, Store, StoreOptions};
use tokio::{net::TcpListener, signal::unix};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    app::{App, Parts},
    auth::limits::SignInLimits,
    cli::{DemoArgs, Failure},
    clock::{SystemClock, system_ids},
    config::{Config, NodeRole},
    demo,
    directory::Directory,
    housekeeping, http_server, outbox, pipeline,
    policies::Policies,
    telemetry,
};

/// `anteroom serve`.
pub(super) async fn serve(config: Config) -> Result<(), Failure> {
    telemetry::init_tracing(config.log_format);
    let listener = listen(config.listen).await?;
    let opened = open_store(&config.data_dir).await?;
    let app = build(&opened.store, &config.data_dir, config.roles, None)?;
    tracing::info!(address = %listener.local_addr()?, "serving");
    work(app, listener).await
}

/// `anteroom demo`.
pub(super) async fn demo(args: DemoArgs) -> Result<(), Failure> {
    telemetry::init_tracing(args.log_format);
    let listener = listen(([127, 0, 0, 1], args.port).into()).await?;
    let base_url = format!("http://{}", listener.local_addr()?);
    let opened = open_store(&args.dir).await?;
    let app = build(&opened.store, &args.dir, args.roles.clone(), Some(OnceLock::new()))?;
    demo::prepare(&app, &args, &base_url).await?;
    work(app, listener).await
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        format!("can't serve on {address}: {error}. Is another anteroom running? Choose another port.").into()
    })
}

async fn work(app: App, listener: TcpListener) -> Result<(), Failure> {
    if app.has_role(NodeRole::Pipeline) {
        app.tasks.spawn(pipeline::run(app.clone()));
    }
    if app.has_role(NodeRole::Outbox) {
        app.tasks.spawn(outbox::run(app.clone()));
    }
    app.tasks.spawn(housekeeping::run(app.clone()));
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

/// An open store and the lock that keeps other processes off its folder.
pub(super) struct Opened {
    pub(super) store: Store,
    _lock: fs::File,
}

/// Opens the database in `folder`, which is made where it is missing, with the master key beside it.
pub(super) async fn open_store(folder: &Path) -> Result<Opened, Failure> {
    let named = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    fs::create_dir_all(folder).map_err(|error| named(folder, error))?;
    let lock_path = folder.join("anteroom.lock");
    let lock = fs::File::create(&lock_path).map_err(|error| named(&lock_path, error))?;
    lock.try_lock().map_err(|_| {
        format!("{} is in use by another anteroom. Stop it, or choose another folder.", folder.display())
    })?;
    let ids = Arc::new(system_ids());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let master = master_key(&folder.join("master.key"), &ids.secret())?;
    let options = StoreOptions::sqlite(&folder.join("anteroom.db"));
    let store = Store::open(&options, master, ids, clock).await?;
    // The lock says that nobody else works on this database: whatever is leased was left by a process that
    // has ended.
    store.release_leases().await?;
    Ok(Opened { store, _lock: lock })
}

/// The key in `path`, or a new one written there: 64 hexadecimal digits that only the owner may read.
fn master_key(path: &PathBuf, fresh: &[u8; 32]) -> Result<MasterKey, Failure> {
    let problem = |what: String| format!("the master key {}: {what}", path.display());
    match fs::read_to_string(path) {
        Ok(text) => {
            let bytes = hex::decode(text.trim()).ok().and_then(|bytes| bytes.try_into().ok());
            bytes.map(MasterKey::new).ok_or_else(|| problem("it is not 64 hexadecimal digits".into()).into())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            use std::os::unix::fs::OpenOptionsExt;
            let mut options = fs::OpenOptions::new();
            let mut file = options
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(path)
                .map_err(|error| problem(error.to_string()))?;
            writeln!(file, "{}", hex::encode(fresh)).map_err(|error| problem(error.to_string()))?;
            file.sync_all().map_err(|error| problem(error.to_string()))?;
            Ok(MasterKey::new(*fresh))
        }
        Err(error) => Err(problem(error.to_string()).into()),
    }
}

/// Puts the parts of the server together.
pub(super) fn build(
    store: &Store,
    folder: &Path,
    roles: Vec<NodeRole>,
    demo: Option<OnceLock<OrganizationId>>,
) -> Result<App, Failure> {
    let mut host = HostConfig::new(store.master().derive("anteroom compiled policies v1"));
    host.cache_dir = Some(folder.join("compiled"));
    let policies = Policies::new(PolicyHost::new(host)?);
    Ok(App::new(Parts {
        policies,
        carriers: Carriers::new(&ClientConfig::default())?,
        directory: Directory::new(store.clone()),
        node: store.ids().next(store.now()),
        sign_ins: SignInLimits::default(),
        metrics: telemetry::init_metrics(),
        secure_cookies: demo.is_none(),
        roles,
        demo,
        stop: CancellationToken::new(),
        tasks: TaskTracker::new(),
        store: store.clone(),
    }))
}
