//! An article as the Hub draws it: typed parts, no markup that a browser would read.

use serde::Serialize;
use utoipa::ToSchema;

/// An article.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Article {
    /// Its name in addresses, the same in every language.
    pub(crate) slug: String,
    /// Language it is in, which is English where there is no other.
    pub(crate) language: &'static str,
    pub(crate) title: String,
    /// Its first sentence or two.
    pub(crate) summary: String,
    /// Places of the Hub that it concerns, for example `inbox/unassigned`, `settings/numbers`.
    pub(crate) places: Vec<String>,
    /// `texts`, `patients`, `yourself` or `clinic`.
    pub(crate) section: String,
    /// Its place within the section.
    pub(crate) order: u16,
    pub(crate) blocks: Vec<ArticleBlock>,
}

/// A part of an article.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub(crate) enum ArticleBlock {
    /// A heading; `id` is what a link names behind `#`.
    Heading { level: u8, id: String, content: Vec<ArticleInline> },
    /// A paragraph.
    Paragraph { content: Vec<ArticleInline> },
    /// Steps where it is ordered, points where not.
    List {
        ordered: bool,
        #[schema(no_recursion)]
        items: Vec<Vec<ArticleBlock>>,
    },
    /// A table: the head's cells, then rows of cells.
    Table { head: Vec<Vec<ArticleInline>>, rows: Vec<Vec<Vec<ArticleInline>>> },
    /// A remark that stands by itself.
    Quote {
        #[schema(no_recursion)]
        blocks: Vec<ArticleBlock>,
    },
    /// Lines as they are typed.
    Code { text: String },
}

/// A part of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub(crate) enum ArticleInline {
    /// Plain words.
    Text { text: String },
    /// What is pressed or matters.
    Strong {
        #[schema(no_recursion)]
        content: Vec<ArticleInline>,
    },
    /// What the Hub or a person says.
    Emphasis {
        #[schema(no_recursion)]
        content: Vec<ArticleInline>,
    },
    /// What is typed.
    Code { text: String },
    /// A link.
    Link {
        target: LinkTarget,
        /// A slug with or without `#` and a heading, a place of the Hub, or an address.
        to: String,
        #[schema(no_recursion)]
        content: Vec<ArticleInline>,
    },
    /// A picture, at `/api/v1/help/pictures/{name}`.
    Picture { name: String, words: String },
}

/// Where a link leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LinkTarget {
    /// To another article.
    Article,
    /// To a page of the Hub.
    Place,
    /// Out of Anteroom.
    External,
}

/// The words of parts of a line.
pub(crate) fn words(content: &[ArticleInline]) -> String {
    content
        .iter()
        .map(|inline| match inline {
            ArticleInline::Text { text } | ArticleInline::Code { text } => text.clone(),
            ArticleInline::Strong { content }
            | ArticleInline::Emphasis { content }
            | ArticleInline::Link { content, .. } => words(content),
            ArticleInline::Picture { words, .. } => words.clone(),
        })
        .collect()
}

/// The words of a part, a line for each of what it holds.
pub(crate) fn lines(blocks: &[ArticleBlock], into: &mut Vec<String>) {
    for block in blocks {
        match block {
            ArticleBlock::Heading { content, .. } | ArticleBlock::Paragraph { content } => {
                into.push(words(content));
            }
            ArticleBlock::List { items, .. } => items.iter().for_each(|item| lines(item, into)),
            ArticleBlock::Quote { blocks } => lines(blocks, into),
            ArticleBlock::Table { rows, .. } => {
                into.extend(
                    rows.iter().map(|row| row.iter().map(|cell| words(cell)).collect::<Vec<_>>().join(": ")),
                );
            }
            ArticleBlock::Code { text } => into.push(text.clone()),
        }
    }
}
