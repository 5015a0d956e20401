//! Where a carrier keeps files, and where the server keeps them.

use std::path::{Path, PathBuf};

use anteroom::media::{Media, MediaConfig, preview::Previews};
use anteroom_carriers::{ClientConfig, PostConfig};
use tempfile::TempDir;
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers};

/// Two hosts on this machine, and a folder.
pub(crate) struct Files {
    /// The carrier's API.
    pub(crate) api: MockServer,
    /// Where it redirects to.
    pub(crate) cdn: MockServer,
    folder: TempDir,
}

impl Files {
    pub(super) async fn start() -> Self {
        let (api, cdn) = (MockServer::start().await, MockServer::start().await);
        Self { api, cdn, folder: tempfile::tempdir().unwrap() }
    }

    pub(super) fn client(&self) -> ClientConfig {
        let origins = self.config().origins().unwrap();
        // Programs that are told things are there too, and waited for shortly.
        let total = std::time::Duration::from_secs(3);
        let posts = PostConfig { total, origins: origins.clone(), this_machine: false };
        ClientConfig { media_origins: origins, posts, ..ClientConfig::default() }
    }

    fn config(&self) -> MediaConfig {
        let permitted_origins = [&self.api, &self.cdn].map(MockServer::uri).to_vec();
        MediaConfig { permitted_origins, ..MediaConfig::default() }
    }

    pub(super) fn media(&self) -> Media {
        let previews = Previews::new(env!("CARGO_BIN_EXE_anteroom").into());
        Media::open(&self.config(), self.folder.path(), previews).unwrap()
    }

    /// What the server keeps, by name, with its bytes.
    pub(crate) fn kept(&self) -> Vec<(String, Vec<u8>)> {
        let mut kept = Vec::new();
        walk(&self.folder.path().join("media"), &mut kept);
        kept.sort();
        kept
    }

    /// Takes everything away that the server keeps; where it is now.
    pub(crate) fn hide(&self) -> TempDir {
        let away = tempfile::tempdir_in(&self.folder).unwrap();
        std::fs::rename(self.folder.path().join("media"), away.path().join("media")).unwrap();
        std::fs::create_dir(self.folder.path().join("media")).unwrap();
        away
    }

    /// Puts it back.
    pub(crate) fn show(&self, away: &TempDir) {
        std::fs::remove_dir(self.folder.path().join("media")).unwrap();
        std::fs::rename(away.path().join("media"), self.folder.path().join("media")).unwrap();
    }

    /// Something that was being written at `moment` when its process was killed.
    pub(crate) fn cut_off(&self, moment: &str) -> PathBuf {
        let folder = self.folder.path().join("media/organization");
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("file-1#{}", std::fs::read_dir(&folder).unwrap().count() + 1));
        let file = std::fs::File::create(&path).unwrap();
        file.set_modified(moment.parse::<jiff::Timestamp>().unwrap().into()).unwrap();
        path
    }

    /// Changes the last byte of everything that the server keeps.
    pub(crate) fn damage(&self) {
        let mut folders = vec![self.folder.path().join("media")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let mut bytes = std::fs::read(&path).unwrap();
                    *bytes.last_mut().unwrap() ^= 1;
                    std::fs::write(path, bytes).unwrap();
                }
            }
        }
    }

    /// Has `host` answer so at `path`.
    pub(crate) async fn answer(host: &MockServer, path: &str, response: ResponseTemplate) {
        Mock::given(matchers::method("GET"))
            .and(matchers::path(path))
            .respond_with(response)
            .mount(host)
            .await;
    }

    /// Has the carrier keep `bytes` at `path`, as it calls them; their address.
    pub(crate) async fn keep(&self, path: &str, kind: &str, bytes: &[u8]) -> String {
        let response = ResponseTemplate::new(200).set_body_raw(bytes.to_vec(), kind);
        Self::answer(&self.api, path, response).await;
        format!("{}{path}", self.api.uri())
    }

    /// What the carrier was asked for at `path`.
    pub(crate) async fn asked(host: &MockServer, path: &str) -> Vec<Request> {
        let requests = host.received_requests().await.unwrap();
        requests.into_iter().filter(|request| request.url.path() == path).collect()
    }
}

fn walk(folder: &Path, kept: &mut Vec<(String, Vec<u8>)>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, kept);
        } else {
            kept.push((
                path.file_name().unwrap().to_string_lossy().into_owned(),
                std::fs::read(path).unwrap(),
            ));
        }
    }
}
