//! The Help Center's articles: `docs/help/*.md` and `docs/help/es/*.md`, embedded, read once, and searched.
//!
//! An article begins with front matter (`places`, `section`, `order`), then its title. A page of the Hub is a place:
//! `inbox/unassigned`, `thread`, `settings/numbers`. To add an article, add both files; the tests here say what is
//! missing. A release carries them in the binary; a debug build reads the folder at its first request.

pub(crate) mod document;
mod read;
mod search;

use std::{collections::BTreeMap, sync::LazyLock};

use document::Article;
use rust_embed::RustEmbed;
pub(crate) use search::Found;

/// Languages there are articles in; the first is what the others fall back to.
pub(crate) const LANGUAGES: [&str; 2] = ["en", "es"];

/// Sections of the table of contents, in their order.
pub(crate) const SECTIONS: [&str; 4] = ["texts", "patients", "yourself", "clinic"];

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../docs"]
#[include = "help/*"]
#[include = "images/*"]
struct Files;

/// The articles, read.
pub(crate) static LIBRARY: LazyLock<Library> = LazyLock::new(Library::read);

/// Every article in every language.
pub(crate) struct Library {
    /// By slug, then by language.
    articles: BTreeMap<String, BTreeMap<&'static str, Article>>,
}

impl Library {
    fn read() -> Self {
        let mut articles: BTreeMap<String, BTreeMap<&'static str, Article>> = BTreeMap::new();
        for path in Files::iter() {
            let Some((language, slug)) = place_of(&path) else { continue };
            let Some(file) = Files::get(&path) else { continue };
            let document = read::article(slug, language, &String::from_utf8_lossy(&file.data));
            articles.entry(slug.to_owned()).or_default().insert(language, document);
        }
        Self { articles }
    }

    /// The article in `language`, or in English where there is no other.
    pub(crate) fn article(&self, slug: &str, language: &str) -> Option<&Article> {
        let versions = self.articles.get(slug)?;
        versions.get(language).or_else(|| versions.get(LANGUAGES[0]))
    }

    /// Every article in the order of the table of contents.
    pub(crate) fn contents(&self, language: &str) -> Vec<&Article> {
        let mut list: Vec<&Article> =
            self.articles.keys().filter_map(|slug| self.article(slug, language)).collect();
        let section = |document: &Article| SECTIONS.iter().position(|one| *one == document.section);
        list.sort_by_key(|document| (section(document), document.order, &document.slug));
        list
    }

    /// Articles that hold every word of `text` or a beginning of it, the best first.
    pub(crate) fn search(&self, text: &str, language: &str) -> Vec<Found<'_>> {
        search::search(&self.contents(language), text)
    }
}

/// The file of an article or a picture of it.
pub(crate) fn picture(name: &str) -> Option<rust_embed::EmbeddedFile> {
    // A debug build looks for it on the disk, where a name could lead out of its folder.
    let plain = !name.contains(['/', '\\']) && !name.contains("..");
    plain.then(|| Files::get(&format!("images/{name}"))).flatten()
}

