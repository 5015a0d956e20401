// Sends a conversation to a team when its first text has one of the keywords.
import { settings } from 'anteroom:policy/host@1.0.0';

export const routing = {
  route(turn) {
    const { keywords, team } = JSON.parse(settings());
    if (turn.current?.team) return undefined; // no opinion: it stays where it is
    const words = turn.text.toLowerCase().split(/[^\p{L}\p{N}]+/u);
    const found = keywords.find((keyword) => words.includes(keyword.toLowerCase()));
    if (!found) return undefined;
    return { team, tags: [], reason: `keyword '${found}'` };
  },
};
