//! The components kept in `tests/compat`: policies in every language, as they were once built.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

/// A component of the corpus.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Its file's name, for example `refill-triage`.
    pub name: String,
    /// The component.
    pub component: Vec<u8>,
    /// What it once decided, a JSON object a line.
    pub records: PathBuf,
}

/// Every component of the corpus, in the order of its files.
pub fn corpus() -> Vec<Kept> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../compat");
    let read =
        |folder: &Path| fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
    let months = read(&folder).filter(|path| path.is_dir());
    let mut files: Vec<_> = months.flat_map(|month| read(&month).collect::<Vec<_>>()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "zst"));
    files.sort();
    files.iter().map(|file| kept(file)).collect()
}

fn kept(file: &Path) -> Kept {
    let mut component = Vec::new();
    let compressed = File::open(file).expect("a component");
    let mut decoder = ruzstd::decoding::StreamingDecoder::new(compressed).expect("zstd");
    decoder.read_to_end(&mut component).expect("a component");
    let stem = file.with_extension("").with_extension("");
    let name = stem.file_name().expect("a name").to_string_lossy().into_owned();
    Kept { name, component, records: stem.with_extension("jsonl") }
}

/// The component with `mark` in a custom section: another digest, and the same in every other respect.
pub fn marked(component: &[u8], mark: u32) -> Vec<u8> {
    /// What a section of the id 0 begins with: its length, that of its name, and the name.
    const HEAD: [u8; 7] = [0, 9, 4, b'm', b'a', b'r', b'k'];
    [component, &HEAD, &mark.to_le_bytes()].concat()
}
