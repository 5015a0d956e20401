//! Markdown into a [`Article`]. HTML within it is dropped: what is left can't be anything but words.

use pulldown_cmark::{Event, Options, Parser, Tag};

use super::document::{Article, ArticleBlock, ArticleInline, LinkTarget, words};

/// Reads an article with its front matter.
pub(super) fn article(slug: &str, language: &'static str, text: &str) -> Article {
    let (front, body) = split(text);
    let mut blocks = blocks(body);
    let title = match blocks.first() {
        Some(ArticleBlock::Heading { level: 1, content, .. }) => {
            let title = words(content);
            blocks.remove(0);
            title
        }
        _ => String::new(),
    };
    let summary = blocks.iter().find_map(|block| match block {
        ArticleBlock::Paragraph { content } => Some(words(content)),
        _ => None,
    });
    Article {
        slug: slug.to_owned(),
        language,
        title,
        summary: summary.unwrap_or_default(),
        places: field(front, "places")
            .trim_matches(['[', ']'])
            .split(',')
            .map(|place| place.trim().to_owned())
            .filter(|place| !place.is_empty())
            .collect(),
        section: field(front, "section").to_owned(),
        order: field(front, "order").parse().unwrap_or(u16::MAX),
        blocks,
    }
}

/// Front matter, between two lines `---`, and what follows.
fn split(text: &str) -> (&str, &str) {
    text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")).unwrap_or(("", text))
}

fn field<'a>(front: &'a str, name: &str) -> &'a str {
    let line = front.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_default().trim()
}

fn blocks(text: &str) -> Vec<ArticleBlock> {
    let mut reader = Reader { events: Parser::new_ext(text, Options::ENABLE_TABLES) };
    reader.blocks()
}

struct Reader<'a> {
    events: Parser<'a>,
}

impl Reader<'_> {
    /// Blocks up to the end of what holds them.
    fn blocks(&mut self) -> Vec<ArticleBlock> {
        let mut blocks = Vec::new();
        // Words of a list's item that stand in no paragraph of their own.
        let mut loose = Vec::new();
        while let Some(event) = self.events.next() {
            let tag = match event {
                Event::End(_) => break,
                Event::Start(tag) => tag,
                other => {
                    push(&mut loose, leaf(other));
                    continue;
                }
            };
            if let Some(inline) = self.inline(&tag) {
                loose.push(inline);
                continue;
            }
            flush(&mut loose, &mut blocks);
            blocks.extend(self.block(&tag));
        }
        flush(&mut loose, &mut blocks);
        blocks
    }

    fn block(&mut self, tag: &Tag<'_>) -> Option<ArticleBlock> {
        match tag {
            Tag::Paragraph => Some(ArticleBlock::Paragraph { content: self.inlines() }),
            Tag::Heading { level, .. } => {
                let content = self.inlines();
                Some(ArticleBlock::Heading { level: *level as u8, id: anchor(&words(&content)), content })
            }
            Tag::List(first) => {
                let mut items = Vec::new();
                while let Some(Event::Start(Tag::Item)) = self.events.next() {
                    items.push(self.blocks());
                }
                Some(ArticleBlock::List { ordered: first.is_some(), items })
            }
            Tag::BlockQuote(_) => Some(ArticleBlock::Quote { blocks: self.blocks() }),
            Tag::CodeBlock(_) => {
                Some(ArticleBlock::Code { text: words(&self.inlines()).trim_end().to_owned() })
            }
            Tag::Table(_) => Some(self.table()),
            // HTML, and what no article uses.
            _ => {
                self.inlines();
                None
            }
        }
    }

    fn table(&mut self) -> ArticleBlock {
        let (mut head, mut rows) = (Vec::new(), Vec::new());
        while let Some(Event::Start(tag)) = self.events.next() {
            let cells = self.cells();
            if matches!(tag, Tag::TableHead) { head = cells } else { rows.push(cells) }
        }
        ArticleBlock::Table { head, rows }
    }

    fn cells(&mut self) -> Vec<Vec<ArticleInline>> {
        let mut cells = Vec::new();
        while let Some(Event::Start(_)) = self.events.next() {
            cells.push(self.inlines());
        }
        cells
    }

    /// Parts of a line up to the end of what holds them.
    fn inlines(&mut self) -> Vec<ArticleInline> {
        let mut content = Vec::new();
        while let Some(event) = self.events.next() {
            match event {
                Event::End(_) => break,
                Event::Start(tag) => match self.inline(&tag) {
                    Some(inline) => content.push(inline),
                    None => content.extend(self.inlines()),
                },
                other => push(&mut content, leaf(other)),
            }
        }
        content
    }

    fn inline(&mut self, tag: &Tag<'_>) -> Option<ArticleInline> {
        match tag {
            Tag::Strong => Some(ArticleInline::Strong { content: self.inlines() }),
            Tag::Emphasis => Some(ArticleInline::Emphasis { content: self.inlines() }),
            Tag::Link { dest_url, .. } => {
                let (target, to) = target(dest_url);
                Some(ArticleInline::Link { target, to, content: self.inlines() })
            }
            Tag::Image { dest_url, .. } => {
                let name = dest_url.rsplit('/').next().unwrap_or_default().to_owned();
                Some(ArticleInline::Picture { name, words: words(&self.inlines()) })
            }
            _ => None,
        }
    }
}

