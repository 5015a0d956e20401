//! Clear revocations in people's own words: "please stop texting me", "take me off your list".
//!
//! A table of phrases over folded words, not a classifier: each answer can be explained by the phrase that
//! matched. It leans towards precision (a patient who asks when to stop a pill must not be cut off), since
//! staff read the rest and can record a revocation themselves.
//!
//! To add one: a row in [`RULES`], an example in `revocations`, and what it must not catch in `others`.

use std::{collections::HashSet, sync::LazyLock};

use super::fold;

/// One phrase. In its words, `a|b` is either, `(a|b)` may be absent, `(a|b)*` may come any number of times,
/// `^` and `$` are the ends of the sentence, and `CAPITALS` name a list in [`class`].
struct Rule {
    phrase: &'static str,
    /// Doesn't count right after one of these.
    unless_after: &'static [&'static str],
    /// Doesn't count right before one of these.
    unless_before: &'static [&'static str],
}

/// Negations, and questions about what has happened or should.
const NOT_MEANT: &[&str] = &[
    "dont|never|not|didnt|wont|doesnt|shouldnt|cant (you|ever|please|just|want|need|to|have|i|think)*",
    "why|when|did|does|if|since|until|unless|after|before (you|they|i|did|do|will|would|the|we|he|she|to|should|it|is|have)*",
    "have|has|had to|you",
    "should|will i|we|he|she|they",
    "couldnt|tried|trying (to)",
];

/// Somebody else's doing: "you don't text me the results".
const OF_OTHERS: &[&str] = &["you|they|he|she|we|i|people|who|why|it|that (just|do|really|still)*"];

