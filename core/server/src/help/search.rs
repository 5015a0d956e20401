//! Finding articles by words: accents and capitals don't matter, beginnings count, titles count most.

use anteroom_model::names::fold;

use super::document::{Article, ArticleBlock, lines, words};

const IN_TITLE: u32 = 20;
const IN_HEADING: u32 = 5;
const IN_TEXT: u32 = 1;
/// A word that stands often in an article doesn't make it better and better.
const MOST_OF_A_WORD: u32 = 6;
const EXCERPT: usize = 160;

/// An article and the line of it that fits best.
pub(crate) struct Found<'a> {
    pub(crate) document: &'a Article,
    pub(crate) excerpt: String,
    score: u32,
}

pub(super) fn search<'a>(articles: &[&'a Article], text: &str) -> Vec<Found<'a>> {
    let wanted = tokens(text);
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<Found<'a>> = articles.iter().filter_map(|document| fit(document, &wanted)).collect();
    found.sort_by_key(|one| std::cmp::Reverse(one.score));
    found
}

/// `None` unless every wanted word is somewhere in it.
fn fit<'a>(document: &'a Article, wanted: &[String]) -> Option<Found<'a>> {
    let title = tokens(&document.title);
    let headings: Vec<String> = document
        .blocks
        .iter()
        .filter_map(|block| match block {
            ArticleBlock::Heading { content, .. } => Some(tokens(&words(content))),
            _ => None,
        })
        .flatten()
        .collect();
    let mut all = Vec::new();
    lines(&document.blocks, &mut all);
    let folded: Vec<Vec<String>> = all.iter().map(|line| tokens(line)).collect();
    let mut score = 0;
    for word in wanted {
        let count = |tokens: &[String]| {
            u32::try_from(tokens.iter().filter(|token| token.starts_with(word.as_str())).count())
                .unwrap_or(u32::MAX)
        };
        let in_text = folded.iter().map(|line| count(line)).fold(0, u32::saturating_add).min(MOST_OF_A_WORD);
        let one = count(&title).min(1) * IN_TITLE + count(&headings).min(2) * IN_HEADING + in_text * IN_TEXT;
        if one == 0 {
            return None;
        }
        score += one;
    }
    let fits = |line: &Vec<String>| {
        wanted.iter().filter(|word| line.iter().any(|token| token.starts_with(word.as_str()))).count()
    };
    // The first of those that hold most of the words.
    let best = folded.iter().map(fits).enumerate().max_by_key(|(at, fits)| (*fits, std::cmp::Reverse(*at)));
    let excerpt = match best {
        Some((at, fits)) if fits > 0 => cut(&all[at]),
        _ => cut(&document.summary),
    };
    Some(Found { document, excerpt, score })
}

fn tokens(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).map(fold).filter(|word| !word.is_empty()).collect()
}

fn cut(line: &str) -> String {
    if line.chars().count() <= EXCERPT {
        return line.to_owned();
    }
    let short: String = line.chars().take(EXCERPT).collect();
    format!("{}…", short.rsplit_once(' ').map_or(short.as_str(), |(whole, _)| whole))
}
