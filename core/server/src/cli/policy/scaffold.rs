//! `anteroom policy new`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anteroom_model::hooks::Hook;
use rust_embed::RustEmbed;

use super::{
    at,
    project::{Language, write_wit},
    say,
};
use crate::cli::Failure;

/// `<language>/` has what every policy of that language gets, `<language>/<hook>/` its source;
/// `all/` and `all/<hook>/` what does not depend on the language. `NAME` in a file stands for the policy's
/// name; a name ending in `.in` loses that.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/templates"]
struct Templates;

/// Writes a project, and says what comes next.
pub(super) fn new(name: &str, language: Language, hook: Hook, dir: Option<&Path>) -> Result<(), Failure> {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty()
        || name.len() > 64
        || !name.bytes().all(good)
        || !name.as_bytes()[0].is_ascii_lowercase()
    {
        return Err(format!(
            "'{name}' can't be a policy's name: it begins with a lower-case letter and goes on with lower-case \
             letters, digits and hyphens, 64 at most"
        )
        .into());
    }
    let folder = dir.map_or_else(|| PathBuf::from(name), Path::to_owned);
    let empty = match fs::read_dir(&folder) {
        Ok(mut files) => files.next().is_none(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(error) => return Err(at(&folder, error)),
    };
    if !empty {
        return Err(at(&folder, "is there already and holds files; choose another folder with --dir"));
    }
    let source = format!("{}/{hook}/", language.folder());
    if !Templates::iter().any(|file| file.starts_with(&source)) {
        return Err(format!(
            "there is no beginning for {hook} in {}; there is one in rust",
            language.folder()
        )
        .into());
    }
    let mut written = 0;
    for place in [
        "all".to_owned(),
        format!("all/{hook}"),
        language.folder().to_owned(),
        format!("{}/{hook}", language.folder()),
    ] {
        written += write_templates(&place, &folder, name)?;
    }
    write_wit(&folder.join("wit"))?;
    let shown = folder.display();
    say(&format!(
        "{shown}: {written} files and the interfaces in wit/. Next:\n  \
         anteroom policy build {shown}\n  \
         anteroom policy test {shown}\n\
         {shown}/README.md says what to install first."
    ))
}

/// Writes the files right in a folder of the templates and in its folders that aren't hooks'.
fn write_templates(place: &str, folder: &Path, name: &str) -> Result<usize, Failure> {
    let mut written = 0;
    for file in Templates::iter() {
        let Some(within) = file.strip_prefix(place).and_then(|rest| rest.strip_prefix('/')) else { continue };
        if within.split_once('/').is_some_and(|(first, _)| Hook::parse(first).is_some()) {
            continue;
        }
        let Some(template) = Templates::get(&file) else { continue };
        let path = folder.join(within.strip_suffix(".in").unwrap_or(within));
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| at(parent, error))?;
        }
        let text = String::from_utf8_lossy(&template.data).replace("NAME", name);
        fs::write(&path, text).map_err(|error| at(&path, error))?;
        written += 1;
    }
    Ok(written)
}
