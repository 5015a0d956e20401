// Answers a text that has one of the keywords.
import { settings } from 'anteroom:policy/host@1.0.0';

export const replies = {
  reply(turn) {
    const { keywords, body } = JSON.parse(settings());
    const words = turn.text.toLowerCase().split(/[^\p{L}\p{N}]+/u);
    const found = keywords.find((keyword) => words.includes(keyword.toLowerCase()));
    if (!found) return undefined; // no opinion: the next policy is asked
    return [{ body, throttleKey: 'NAME', reason: `keyword '${found}'` }];
  },
};