const fn rule(phrase: &'static str, unless_after: &'static [&'static str]) -> Rule {
    Rule { phrase, unless_after, unless_before: &[] }
}

const RULES: &[Rule] = &[
    // "stop texting me", "please quit messaging", "stop calling and texting this number"
    rule(
        "STOP (please|with|all|the|this|your|calling|and|or)* CONTACTING me|us|this|my|here|again|anymore|please|now|$",
        NOT_MEANT,
    ),
    // "stop sending me these texts", "stop sending me stuff", "stop sending this"
    rule("STOP sending (me|us|out)* (MORE)* TEXTS", NOT_MEANT),
    rule("STOP sending me|us (MORE)* stuff|anything|things|these|this|those (please|now)* $", NOT_MEANT),
    // "stop the texts", "cancel text reminders", "turn off these messages"
    Rule {
        phrase: "STOP|discontinue|cancel|turnoff (getting|receiving|MORE|text|with|my)* TEXTS",
        unless_after: NOT_MEANT,
        unless_before: &["from going|showing|coming", "until|till|if|when|about"],
    },
    rule("end (all|the|these|your|this|text)* TEXTS", &["the", "NEGATION (you|to)*"]),
    rule("STOP (all|the|these|this|your)* text|message (please|now)* $", NOT_MEANT),
    // "I said stop", "asked you to stop"
    rule(
        "asked|told|said|telling|asking (you|yall|u|to|them|already|please)* stop (it|this|now|please)* $",
        &["doctor|dr|nurse|he|she|they (has|had|have)*"],
    ),
    // "take me off your list", "remove my number from the texting list"
    Rule {
        phrase: "take|remove|delete|drop|get (my|this|our|phone|cell)* me|us|number|name|phone off|from|out (of|LISTED)* list|lists|database|TEXTS",
        unless_after: NOT_MEANT,
        unless_before: &["for|of"],
    },
    rule("^ (please|just|pls|and|ok|now)* remove|delete me (please|now|thanks|immediately)* $", &[]),
    rule(
        "lose|delete|erase|remove my|this (phone|cell)* number (please|now|thanks|immediately)* $",
        NOT_MEANT,
    ),
    // "don't text me", "never contact this number again"
    Rule {
        phrase: "dont|never|nolonger (ever|please)* text|message|contact|sms me|us|this|my|here|again|anymore",
        unless_after: OF_OTHERS,
        unless_before: &[
            "until|till|before|after|if|unless|back|yet|tonight|today|tomorrow|during|while|on|about|in|when|so|wife|husband|mom|daughter|son|mother",
        ],
    },
    // "opt me out", "I want to opt out of texts"
    rule("opt|opting me|us|out (out|please|now|thanks|immediately|completely|entirely)* $", NOT_MEANT),
    rule(
        "opt|opting (me|us)* out of|from (MORE|receiving|getting|text|LISTED)* TEXTS|texting|messaging|communications|list",
        NOT_MEANT,
    ),
    rule("unsubscribe", NOT_MEANT),
    // "no more texts"
    Rule {
        phrase: "^ (please|i|we|want|hi|hello|ok|and|want)* no more (MORE|of|text)* TEXTS|texting|messaging",
        unless_after: &[],
        unless_before: &["since|after|from|yesterday|today|came|for|about"],
    },
    // "I don't want to get these messages", "I no longer wish to be contacted"
    Rule {
        phrase: "dont|nolonger|not|never (really|want|to)* want|wish|need|consent|agree (to|get|receive|have|be|being|getting|receiving|from|of|sending|send|me|us|text|anymore|MORE)* TEXTS|texted|messaged|contacted|texting|messaging",
        unless_after: &["you|they|he|she|people|if|why (do|i|you)*"],
        unless_before: &["to|going|about|on|my|her|him|them|for|until|till|by"],
    },
    // "I revoke my consent to be texted"
    rule(
        "revoke|withdraw|rescind|revoking|withdrawing (my|all|any|the|prior|previous|hereby)* consent|permission (to|for|be|being|receive|receiving|get|MORE|text|of)* TEXTS|texted|contacted|contact|text|texting|messaging|communications|$",
        NOT_MEANT,
    ),
    rule("^ (please|just|can|could|would|you|to|and)* leave me|us alone", &[]),
    // The same in Spanish.
    rule("deja|deje|dejen|pare|paren|para|parar de ENVIARME", &["NEGATION_ES"]),
    rule(
        "^ (por|favor|ya)* no me|nos (vuelva|vuelvan|vuelvas|a)* ENVIE (mas|estos|esos|los|las|otro|otros|sus|ningun)* mensajes|mensaje|textos|texto|sms|$",
        &[],
    ),
    rule(
        "^ (por|favor|ya)* no me|nos (vuelva|vuelvan|vuelvas|a)* ENVIE mas|nada (mas|por|favor|gracias)* $",
        &[],
    ),
    rule(
        "no quiero|deseo|queremos (recibir|que|me|envien|manden|mas|sus|estos|esos|los|ningun|tener)* mensajes|textos|sms",
        &["si|porque"],
    ),
    rule("^ (por|favor|ya)* no mas (de|sus|estos)* mensajes|textos|sms", &[]),
    Rule {
        phrase: "quiteme|quitenme|quitame|borreme|borrenme|borrame|elimineme|eliminenme|saqueme|saquenme|sacame (de|la|su|esta|tu|sus)* lista",
        unless_after: &[],
        unless_before: &["de espera"],
    },
];

/// Texts made of nothing but these and "stop" ask for just that.
const AROUND_STOP: &str =
    "stop|please|just|now|immediately|thanks|thank|you|ok|okay|kindly|it|this|all|hi|hello|already|por|favor";

/// Word lists that phrases name.
fn class(name: &str) -> Option<&'static str> {
    Some(match name {
        "STOP" => "stop|quit|cease",
        "CONTACTING" => "texting|messaging|contacting|bothering|spamming|harassing|calling",
        "TEXTS" => "texts|messages|sms|reminders|alerts|notifications",
        "MORE" => {
            "all|any|the|these|this|those|your|you|more|further|future|automated|automatic|appointment|of|annoying|unwanted|spam|text"
        }
        "LISTED" => {
            "your|the|this|that|all|any|text|texting|sms|contact|contacts|call|calling|mailing|marketing|messaging|message|phone|notification|distribution|these|every|reminder|automated|future|of"
        }
        "NEGATION" => "dont|never|not|didnt|wont|doesnt",
        "NEGATION_ES" => "no|nunca|si|cuando",
        "ENVIARME" => "enviarme|mandarme|escribirme|textearme|molestarme|contactarme|enviarnos|mandarnos",
        "ENVIE" => {
            "envie|envies|envien|mande|mandes|manden|escriba|escribas|escriban|enviar|mandar|escribir|textee|texteen|contacte|contacten|contactar"
        }
        _ => return None,
    })
}

/// Whether `text` clearly asks for no more texts, in words of its own rather than a keyword.
///
/// FCC 47 CFR 64.1200(a)(10): consent can be revoked "in any reasonable manner", to be honoured within at
/// most 10 business days. English, with the commonest Spanish forms.
pub fn plain_language_revocation(text: &str) -> bool {
    let sentences = sentences(text);
    let said: Vec<&str> = sentences.iter().flatten().map(String::as_str).collect();
    let only_stop =
        said.contains(&"stop") && said.iter().all(|word| AROUND_STOP.split('|').any(|w| w == *word));
    only_stop || sentences.iter().any(|sentence| PARSED.iter().any(|rule| rule.is_in(sentence)))
}