fn place_of(path: &str) -> Option<(&'static str, &str)> {
    let name = path.strip_prefix("help/")?.strip_suffix(".md")?;
    match name.split_once('/') {
        None => Some((LANGUAGES[0], name)),
        Some((folder, slug)) => {
            let language = LANGUAGES[1..].iter().copied().find(|language| *language == folder)?;
            Some((language, slug))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{
        document::{ArticleBlock, ArticleInline, LinkTarget},
        *,
    };

    /// Words that the Hub's addresses have for other things than articles.
    const TAKEN: [&str; 2] = ["ask", "tickets"];

    fn inlines<'a>(blocks: &'a [ArticleBlock], into: &mut Vec<&'a ArticleInline>) {
        fn all<'a>(content: &'a [ArticleInline], into: &mut Vec<&'a ArticleInline>) {
            for one in content {
                into.push(one);
                match one {
                    ArticleInline::Strong { content }
                    | ArticleInline::Emphasis { content }
                    | ArticleInline::Link { content, .. } => all(content, into),
                    _ => {}
                }
            }
        }
        for block in blocks {
            match block {
                ArticleBlock::Heading { content, .. } | ArticleBlock::Paragraph { content } => {
                    all(content, into);
                }
                ArticleBlock::List { items, .. } => items.iter().for_each(|item| inlines(item, into)),
                ArticleBlock::Quote { blocks } => inlines(blocks, into),
                ArticleBlock::Table { head, rows } => {
                    head.iter().chain(rows.iter().flatten()).for_each(|cell| all(cell, into));
                }
                ArticleBlock::Code { .. } => {}
            }
        }
    }

    #[test]
    fn every_article_is_there_in_every_language_and_about_the_same_places() {
        assert!(
            LIBRARY.articles.len() >= 15,
            "{} articles: is this the right folder?",
            LIBRARY.articles.len()
        );
        for (slug, versions) in &LIBRARY.articles {
            assert!(!TAKEN.contains(&slug.as_str()), "{slug} is taken");
            let english = &versions["en"];
            assert!(SECTIONS.contains(&english.section.as_str()), "{slug}: section {:?}", english.section);
            for language in LANGUAGES {
                let Some(document) = versions.get(language) else { panic!("{slug} has no {language}") };
                assert!(!document.title.is_empty() && !document.summary.is_empty(), "{slug} in {language}");
                assert_eq!(document.places, english.places, "{slug} in {language}");
                assert_eq!((&document.section, document.order), (&english.section, english.order), "{slug}");
                let shape = |document: &Article| -> Vec<_> {
                    document.blocks.iter().map(std::mem::discriminant).collect()
                };
                assert_eq!(shape(document), shape(english), "{slug} in {language}: the same parts");
            }
            assert_ne!(versions["es"].title, english.title, "{slug} is not translated");
        }
    }

    #[test]
    fn every_link_leads_somewhere_and_every_picture_is_there() {
        let mut links = 0;
        for document in LIBRARY.articles.values().flat_map(BTreeMap::values) {
            let mut found = Vec::new();
            inlines(&document.blocks, &mut found);
            for inline in found {
                match inline {
                    ArticleInline::Link { target: LinkTarget::Article, to, .. } => {
                        links += 1;
                        let slug = to.split('#').next().unwrap();
                        assert!(LIBRARY.articles.contains_key(slug), "{}: no article {to}", document.slug);
                    }
                    ArticleInline::Link { target: LinkTarget::Place, to, .. } => {
                        links += 1;
                        assert!(to.starts_with("#/"), "{}: {to}", document.slug);
                    }
                    ArticleInline::Link { target: LinkTarget::External, to, .. } => {
                        assert!(to.starts_with("https://"), "{}: {to}", document.slug);
                    }
                    ArticleInline::Picture { name, words } => {
                        assert!(picture(name).is_some(), "{}: no picture {name}", document.slug);
                        assert!(!words.is_empty(), "{}: {name} has no words", document.slug);
                    }
                    _ => {}
                }
            }
        }
        assert!(links > 20, "{links} links: this looks at nothing");
    }

    #[test]
    fn the_places_are_pages_of_the_hub() {
        let route = include_str!("../../../../hub/src/help/places.ts");
        let named: BTreeSet<&str> = LIBRARY
            .articles
            .values()
            .flat_map(|versions| &versions["en"].places)
            .map(String::as_str)
            .collect();
        assert!(named.len() > 10);
        for place in named {
            assert!(route.contains(&format!("'{place}'")), "{place} isn't in hub/src/help/places.ts");
        }
    }

    #[test]
    fn what_is_searched_for_is_found_without_accents_and_titles_count_most() {
        let first = |text: &str, language: &str| {
            let found = LIBRARY.search(text, language);
            found.first().map(|found| found.document.slug.clone())
        };
        assert_eq!(first("stop help", "en").as_deref(), Some("what-stop-and-help-do"));
        assert_eq!(first("RESPUESTAS guardadas", "es").as_deref(), Some("saved-replies"));
        let accents = LIBRARY.search("numero", "es");
        assert!(!accents.is_empty() && accents.len() == LIBRARY.search("número", "es").len());
        assert_eq!(LIBRARY.search("zzzz", "en").len(), 0);
        assert_eq!(LIBRARY.search("  ", "en").len(), 0);
        assert!(LIBRARY.search("merge", "en").iter().all(|found| !found.excerpt.is_empty()));
    }

    #[test]
    fn pictures_are_those_of_the_folder_only() {
        assert!(picture("hub-conversation.png").is_some());
        for name in ["../help/patients.md", "..", "a/b.png", "nothing.png", ""] {
            assert!(picture(name).is_none(), "{name}");
        }
    }
}