fn leaf(event: Event<'_>) -> Option<ArticleInline> {
    match event {
        Event::Text(text) => Some(ArticleInline::Text { text: text.into_string() }),
        Event::Code(text) => Some(ArticleInline::Code { text: text.into_string() }),
        Event::SoftBreak | Event::HardBreak => Some(ArticleInline::Text { text: " ".to_owned() }),
        _ => None,
    }
}

/// Joins words that follow each other: the parser cuts them at every character that could mean something.
fn push(content: &mut Vec<ArticleInline>, next: Option<ArticleInline>) {
    match (content.last_mut(), next) {
        (Some(ArticleInline::Text { text }), Some(ArticleInline::Text { text: more })) => {
            text.push_str(&more);
        }
        (_, Some(next)) => content.push(next),
        (_, None) => {}
    }
}

fn flush(loose: &mut Vec<ArticleInline>, blocks: &mut Vec<ArticleBlock>) {
    if !loose.is_empty() {
        blocks.push(ArticleBlock::Paragraph { content: std::mem::take(loose) });
    }
}

/// `what-stop-and-help-do.md#they-say-it` is an article, `#/settings/numbers` a place.
fn target(address: &str) -> (LinkTarget, String) {
    if address.starts_with("#/") {
        return (LinkTarget::Place, address.to_owned());
    }
    if address.contains("://") {
        return (LinkTarget::External, address.to_owned());
    }
    (LinkTarget::Article, address.replacen(".md", "", 1))
}

fn anchor(heading: &str) -> String {
    let words: Vec<String> = heading.split_whitespace().map(anteroom_model::names::fold).collect();
    words.iter().filter(|word| !word.is_empty()).map(String::as_str).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> ArticleInline {
        ArticleInline::Text { text: text.to_owned() }
    }

    #[test]
    fn an_article_becomes_parts() {
        let source = "---\nplaces: [inbox/unassigned, thread]\nsection: texts\norder: 3\n---\n# How to\n\n\
                      Press **Accept**.\nThen [more](other.md#a-part).\n\n## The rest\n\n1. One\n2. Two\n   - *Deep*\n\n\
                      | a | b |\n|---|---|\n| `1` | [out](https://example.org) |\n";
        let document = article("how-to", "en", source);
        assert_eq!((document.title.as_str(), document.order), ("How to", 3));
        assert_eq!(document.places, ["inbox/unassigned", "thread"]);
        assert_eq!(document.summary, "Press Accept. Then more.");
        let [ArticleBlock::Paragraph { content }, ArticleBlock::Heading { id, level: 2, .. }, list, table] =
            &document.blocks[..]
        else {
            panic!("{:?}", document.blocks)
        };
        assert_eq!(id, "the-rest");
        let link = ArticleInline::Link {
            target: LinkTarget::Article,
            to: "other#a-part".into(),
            content: vec![text("more")],
        };
        assert_eq!(content[3], link);
        let deep = ArticleBlock::List {
            ordered: false,
            items: vec![vec![ArticleBlock::Paragraph {
                content: vec![ArticleInline::Emphasis { content: vec![text("Deep")] }],
            }]],
        };
        let one = |words: &str| ArticleBlock::Paragraph { content: vec![text(words)] };
        assert_eq!(
            *list,
            ArticleBlock::List { ordered: true, items: vec![vec![one("One")], vec![one("Two"), deep]] }
        );
        let ArticleBlock::Table { head, rows } = table else { panic!("{table:?}") };
        assert_eq!((head.len(), rows.len(), rows[0].len()), (2, 1, 2));
    }

    #[test]
    fn html_is_no_part_of_it() {
        let document =
            article("x", "en", "# T\n\n<script>alert(1)</script>\n\nWords <b onclick=\"x\">stay</b>.\n");
        assert_eq!(document.blocks, [ArticleBlock::Paragraph { content: vec![text("Words stay.")] }]);
    }
}