/// The folded words of each sentence, with spellings that mean the same made one.
fn sentences(text: &str) -> Vec<Vec<String>> {
    let folded: String = fold(text).filter(|c| !matches!(c, '\'' | '’' | '‘' | '`' | '´')).collect();
    folded
        .split(['.', '!', '?', ';', ',', ':', '\n', '\r'])
        .map(words)
        .filter(|words| !words.is_empty())
        .collect()
}

fn words(sentence: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in sentence.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let (last, word) = match (words.last().map(String::as_str), word) {
            (Some("do"), "not") => (true, "dont"),
            (Some("can"), "not") => (true, "cant"),
            (Some("will"), "not") => (true, "wont"),
            (Some("did"), "not") => (true, "didnt"),
            (Some("no"), "longer") => (true, "nolonger"),
            (Some("turn" | "shut"), "off") => (true, "turnoff"),
            (Some("text" | "txt" | "sms"), "message" | "messages" | "msg" | "msgs") => (true, "texts"),
            (_, "pls" | "plz" | "plse") => (false, "please"),
            (_, "txt") => (false, "text"),
            (_, "txts") => (false, "texts"),
            (_, "txting") => (false, "texting"),
            (_, "msg") => (false, "message"),
            (_, "msgs") => (false, "messages"),
            (_, "u") => (false, "you"),
            (_, "ur") => (false, "your"),
            (_, "cannot") => (false, "cant"),
            (_, "unsubscribing") => (false, "unsubscribe"),
            (_, word) => (false, word),
        };
        if last {
            words.pop();
        }
        words.push(word.to_owned());
    }
    words
}

/// [`RULES`] as they are matched.
static PARSED: LazyLock<Vec<ParsedRule>> = LazyLock::new(|| RULES.iter().map(ParsedRule::of).collect());

struct ParsedRule {
    phrase: Vec<Token>,
    unless_after: Vec<Vec<Token>>,
    unless_before: Vec<Vec<Token>>,
}

