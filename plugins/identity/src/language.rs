//! Which language a texter writes in, so that they are asked in it.

use anteroom_sdk::identity::Turn;
use anteroom_sdk::text::words;

use crate::settings::{Language, Settings};

/// Words that tell English. None that is a name or that Spanish has too.
const ENGLISH: &str = " hello hi hey the my name is i im need want please thanks thank yes born this it its and what who \
    why how when can you your are am of for with birthday birth date was new patient refill appointment sorry ";

/// Words that tell Spanish.
const SPANISH: &str = " hola gracias necesito quiero llamo naci nombre buenos buenas dias tardes noches cita receta \
    hijo hija hijos nacimiento favor salir quien por para estoy puedo medicina cumpleanos enero febrero marzo abril \
    agosto septiembre setiembre octubre noviembre diciembre soy tengo espanol ustedes usted quisiera doctora \
    nacio nacida nacido mama madre esposa esposo senor senora apellido apellidos cuando donde como estan esta \
    paciente nuevo nueva una mi que si fecha anos perdon prefiero ayuda mil novecientos abuela abuelo ";

/// The language of the wordings to use; `None`: the settings' own. The newest text that tells one counts, then
/// the language of the last question.
pub(crate) fn of<'s>(settings: &'s Settings, turn: &Turn) -> Option<&'s Language> {
    let answers = turn.asked.iter().rev().filter_map(|exchange| exchange.answer.as_deref());
    for text in std::iter::once(turn.text.as_str()).chain(answers) {
        let said = words(crate::head(text));
        let own = count(&said, ENGLISH);
        let best = settings
            .languages
            .iter()
            .map(|language| (hits(&said, language), language))
            // Of equals the first: `max_by_key` would give the last.
            .reduce(|best, other| if other.0 > best.0 { other } else { best });
        match best {
            Some((hits, language)) if hits > own => return Some(language),
            _ if own > 0 => return None,
            _ => {}
        }
    }
    let asked = turn.asked.last()?;
    settings.languages.iter().find(|language| {
        let wordings = language.wordings(&asked.question);
        wordings.is_some_and(|wordings| {
            wordings.all().any(|w| settings.say(w, turn, Some(language)) == asked.prompt)
        })
    })
}

fn hits(said: &[String], language: &Language) -> usize {
    let listed = said.iter().filter(|word| language.words.contains(word)).count();
    if language.tag == "es" || language.tag.starts_with("es-") {
        return listed + count(said, SPANISH);
    }
    listed
}

fn count(said: &[String], list: &str) -> usize {
    said.iter().filter(|word| list.contains(&format!(" {word} "))).count()
}
