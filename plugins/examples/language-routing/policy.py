"""Tells the language of a text by its letters and its commonest words, and routes by it."""

import json
from typing import Optional

from wit_world import exports
from wit_world.exports.routing import Placement, Turn
from wit_world.imports import host, patient

NAMES = {
    "en": "English",
    "es": "Spanish",
    "pt": "Portuguese",
    "fr": "French",
    "ht": "Haitian Creole",
    "vi": "Vietnamese",
    "tl": "Tagalog",
    "zh": "Chinese",
    "ko": "Korean",
    "ja": "Japanese",
    "ru": "Russian",
    "ar": "Arabic",
}

# Words that are common in one of these languages and rare in the others.
WORDS = {
    "en": "the and is are my you your i need have can please for with to what when do of this it not was am",
    "es": "el los las una por para que con necesito tengo mi cita gracias hola quiero puedo dolor es esta cuando "
    "favor mis pero donde buenos buenas dias tardes como hijo hija medicina receta le me se del al y",
    "pt": "preciso obrigado obrigada uma você voce para não nao meu minha consulta estou com quero dor bom dia ola "
    "remédio receita os as do da em é",
    "fr": "le les une des je besoin avec pour mon ma rendez vous merci bonjour est pas suis mes du et ordonnance "
    "douleur j'ai ai",
    "ht": "mwen bezwen ou pou ak nan yon mesi bonjou doktè randevou gen pa kapab tanpri fè mal sa pitit",
    "vi": "tôi cần bác sĩ cám ơn xin chào không có hẹn thuốc của và là toi",
    "tl": "ako ang mga kailangan po ng sa ko para salamat gusto ko'y magandang hindi may gamot na",
}
TELLING = {language: frozenset(words.split()) for language, words in WORDS.items()}

# Letters that tell a language by themselves; the first that has any decides.
LETTERS = [
    ("ja", 0x3040, 0x30FF),
    ("ko", 0xAC00, 0xD7AF),
    ("zh", 0x4E00, 0x9FFF),
    ("ru", 0x0400, 0x04FF),
    ("ar", 0x0600, 0x06FF),
]


def words_of(text: str) -> list[str]:
    return "".join(c if c.isalpha() or c == "'" else " " for c in text.lower().replace("’", "'")).split()


def language_of(text: str) -> Optional[tuple[str, str]]:
    """The language and what told it; None where a text says too little."""
    for language, first, last in LETTERS:
        count = sum(first <= ord(c) <= last for c in text)
        if count >= 2:
            return language, f"{count} letters"
    found = words_of(text)
    scores = {language: [word for word in found if word in telling] for language, telling in TELLING.items()}
    ranked = sorted(scores, key=lambda language: -len(scores[language]))
    best, second = ranked[0], ranked[1]
    telling = list(dict.fromkeys(scores[best]))
    if len(telling) < 2 or len(scores[best]) == len(scores[second]):
        return None
    return best, ", ".join(f"'{word}'" for word in telling[:4])


class Routing(exports.Routing):
    def route(self, turn: Turn) -> Optional[Placement]:
        settings = json.loads(host.settings())
        current = turn.current
        if current and any(tag.startswith("language:") for tag in current.tags):
            return None  # known already
        told = language_of(turn.text)
        if told is None:
            # A text of two words says little; the profile may say more.
            known = patient.field("language")
            told = (known.lower()[:2], "the profile") if known else None
        if told is None or told[0] in settings.get("ignore", ["en"]):
            return None
        language, by = told
        team = settings.get("teams", {}).get(language)
        placed = current is not None and current.team is not None
        return Placement(
            team=team if team and not placed else None,
            facility=None,
            category=None,
            priority=None,
            tags=[f"language:{language}"],
            reason=f"{NAMES.get(language, language)}: {by}",
        )


# componentize-py keeps the program as it is now: what has run once is ready at every text.
language_of("Necesito una cita")
json.loads("{}")
