// Asks for photos of the insurance card when a text is about a new insurance, and thanks for them.
import { settings } from 'anteroom:policy/host@1.0.0';

const ASKED = 'insurance-card-asked';
const ONE_SIDE = 'insurance-card-one-side';
const DONE = 'insurance-card-thanks';

// Lower case without accents; spaces around, so that phrases are found at word boundaries.
const plain = (text) =>
  ` ${text.toLowerCase().normalize('NFD').replace(/\p{M}/gu, '').replace(/[^\p{L}\p{N}]+/gu, ' ').trim()} `;

const find = (list, text) => list.find((phrase) => text.includes(plain(phrase)));

const reply = (body, throttleKey, reason) => [{ body, throttleKey, reason }];

export const replies = {
  reply(turn) {
    const { about, changed, ask, other_side, thanks } = JSON.parse(settings());
    const told = (key) => turn.told.some((reply) => reply.throttleKey === key);
    const text = plain(turn.text);
    const topic = find(about, text);
    const news = changed.length === 0 ? topic : find(changed, text);

    if (turn.mediaCount > 0 && (told(ASKED) || topic)) {
      if (told(DONE)) return undefined;
      const both = turn.mediaCount > 1 || told(ONE_SIDE);
      const photos = `${turn.mediaCount} photo${turn.mediaCount === 1 ? '' : 's'} of the insurance card`;
      return both ? reply(thanks, DONE, photos) : reply(other_side, ONE_SIDE, photos);
    }
    if (!topic || !news || told(ASKED)) return undefined; // no opinion: the next policy is asked
    return reply(ask, ASKED, `keywords '${topic}' and '${news}'`);
  },
};
