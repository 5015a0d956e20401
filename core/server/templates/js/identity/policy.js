// Asks for the medical record number.
import { settings } from 'anteroom:policy/host@1.0.0';

const ATTEMPTS = 3;

export const identity = {
  next(turn) {
    const { question, thanks } = JSON.parse(settings());
    const ask = { tag: 'ask', val: { question: 'mrn', text: question } };
    const giveUp = (reason) => ({ tag: 'give-up', val: { reason, acknowledgement: thanks, claims: [] } });
    if (turn.asked.length === 0) return ask; // the text is the reason for texting, not an answer
    if (turn.text.trim().toLowerCase() === 'exit') return giveUp('exit');
    const value = turn.text.replace(/[^0-9]/g, '');
    if (value.length >= 4) {
      return { tag: 'match', val: { claims: [{ field: 'mrn', value }], acknowledgement: thanks, required: [] } };
    }
    return turn.asked.length >= ATTEMPTS ? giveUp('attempts') : ask;
  },
};
