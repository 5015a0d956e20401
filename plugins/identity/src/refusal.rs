//! Texters who want no more questions.

use anteroom_sdk::text::words;

use crate::settings::Settings;

/// Said around a word that ends the questions: "please exit", "quiero salir".
const AROUND: [&str; 14] = [
    "please",
    "pls",
    "quiero",
    "i",
    "want",
    "to",
    "now",
    "just",
    "por",
    "favor",
    "ok",
    "deseo",
    "the",
    "questions",
];

/// Words of the longest answer in which a phrase counts: beyond it somebody tells a story.
const LONGEST: usize = 15;

/// Why the questions end, if `text` says that they should: `exit` or `declined`.
pub(crate) fn find(settings: &Settings, text: &str) -> Option<&'static str> {
    let said = words(text);
    let core: Vec<&String> = said.iter().filter(|word| !AROUND.contains(&word.as_str())).collect();
    let ends = |word: &String| {
        let word = words(word);
        word == said || (word.len() == 1 && core == [&word[0]])
    };
    if ends(&settings.exit_word) || settings.exit_words.iter().any(ends) {
        return Some("exit");
    }
    let whole = settings.decline_words.iter().any(|phrase| words(phrase) == said);
    let inside =
        said.len() <= LONGEST
            && settings.decline_phrases.iter().map(|phrase| words(phrase)).any(|phrase| {
                !phrase.is_empty() && said.windows(phrase.len()).any(|window| window == phrase)
            });
    (whole || inside).then_some("declined")
}