/// One place of a phrase.
enum Token {
    Start,
    Words { words: HashSet<&'static str>, or_end: bool, optional: bool, repeats: bool },
}

impl ParsedRule {
    fn of(rule: &Rule) -> Self {
        let all = |phrases: &[&'static str]| phrases.iter().map(|phrase| tokens(phrase)).collect();
        Self {
            phrase: tokens(rule.phrase),
            unless_after: all(rule.unless_after),
            unless_before: all(rule.unless_before),
        }
    }

    fn is_in(&self, words: &[String]) -> bool {
        (0..words.len()).any(|start| {
            let meant =
                |end| !self.unless_before.iter().any(|phrase| walk(phrase, words, end, &mut |_| true));
            walk(&self.phrase, words, start, &mut |end| meant(end))
                && !self
                    .unless_after
                    .iter()
                    .any(|phrase| (0..start).any(|from| walk(phrase, words, from, &mut |end| end == start)))
        })
    }
}

fn tokens(phrase: &'static str) -> Vec<Token> {
    phrase.split_whitespace().map(token).collect()
}

fn token(text: &'static str) -> Token {
    if text == "^" {
        return Token::Start;
    }
    let (inner, optional, repeats) = match text.strip_prefix('(') {
        Some(inner) => (inner.trim_end_matches(['*', ')']), true, inner.ends_with('*')),
        None => (text, false, false),
    };
    let words = inner.split('|').flat_map(|one| class(one).unwrap_or(one).split('|')).collect();
    Token::Words { words, or_end: inner.split('|').any(|one| one == "$"), optional, repeats }
}

/// Tries every way in which `tokens` match from `at`; true when `accept` takes the end of one.
fn walk(tokens: &[Token], words: &[String], at: usize, accept: &mut dyn FnMut(usize) -> bool) -> bool {
    let Some((token, rest)) = tokens.split_first() else { return accept(at) };
    let Token::Words { words: these, or_end, optional, repeats } = token else {
        return at == 0 && walk(rest, words, at, accept);
    };
    let at_end = *or_end && at == words.len();
    if (*optional || at_end) && walk(rest, words, at, accept) {
        return true;
    }
    let here = words.get(at).is_some_and(|word| these.contains(word.as_str()));
    here && walk(if *repeats { tokens } else { rest }, words, at + 1, accept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revocations() {
        for text in [
            "please stop texting me",
            "Stop texting me!!",
            "STOP TEXTING",
            "can you please stop texting me",
            "I want you to stop messaging me",
            "Quit texting this number.",
            "stop sending me messages",
            "Stop sending me these text messages please",
            "pls stop sending me txts",
            "stop sending me stuff",
            "Please stop all messages",
            "stop the texts",
            "stop these msgs",
            "how do I stop getting these texts?",
            "please cancel text reminders",
            "turn off these messages",
            "please end these texts",
            "stop calling and texting me",
            "stop contacting me",
            "I've asked you to stop texting me",
            "I said stop",
            "I already told you to stop.",
            "please stop",
            "stop please",
            "STOP STOP STOP",
            "just stop it already",
            "Hi, please stop. Thanks",
            "take me off your list",
            "Take me off of this list please",
            "please remove me from your texting list",
            "remove my number from your list",
            "take my number off the list",
            "Remove me",
            "please remove me.",
            "remove me from these texts",
            "please delete my number",
            "lose my number",
            "don't text me",
            "Do not text me again",
            "please don’t contact me anymore",
            "never text this number again",
            "Dont message me at this number",
            "opt me out",
            "I would like to opt out",
            "I want to opt out of these text messages",
            "please opt me out of all communications",
            "opting out",
            "unsubscribe me",
            "I'd like to unsubscribe please",
            "no more texts",
            "no more text messages please",
            "I want no more messages",
            "I don't want to receive these messages",
            "i dont want any more texts from you",
            "I do not want to be texted",
            "I no longer wish to be contacted",
            "don't want text reminders",
            "I do not consent to receive text messages",
            "I revoke my consent to be contacted",
            "I hereby withdraw my consent",
            "Leave me alone",
            "please leave me alone!",
            "Thanks for the info. Please stop texting me. Jane",
            "ｐｌｅａｓｅ ｓｔｏｐ ｔｅｘｔｉｎｇ ｍｅ",
            "deje de enviarme mensajes",
            "Por favor dejen de mandarme textos",
            "no me envíen más mensajes",
            "por favor no me escriban más",
            "no quiero recibir más mensajes",
            "no más mensajes",
            "quítenme de su lista",
        ] {
            assert!(plain_language_revocation(text), "{text:?} should count");
        }
    }

    #[test]
    fn others() {
        for text in [
            "",
            "can I stop by at 3",
            "when do I stop taking the pills",
            "please stop by the pharmacy for me",
            "should I stop the antibiotic?",
            "I want to stop smoking",
            "I stopped taking it",
            "the bleeding won't stop",
            "my nose won't stop running, text me back",
            "stop the metformin or not?",
            "did you stop sending my prescription to CVS?",
            "Please stop sending my meds to Walgreens",
            "stop sending this to my old pharmacy",
            "why did you stop texting me?",
            "please don't stop texting me the reminders",
            "don't stop the reminders",
            "When do the texts stop?",
            "I can't stop by. Texting is fine",
            "I'll stop. Texts are fine with me",
            "if I stop getting texts what should I do",
            "I had to stop texting because my hand hurts",
            "take me off the wait list",
            "please take me off the waiting list",
            "remove me from the schedule on Friday",
            "take me off this medication",
            "remove penicillin from my allergy list",
            "please remove my stitches",
            "can you remove my name from the 3pm slot",
            "can you get me a list of doctors",
            "take me off the list for surgery",
            "you don't text me the results",
            "why don't you text me",
            "they never text me back",
            "don't text me tonight, call tomorrow",
            "don't text me until Monday",
            "I don't text my doctor usually",
            "can I opt out of the flu shot",
            "I don't want to opt out",
            "how do I opt out of the statin program",
            "don't unsubscribe me",
            "I got no more texts from you after Tuesday",
            "no more messages since Tuesday, is it broken?",
            "I have no more pills",
            "I don't want to text my symptoms",
            "I don't want messages about billing to go to my wife",
            "I don't want the surgery",
            "my headache won't leave me alone",
            "I don't like texting, can I call?",
            "cancel my appointment please",
            "please cancel",
            "end of the month works, text me",
            "What is at the end of the messages?",
            "the doctor said stop the aspirin",
            "My doctor told me to stop. Is that right?",
            "ok thanks",
            "yes",
            "I need help to quit",
            "sign me up for text reminders",
            "please send me messages about my appointment",
            "I need to drop off my list of meds",
            "no me envíe la receta a CVS",
            "no quiero la vacuna",
            "puede dejar de tomar la pastilla?",
            "quítenme de la lista de espera",
        ] {
            assert!(!plain_language_revocation(text), "{text:?} should not count");
        }
    }

    #[test]
    fn phrases_are_well_formed() {
        let phrases = RULES
            .iter()
            .flat_map(|rule| [&[rule.phrase][..], rule.unless_after, rule.unless_before].concat());
        for token in phrases.flat_map(str::split_whitespace) {
            let inner = token.trim_start_matches('(').trim_end_matches(['*', ')']);
            assert_eq!(token.starts_with('('), token.contains(')'), "{token}");
            for word in inner.split('|') {
                let capitals = word.starts_with(|c: char| c.is_ascii_uppercase());
                assert!(!word.is_empty() && capitals == class(word).is_some(), "{word} in {token}");
            }
        }
    }
}
